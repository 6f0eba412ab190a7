/* pump: carries DATA frames one way, from one leg of a session to the other.
 *
 * Path 08/15: frames cross from one leg to the other.
 * Thread: the worker that owns the session. Never blocks, never locks, never logs.
 * Owner: the session embeds two; a pump only borrows the two conns.
 * Nothing is copied: the whole DATA frames that one read brought in leave in one conn_write. When
 * the reader's queue is full the sender is not read any more, and only this direction waits. The same
 * for a while when it carried faster than it may.
 *
 * Of a company's share every session has PUMP_ALWAYS bytes a second each way for what is small (keys,
 * the pointer, a cursor): they count, but do not wait for the pictures of others.
 */
#ifndef RELAY_PUMP_H
#define RELAY_PUMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "metrics/metrics.h"
#include "net/throttle.h"

struct conn;
struct worker_timer;

#define PUMP_ALWAYS 16384
#define PUMP_SMALL 4096 /* of one read */

struct pump {
	struct conn *from, *to;
	uint64_t *carried; /* payload bytes, of the session's meter */
	uint64_t *frames;
	enum metric metric; /* of its direction */
	enum metric frame_metric;
	uint8_t paused;   /* `from` is not read because `to` is full */
	uint8_t resting;  /* or because it went faster than it may; `rested` ends that */
	int64_t moved_ms; /* when `to` last took a byte while paused */
	size_t least;     /* and how few bytes waited for it then */
	struct throttle own;         /* what this session may carry this way */
	struct throttle *shared;     /* what its company may, with others; or NULL */
	struct throttle always;      /* what no company's share takes from it */
	struct worker_timer *rested; /* exactly while there is a limit */
};

/* The caller then sets where it counts. */
void pump_start(struct pump *pump, struct conn *from, struct conn *to);
/* Sends the whole DATA frames at the start of `bytes` across and returns their size; 0 when the
 * first is not whole or is another frame. A frame of a forbidden length is left for the caller, who
 * parses it and finds out. */
size_t pump_take(struct pump *pump, const uint8_t *bytes, size_t len);
/* Bytes a second that may pass (0: any number), and what they share with other sessions (or NULL;
 * borrowed until the next call or pump_stop). From then on the sender rests after every read that went
 * over it. Frames count with their heads. -REASON_NO_MEMORY: as before. */
MUST_CHECK int pump_limit(struct pump *pump, int64_t rate, struct throttle *shared);
/* Whether `from` is not read at the moment, so that its silence says nothing. */
static inline int pump_is_deaf(const struct pump *pump)
{
	return pump->paused || pump->resting;
}
/* `to` has room again. */
void pump_room(struct pump *pump);
/* Whether `to` has taken nothing for `patience_ms` while its sender waits. */
int pump_is_stuck(struct pump *pump, int64_t now_ms, int64_t patience_ms);
/* Lets go of both; the sender is read again. */
void pump_stop(struct pump *pump);

#endif
