/* Path 08/15: frames cross from one leg to the other. */
#include "relay/pump.h"

#include "base/clock.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "wire/frame.h"

void pump_start(struct pump *pump, struct conn *from, struct conn *to)
{
	CHECK(from->worker == to->worker);
	*pump = (struct pump){.from = from, .to = to};
}

static void pause_sender(struct pump *pump)
{
	pump->paused = 1;
	pump->moved_ms = clock_mono_ms();
	pump->least = conn_queued(pump->to);
	conn_pause(pump->from);
	metrics_add(METRIC_PAUSES, 1);
}

size_t pump_take(struct pump *pump, const uint8_t *bytes, size_t len)
{
	struct frame frame;
	size_t span = 0;
	uint64_t payload = 0, frames = 0;
	while (span < len && bytes[span] == FRAME_DATA &&
		frame_parse(bytes + span, len - span, &frame) == 1) {
		span += frame_size(&frame);
		payload += frame.len;
		frames++;
	}
	/* Refused only when the reader is about to be gone: its end is on the way here, and
	 * what it cannot get any more was not carried. */
	if (!span || conn_write(pump->to, bytes, span))
		return span;
	*pump->carried += payload;
	*pump->frames += frames;
	metrics_add(pump->metric, (int64_t)payload);
	metrics_add(METRIC_DATA_FRAMES, (int64_t)frames);
	if (!pump->paused && conn_full(pump->to))
		pause_sender(pump);
	return span;
}

void pump_room(struct pump *pump)
{
	if (!pump->paused)
		return;
	pump->paused = 0;
	conn_resume(pump->from);
}

int pump_is_stuck(struct pump *pump, int64_t now_ms, int64_t patience_ms)
{
	if (!pump->paused)
		return 0;
	/* While the sender is paused only a PING may join the queue: a new low is progress. */
	size_t queued = conn_queued(pump->to);
	if (queued < pump->least) {
		pump->least = queued;
		pump->moved_ms = now_ms;
	}
	return now_ms - pump->moved_ms >= patience_ms;
}

void pump_stop(struct pump *pump)
{
	if (pump->from && pump->paused)
		conn_resume(pump->from);
	*pump = (struct pump){0};
}
