/* face: what shows a session to somebody: a window, a PNG file, or a port on loopback for any VNC
 * client. The viewer (viewer.h) drives it and carries its RFB bytes.
 *
 * Thread: main. Owner: main.c makes the face, then the viewer; it frees the viewer first. A face asks for a
 * picture stream by viewer_stream() whenever it wants one; it never sees keys or a network.
 */
#ifndef VIEWER_FACE_H
#define VIEWER_FACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct face;
struct inner_rects;
struct news;
struct tunnel_stats;
struct tunnel_up;
struct viewer;

enum face_line {
	FACE_CONNECTING,   /* nothing to see yet */
	FACE_WAITING,      /* somebody at the office is asked whether it may begin */
	FACE_LIVE,         /* the session runs */
	FACE_RECONNECTING, /* it was cut: the last picture stands still */
};

/* Only `up` and `stream_closed` are needed; the others may be NULL. */
struct face_vtable {
	/* The viewer runs; before anything else. */
	void (*begin)(struct face *, struct viewer *);
	/* The session is up; `up->resumed` says whether streams go on. */
	void (*up)(struct face *, struct viewer *, const struct tunnel_up *up);
	/* `reason`: why it is being reconnected. */
	void (*line)(struct face *, enum face_line, int reason);
	/* The picture stream given to viewer_stream() is over, and its descriptor closed. */
	void (*stream_closed)(struct face *, int reason);
	/* Text that somebody at the office copied. Not terminated. */
	void (*clip)(struct face *, const char *text, size_t len);
	void (*rights)(struct face *, uint16_t rights);
	/* Where the host's monitors lie in the picture; none: it has one. */
	void (*monitors)(struct face *, const struct inner_rects *monitors);
	/* A word of the host for this moment. */
	void (*notice)(struct face *, const char *en, const char *ja);
	/* The operator's notices, as they are from now on. Borrowed. */
	void (*news)(struct face *, const struct news *news);
	/* A one-time code is needed (TOTP_NEEDED) or was wrong (TOTP_WRONG): the person is asked, and viewer_code()
	 * called. NULL: this face cannot ask. */
	void (*code)(struct face *, int reason);
	/* About once a second, for the meter. `gateway` is borrowed. */
	void (*meter)(struct face *, const struct tunnel_stats *stats,
		const char *gateway);
};

/* Every face's struct begins with this. */
struct face {
	const struct face_vtable *vtable;
	uint32_t features; /* INNER_FEATURE_* that it can use */
};

#endif
