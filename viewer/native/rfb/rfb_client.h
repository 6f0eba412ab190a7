/* rfb_client: the decoding thread of the child: RFB becomes pixels.
 *
 * Path 14/15: libvncclient reads the host's stream and paints into the shared picture.
 * Thread: the child's first one, after the sandbox has closed; blocks in the stream. Everything in
 * here may have been taken over by a hostile host and is trusted by nobody. Owner: the child, as long as it lives.
 */
#ifndef RFB_RFB_CLIENT_H
#define RFB_RFB_CLIENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/check.h"
#include "rfb/decoder_ipc.h"

struct rfb_client;
struct rfb_writer;

/* Where events for the viewer go; called from the decoding thread. */
struct rfb_client_out {
	int (*event)(void *ctx, const struct decoder_event *event);
	void *ctx;
};

/* What other threads may look at. */
struct rfb_client_view {
	atomic_uint progress; /* rectangles and messages so far */
};

/* Takes all memory and settings that need the system before the sandbox closes. `pixels` is
 * PICTURE_BYTES long. */
MUST_CHECK int rfb_client_new(struct rfb_client **ret, int fd, uint8_t *pixels,
	struct rfb_writer *writer, const struct rfb_client_out *out);
const struct rfb_client_view *rfb_client_view(const struct rfb_client *client);
/* Opening, then decoding until the stream ends. Never 0: -REASON_PEER_LOST when the host closed,
 * -REASON_PROTOCOL when it sent what nobody understands. */
MUST_CHECK int rfb_client_run(struct rfb_client *client, int quality, int compression);

#endif
