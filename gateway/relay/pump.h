/* pump: carries DATA frames one way, from one leg of a session to the other.
 *
 * Path 08/15: frames cross from one leg to the other.
 * Thread: the worker that owns the session. Never blocks, never locks, never logs.
 * Owner: the session embeds two; a pump only borrows the two conns.
 * Nothing is copied: the whole DATA frames that one read brought in leave in one conn_write. When
 * the reader's queue is full the sender is not read any more, and only this direction waits.
 */
#ifndef RELAY_PUMP_H
#define RELAY_PUMP_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/metrics.h"

struct conn;

struct pump {
	struct conn *from, *to;
	uint64_t *carried; /* payload bytes, of the session's meter */
	uint64_t *frames;
	enum metric metric; /* of its direction */
	int paused;         /* `from` is not read because `to` is full */
	int64_t moved_ms;   /* when `to` last took a byte while paused */
	size_t least;       /* and how few bytes waited for it then */
};

/* The caller then sets where it counts. */
void pump_start(struct pump *pump, struct conn *from, struct conn *to);
/* Sends the whole DATA frames at the start of `bytes` across and returns their size; 0 when the
 * first is not whole or is another frame. A frame of a forbidden length is left for the caller, who
 * parses it and finds out. */
size_t pump_take(struct pump *pump, const uint8_t *bytes, size_t len);
/* `to` has room again. */
void pump_room(struct pump *pump);
/* Whether `to` has taken nothing for `patience_ms` while its sender waits. */
int pump_is_stuck(struct pump *pump, int64_t now_ms, int64_t patience_ms);
/* Lets go of both; the sender is read again. */
void pump_stop(struct pump *pump);

#endif
