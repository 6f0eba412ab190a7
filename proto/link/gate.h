/* gate: how much picture the tunnel can take now; the pacer encodes while it is open.
 *
 * Between the encoder and the tunnel lies a stream (a socketpair). What may still be written is
 * the room that the tunnel has, less what already waits in the stream:
 *
 *   encoder --> [ stream, gate_level ] --gate_took--> tunnel, which knows its room (gate_set)
 *
 * Thread: gate_set and gate_took by the tunnel's thread, gate_level and gate_want by the desktop
 *         thread, the rest by any.
 * Owner:  counted references; one gate per stream, never reused for the next one.
 * Units:  bytes, bytes per second. All bytes of the stream from the desktop to the viewer.
 */
#ifndef LINK_GATE_H
#define LINK_GATE_H

#include <stdint.h>

#include "base/check.h"

struct gate;

/* Closed (no room) until the first gate_set(). -REASON_NO_MEMORY, -REASON_LIMIT (no
 * descriptor). */
MUST_CHECK int gate_new(struct gate **ret);
struct gate *gate_ref(struct gate *gate);
/* Accepts NULL, returns NULL. */
struct gate *gate_unref(struct gate *gate);

/* The tunnel can take `room` more bytes (0 or less: none) and delivers `rate` bytes per
 * second (0: not known yet). To be called whenever credit comes back or the estimate
 * changes. */
void gate_set(struct gate *gate, int64_t room, int64_t rate);
/* `bytes` left the stream for the tunnel: the room that gate_set() gave is smaller by as
 * much. */
void gate_took(struct gate *gate, int64_t bytes);

/* `bytes` wait in the stream now (the encoder asks the kernel before it decides). Between a read
 * and its gate_took() this is too little by what was read, and right again the next time. */
void gate_level(struct gate *gate, int64_t bytes);
/* What the encoder may write now; 0 or less: nothing. */
int64_t gate_room(const struct gate *gate);
int64_t gate_rate(const struct gate *gate);
/* Asks for a wake-up as soon as at least `bytes` (> 0) may be written. Returns the room
 * of now; when that is enough nothing will be signalled. One wake-up per call. */
int64_t gate_want(struct gate *gate, int64_t bytes);
/* Readable after the wake-up; gate_clear() makes it quiet again. Owned by the gate. */
int gate_fd(const struct gate *gate);
void gate_clear(struct gate *gate);

#endif
