/* Path 08/15: frames cross from one leg to the other. */
#include "relay/pump.h"

#include "base/clock.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/worker.h"
#include "wire/frame.h"

void pump_start(struct pump *pump, struct conn *from, struct conn *to)
{
	CHECK(from->worker == to->worker);
	*pump = (struct pump){.from = from, .to = to};
}

/* One TLS record of full size: a sender that rests is read in small pieces, so that the next rest is
 * short, and so is that of those who share with it. */
#define READ_LIMITED (17 * 1024)

static void listen_again(struct pump *pump)
{
	if (!pump_is_deaf(pump))
		conn_resume(pump->from);
}

static void on_rested(void *ctx)
{
	struct pump *pump = ctx;
	pump->resting = 0;
	listen_again(pump);
}

int pump_limit(struct pump *pump, int64_t rate, struct throttle *shared)
{
	int is_limited = rate || shared;
	if (is_limited && !pump->rested) {
		int rc = worker_timer_new(pump->from->worker, on_rested, pump,
			&pump->rested);
		if (rc)
			return rc;
	}
	throttle_set(&pump->own, rate);
	throttle_set(&pump->always, PUMP_ALWAYS);
	pump->shared = shared;
	pump->from->read_most = is_limited ? READ_LIMITED : 0;
	if (is_limited || !pump->rested)
		return 0;
	pump->rested = worker_timer_free(pump->rested);
	if (pump->resting)
		on_rested(pump);
	return 0;
}

static void rest_after(struct pump *pump, size_t span)
{
	int64_t now_us = clock_mono_us();
	int64_t rest_us = throttle_take(&pump->own, span, now_us);
	int64_t shared_us = pump->shared ? throttle_take(pump->shared, span, now_us) : 0;
	if (shared_us > rest_us &&
		(span > PUMP_SMALL || throttle_take(&pump->always, span, now_us)))
		rest_us = shared_us;
	if (!rest_us)
		return;
	if (!pump_is_deaf(pump))
		conn_pause(pump->from);
	pump->resting = 1;
	worker_timer_set(pump->rested, (rest_us + 999) / 1000);
	metrics_add(METRIC_RATE_RESTS, 1);
}

static void pause_sender(struct pump *pump)
{
	if (!pump_is_deaf(pump))
		conn_pause(pump->from);
	pump->paused = 1;
	pump->moved_ms = clock_mono_ms();
	pump->least = conn_queued(pump->to);
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
	metrics_add(pump->frame_metric, (int64_t)frames);
	if (!pump->paused && conn_full(pump->to))
		pause_sender(pump);
	if (pump->rested)
		rest_after(pump, span);
	return span;
}

void pump_room(struct pump *pump)
{
	if (!pump->paused)
		return;
	pump->paused = 0;
	listen_again(pump);
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
	pump->rested = worker_timer_free(pump->rested);
	if (pump->from && pump_is_deaf(pump))
		conn_resume(pump->from);
	if (pump->from)
		pump->from->read_most = 0;
	*pump = (struct pump){0};
}
