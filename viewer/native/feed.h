/* feed: keeps a decoder child fed with a picture stream of the session: the first one, and a fresh one whenever
 * the stream or the child ends while the session is up.
 *
 * Thread: main. Owner: a face; freed after the window that reads its picture.
 * Errors: -REASON_NO_MEMORY, -REASON_MISSING_PROGRAM.
 */
#ifndef VIEWER_FEED_H
#define VIEWER_FEED_H

#include "base/check.h"
#include "rfb/decoder.h"

struct feed;
struct tunnel_up;
struct viewer;

struct feed_config {
	int quality; /* as decoder_options */
	int compression;
	struct decoder_events events; /* `ended` has to call feed_ended() */
	void *ctx;
};

MUST_CHECK int feed_new(struct feed **ret, const struct feed_config *config);
/* From face_vtable. */
void feed_up(struct feed *feed, struct viewer *viewer, const struct tunnel_up *up);
void feed_stream_closed(struct feed *feed, int reason);
/* From decoder_events. */
void feed_ended(struct feed *feed, enum decoder_end end, int reason);
/* For keys, clicks and the picture. */
struct decoder *feed_decoder(struct feed *feed);
struct feed *feed_free(struct feed *feed);

#endif
