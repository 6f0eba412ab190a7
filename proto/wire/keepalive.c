#include "wire/keepalive.h"

#include "base/cursor.h"

#define DEAD_AFTER 3

void keepalive_start(struct keepalive *keepalive, int64_t interval_ms, int64_t now_ms)
{
	CHECK(interval_ms > 0);
	*keepalive = (struct keepalive){.interval_ms = interval_ms, .awaited_us = -1};
	keepalive_heard(keepalive, now_ms);
}

void keepalive_heard(struct keepalive *keepalive, int64_t now_ms)
{
	keepalive->heard_ms = now_ms;
	keepalive->pinged_ms = -1; /* a new silence begins, with a PING of its own */
}

void keepalive_ping(struct keepalive *keepalive, int64_t now_us, uint8_t ret[static 8])
{
	keepalive->pinged_ms = now_us / 1000;
	keepalive->awaited_us = now_us;
	for (int i = 0; i < 8; i++)
		ret[i] = (uint8_t)((uint64_t)now_us >> (56 - 8 * i));
}

void keepalive_pong(struct keepalive *keepalive, int64_t now_us,
	const uint8_t payload[static 8])
{
	uint64_t sent_us;
	struct cursor cursor = cursor_of(payload, 8);
	if (cursor_u64(&cursor, &sent_us) || keepalive->awaited_us < 0 ||
		sent_us != (uint64_t)keepalive->awaited_us ||
		now_us < keepalive->awaited_us)
		return;
	keepalive->rtt_us = now_us - keepalive->awaited_us;
	if (keepalive->rtt_us == 0)
		keepalive->rtt_us = 1; /* 0 means: not known yet */
	keepalive->awaited_us = -1;    /* a second answer measures nothing */
}

enum keepalive_verdict keepalive_due(const struct keepalive *keepalive, int64_t now_ms,
	int64_t *ret_wait_ms)
{
	int64_t silence_ms = now_ms - keepalive->heard_ms;
	int64_t dead_ms = DEAD_AFTER * keepalive->interval_ms;
	*ret_wait_ms = 0;
	if (silence_ms >= dead_ms)
		return KEEPALIVE_DEAD;
	if (keepalive->pinged_ms < 0) {
		if (silence_ms >= keepalive->interval_ms)
			return KEEPALIVE_PING;
		dead_ms = keepalive->interval_ms;
	}
	*ret_wait_ms = dead_ms - silence_ms;
	return KEEPALIVE_WAIT;
}
