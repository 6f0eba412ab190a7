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
/* Straight alpha, at most 64 x 64; `width` 0: no shape. */
void rfb_server_cursor(struct rfb_server *server, int width, int height, int hot_x,
	int hot_y, const uint32_t *argb);
void rfb_server_pointer_at(struct rfb_server *server, int x, int y);
/* The clipboard of the office, UTF-8, by cut text. */
void rfb_server_cut_text(struct rfb_server *server, const char *utf8, size_t len);

#endif
