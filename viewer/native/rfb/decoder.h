/* decoder: the viewer's side of the sandboxed child that turns RFB into pixels.
 *
 *   tunnel lanes <-> bridge <-> [RFB socketpair] <-> child: libvncclient <-> shared picture
 *                                viewer <-> decoder (this) <-> [events, commands]
 *
 * Thread: one, that of the viewer's event loop. Nothing blocks. The caller watches decoder_fd() for
 * reading (it never changes) and calls decoder_ready(); timers are inside.
 * Owner: the caller. It outlives all who read decoder_picture(), windows above all.
 * Trust: none in the child. It is killed for the first message out of shape, for falling silent and
 * for hanging; the picture stays readable afterwards.
 *
 * A life: decoder_start() gives one end of a fresh RFB stream for the bridge; `picture`, `damage`…
 * follow. When the stream is over, `ended` says why; the caller makes a new RFB stream at the host
 * and starts again. Keys and clicks are dropped while there is no picture.
 */
#ifndef RFB_DECODER_H
#define RFB_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rfb/picture.h"

struct decoder;

/* Why the child is gone. */
enum decoder_end {
	DECODER_DIED,         /* crashed, was killed, hung, or broke its protocol */
	DECODER_STREAM_ENDED, /* left in order: the stream was closed or not understood */
};

/* All are optional and run inside decoder_ready(). They may call anything but decoder_free(). */
struct decoder_events {
	/* A size, before its first pixels: draw at the next damage. */
	void (*picture)(void *ctx, const struct picture *picture);
	void (*damage)(void *ctx, const struct picture_rect *rects, size_t count);
	void (*cursor)(void *ctx, const struct picture_cursor *cursor);
	/* The bridge's end is dead: a new RFB stream is needed. `reason` is a -REASON_*:
	 * -PEER_LOST, -PROTOCOL, -VERSION …, and -INTERNAL for DECODER_DIED. */
	void (*ended)(void *ctx, enum decoder_end end, int reason);
};

#define DECODER_QUALITY_LOSSLESS (-1)
struct decoder_options {
	const char *
		program; /* NULL: engawa-decoder beside this program or in ../libexec/engawa */
	int quality;           /* JPEG 0..9, or DECODER_QUALITY_LOSSLESS */
	int compression;       /* 0..9 */
	int deaths_per_minute; /* more, and decoder_start() refuses; 0: three */
	int hang_ms; /* silence or standstill for which it is killed; 0: eight seconds */
	struct decoder_events events;
	void *ctx;
};

/* -REASON_MISSING_PROGRAM, -REASON_NO_MEMORY. */
MUST_CHECK int decoder_new(struct decoder **ret, const struct decoder_options *options);
/* *ret_rfb_fd: non-blocking, close-on-exec, the caller's to close; speaks as RFB client. A child
 * that still runs is killed. -REASON_DECODER_FAILED after too many deaths, -REASON_NO_MEMORY. */
MUST_CHECK int decoder_start(struct decoder *decoder, int *ret_rfb_fd);
/* Kills without an event, for a stream that is given up. */
void decoder_stop(struct decoder *decoder);

int decoder_fd(const struct decoder *decoder);
void decoder_ready(struct decoder *decoder);

/* Always readable memory; width 0 until the first size. */
const struct picture *decoder_picture(const struct decoder *decoder);
/* The child's process id, 0 when none runs; for `doctor` and tests. */
int decoder_pid(const struct decoder *decoder);

/* `keysym` is X11's (RFC 6143 section 7.5.4), `down` 0 or 1. */
void decoder_key(struct decoder *decoder, uint32_t keysym, int down);
void decoder_pointer(struct decoder *decoder, uint16_t x, uint16_t y, uint8_t buttons);
/* Accepts NULL, returns NULL. */
struct decoder *decoder_free(struct decoder *decoder);

#endif
