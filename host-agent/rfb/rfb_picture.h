/* rfb_picture: what the viewer of a server is shown: changes come in, copies and pixels go out, as many as
 * the pacer says, the most urgent ones first.
 *
 * Thread: that of the desktop.
 */
#ifndef RFB_RFB_PICTURE_H
#define RFB_RFB_PICTURE_H

#include <stdint.h>

#include "base/check.h"
#include "rfb/rfb_server.h"
#include "rfb/tiles.h"

enum rfb_picture_weight {
	RFB_PICTURE_NORMAL,
	RFB_PICTURE_ECHO /* of what somebody typed */
};
/* `fresh` is what the rectangle looks like now. Returns how many pixels are different. */
int64_t rfb_picture_update(struct rfb_server *server, const struct tiles_rect *rect,
	const uint32_t *fresh, int stride, int64_t now_us,
	enum rfb_picture_weight weight);

struct rfb_picture_state {
	int ready;            /* the viewer has asked for pictures */
	int64_t dirty, lossy; /* pixels */
	int64_t changed_us;   /* last change of the picture */
	int wish; /* JPEG quality 0..9 that the viewer offers, -1: lossless only */
};
struct rfb_picture_state rfb_picture_state(struct rfb_server *server);

struct rfb_picture_sent {
	int64_t pixels, bytes; /* of each kind: [0] without loss, [1] with */
};

/* Encodes about `pixels` of what is dirty, copies and pointer shape included. `quality` -1: without
 * loss. -REASON_LEG_CLOSED. */
MUST_CHECK int rfb_picture_send(struct rfb_server *server, int64_t pixels, int quality,
	int64_t now_us, struct rfb_picture_sent ret[static 2]);
/* Encodes about `pixels` of what the viewer has only with loss and has not changed since `rested_us`. */
MUST_CHECK int rfb_picture_mend(struct rfb_server *server, int64_t pixels,
	int64_t rested_us, int64_t now_us, struct rfb_picture_sent ret[static 2]);

#endif
