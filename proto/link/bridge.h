/* bridge: joins the stream of a VNC library to the lanes of a tunnel.
 *
 * Path 03/13: RFB leaves the VNC library; RFB enters it.
 *
 *   host    fd of the RFB server  ──► picture lane, under the gate      input lane ──► fd
 *   viewer  fd of the RFB client  ──► input lane                        picture lane ──► fd
 *
 * A stream can begin anew inside a session (a new local VNC client, a restarted decoder): the
 * viewer's bridge_start() sends RFB_OPEN, the host's program answers `wanted` with a fresh fd by
 * bridge_start(), and bytes of the old stream are thrown away on both sides. A cut and resumed leg
 * is not seen here at all: streams go on, byte for byte.
 *
 * What bridge_start() gets is one end of a non-blocking socketpair(AF_UNIX, SOCK_STREAM); its
 * buffers are made small, since bytes that the library has not read must not count as consumed.
 *
 * Thread: that of the tunnel. Owner: the caller, who forwards the tunnel's events `bytes` (lanes
 * input and picture), `room` and `message` (RFB_*) to it. The bridge borrows the tunnel: it is freed first.
 * bridge_free() may be called in its callbacks.
 */
#ifndef LINK_BRIDGE_H
#define LINK_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"
#include "e2e/seal.h"

struct bridge;
struct event_base;
struct gate;
struct tunnel;

struct bridge_events {
	/* Host: the viewer wants a fresh stream. The old one has been closed. Answer with
	 * bridge_start(), at once or later, or with bridge_stop(). */
	void (*wanted)(void *ctx);
	/* Viewer: the host serves this stream: the first byte of RFB is about to come. */
	void (*opened)(void *ctx);
	/* The stream ended by the library (EOF, error: `reason` LEG_CLOSED) or by the other end
	 * (HOST_ENDED, VIEWER_LEFT). Its fd is closed. The viewer may start the next one. */
	void (*closed)(void *ctx, int reason);
};

MUST_CHECK int bridge_new(struct bridge **ret, struct event_base *base,
	struct tunnel *tunnel, enum seal_side side, const struct bridge_events *events,
	void *ctx);
/* Takes over `fd`, on error too; a stream that still runs is stopped first, without `closed`. Host:
 * only while one is wanted (-REASON_CONFLICT); `gate` follows the credit and is told what was
 * taken (a reference is kept), may be NULL. Viewer: `gate` is NULL; possible at any time after the
 * tunnel was made, cut or not. */
MUST_CHECK int bridge_start(struct bridge *bridge, int fd, struct gate *gate);
/* Ends the stream, or refuses the wanted one; tells the other end; without `closed`. Harmless when
 * there is none. */
void bridge_stop(struct bridge *bridge);
/* Whether it has a stream, whatever the other end makes of it. */
bool bridge_has_stream(const struct bridge *bridge);
bool bridge_running(const struct bridge *bridge);

/* From tunnel_events. */
void bridge_bytes(struct bridge *bridge, enum seal_lane lane, const uint8_t *bytes,
	size_t len);
void bridge_room(struct bridge *bridge, enum seal_lane lane);
/* True: it was one of RFB_*, and is done with. */
bool bridge_message(struct bridge *bridge, const struct inner_message *message);

/* Bytes received from the tunnel that the library has not taken yet. */
size_t bridge_backlog(const struct bridge *bridge);
/* Accepts NULL, returns NULL. */
struct bridge *bridge_free(struct bridge *bridge);

#endif
