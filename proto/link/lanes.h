/* lanes: the byte streams inside a tunnel, seen from one end: what is kept for sending, how far it
 * was sent and acknowledged, how far the other end's bytes were received and consumed.
 *
 * Sending side of a lane, as positions:
 *
 *   ring.head           sent               ring.tail
 *    |  in flight        |  not sealed yet   |  room
 *
 * head moves with ACK (consumed by the other end). A resumed session sets `sent` back to what the
 * other end has received; nothing is lost because nothing above head was forgotten.
 *
 * Thread: that of the tunnel; no I/O, no clock. Errors: -REASON_PROTOCOL for what an honest other
 * end never says; nothing has changed then.
 */
#ifndef LINK_LANES_H
#define LINK_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/seal.h"
#include "link/ring.h"

#define LANES_CONTROL_MAX (64 * 1024)
#define LANES_INPUT_MAX (256 * 1024)
#define LANES_PICTURE_MAX (4 * 1024 * 1024)
#define LANES_CLIPBOARD_WINDOW (256 * 1024)
#define LANES_CLIPBOARD_MAX (1024 * 1024 + 64 * 1024)
#define LANES_FILE_MAX (256 * 1024)

struct lanes_out {
	struct ring ring;
	uint64_t sent;
	size_t window; /* most in flight; the picture's is its credit */
	bool refused;  /* somebody wanted to write and could not */
};

struct lanes_in {
	uint64_t received, consumed, told; /* told: the last ACK */
	size_t window; /* the most that an honest sender leaves unconsumed */
};

struct lanes {
	struct lanes_out out[SEAL_LANES];
	struct lanes_in in[SEAL_LANES];
};

void lanes_init(struct lanes *lanes);
void lanes_done(struct lanes *lanes);

/* Bytes of this lane that may be sealed now: written, not sent, within the window. */
size_t lanes_ready(const struct lanes *lanes, enum seal_lane lane);
size_t lanes_in_flight(const struct lanes *lanes, enum seal_lane lane);
/* Written and not sealed. */
size_t lanes_unsent(const struct lanes *lanes, enum seal_lane lane);
/* Copies the next `len` <= lanes_ready() bytes into the record and counts them as sent. */
void lanes_take(struct lanes *lanes, enum seal_lane lane, uint8_t *ret, size_t len);
/* The length of the control message that is next, 0: none waits. */
size_t lanes_control_next(const struct lanes *lanes);

/* The other end consumed everything before `consumed`. */
MUST_CHECK int lanes_acked(struct lanes *lanes, enum seal_lane lane, uint64_t consumed);
/* The other end has received everything before sequence[lane] and wants the rest. All lanes are
 * checked before any is changed. */
MUST_CHECK int lanes_rewind(struct lanes *lanes,
	const uint64_t sequence[static SEAL_LANES]);

/* `len` bytes arrived. -REASON_PROTOCOL when the sender overruns its window. */
MUST_CHECK int lanes_arrived(struct lanes *lanes, enum seal_lane lane, size_t len);
void lanes_consumed(struct lanes *lanes, enum seal_lane lane, size_t len);

#endif
