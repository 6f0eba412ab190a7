/* rfb_server: one viewer's RFB stream, over libvncserver (which knows it as its only client).
 *
 * Path 02/15: pixels become RFB.
 * Thread: the desktop thread. The library's writes may wait for the reader of the stream: the other
 *         end has to be read by another thread. No port is ever opened; no WebSocket, HTTP, file
 *         transfer, text chat or scaling of the library is reachable.
 * Errors: -REASON_NO_MEMORY; -REASON_LEG_CLOSED, -REASON_PROTOCOL when the stream has ended.
 */
#ifndef RFB_RFB_SERVER_H
#define RFB_RFB_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rfb/tiles.h"

struct rfb_server;

/* What the viewer does. Called from rfb_server_read(). */
struct rfb_server_handlers {
	void (*key)(void *ctx, uint32_t keysym, int down);
	void (*pointer)(void *ctx, int x, int y, uint32_t buttons);
	void (*cut_text)(void *ctx, const char *utf8,
		size_t len); /* valid UTF-8, \n lines */
	void *ctx;
};

/* `name` is UTF-8; `handlers` is copied. */
MUST_CHECK int rfb_server_new(int width, int height, const char *name,
	const struct rfb_server_handlers *handlers, struct rfb_server **ret);
struct rfb_server *rfb_server_free(struct rfb_server *server);

/* Serves the stream `fd`, which it owns from now on, also on error. */
MUST_CHECK int rfb_server_open(struct rfb_server *server, int fd);
/* Ends the stream, if there is one. */
void rfb_server_close(struct rfb_server *server);
/* -1: no stream. */
int rfb_server_fd(const struct rfb_server *server);

enum rfb_server_read {
	RFB_SERVER_DONE,    /* all whole messages have been handled */
	RFB_SERVER_PARTIAL, /* the start of a message waits for its rest */
};
/* Handles what the viewer has sent. enum rfb_server_read or an error: the stream is closed then. */
MUST_CHECK int rfb_server_read(struct rfb_server *server);

/* ---- what is shown ---- */

/* A new, black screen. A viewer that does not understand new sizes is closed. */
MUST_CHECK int rfb_server_resize(struct rfb_server *server, int width, int height,
	const struct tiles_rect *monitors, size_t count);
enum rfb_server_weight {
	RFB_SERVER_NORMAL,
	RFB_SERVER_ECHO /* of what somebody typed */
};
/* `fresh` is what the rectangle looks like now. Returns how many pixels are different. */
int64_t rfb_server_update(struct rfb_server *server, const struct tiles_rect *rect,
	const uint32_t *fresh, int stride, int64_t now_us, enum rfb_server_weight weight);
/* Straight alpha, at most 64 x 64; `width` 0: no shape. */
void rfb_server_cursor(struct rfb_server *server, int width, int height, int hot_x,
	int hot_y, const uint32_t *argb);
void rfb_server_pointer_at(struct rfb_server *server, int x, int y);
/* The clipboard of the office, UTF-8, by cut text. */
void rfb_server_cut_text(struct rfb_server *server, const char *utf8, size_t len);

/* ---- what is sent ---- */

struct rfb_server_state {
	int ready;            /* the viewer has asked for pictures */
	int64_t dirty, lossy; /* pixels */
	int64_t changed_us;   /* last change of the picture */
	int wish; /* JPEG quality 0..9 that the viewer offers, -1: lossless only */
};
struct rfb_server_state rfb_server_state(struct rfb_server *server);

struct rfb_server_sent {
	int64_t pixels, bytes; /* of each kind: [0] without loss, [1] with */
};

/* Encodes about `pixels` of what is dirty, copies and pointer shape included. `quality` -1: without
 * loss. -REASON_LEG_CLOSED. */
MUST_CHECK int rfb_server_send(struct rfb_server *server, int64_t pixels, int quality,
	int64_t now_us, struct rfb_server_sent ret[static 2]);
/* Encodes about `pixels` of what the viewer has only with loss and has not changed since `rested_us`. */
MUST_CHECK int rfb_server_mend(struct rfb_server *server, int64_t pixels,
	int64_t rested_us, int64_t now_us, struct rfb_server_sent ret[static 2]);

#endif
