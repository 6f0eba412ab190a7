/* rfb_server_inside: what the files of the server share: rfb_server.c has its life and what the viewer
 * says, rfb_picture.c what it is shown.
 *
 * Thread: that of the desktop.
 */
#ifndef RFB_RFB_SERVER_INSIDE_H
#define RFB_RFB_SERVER_INSIDE_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "rfb/cells.h"
#include "rfb/copies.h"
#include "rfb/rfb_server.h"

#define RFB_SERVER_NAME 120
#define RFB_SERVER_MONITORS 16

struct rfb_server {
	struct rfb_server_handlers handlers;
	rfbScreenInfoPtr screen;
	rfbClientPtr client; /* NULL: no stream */
	uint32_t *picture;   /* what the viewer has or is about to get */
	char name[RFB_SERVER_NAME + 1];
	struct tiles_rect monitors[RFB_SERVER_MONITORS];
	size_t monitor_count;

	struct copies *copies;
	struct cells *cells;
	sraRegionPtr lossy;
	int64_t changed_us;
	int asked; /* the viewer wants pictures, from now on without asking again */
	int told;  /* it has been told where the screens are */
	int wish;  /* its JPEG quality */
	int wish_compress;
	int pointer_x, pointer_y; /* where the viewer has put the pointer */
};

/* Whether the stream is still there after the library has used it; else it is put away. */
int rfb_server_alive(struct rfb_server *server);

#endif
