/* rfb_viewer: libvncclient at the other end of a desktop's stream, and a gate that is wide open. */
#ifndef UNIT_RFB_VIEWER_H
#define UNIT_RFB_VIEWER_H

#include <rfb/rfbclient.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

struct rfb_viewer {
	rfbClient *client;
	void *frame;
	char *cut_text;
	int updates, copies;
};

static char rfb_viewer_tag;

static inline struct rfb_viewer *rfb_viewer_of(rfbClient *client)
{
	return rfbClientGetClientData(client, &rfb_viewer_tag);
}

static inline rfbBool rfb_viewer_size(rfbClient *client)
{
	struct rfb_viewer *viewer = rfb_viewer_of(client);
	free(viewer->frame);
	viewer->frame = calloc((size_t)client->width * (size_t)client->height, 4);
	client->frameBuffer = viewer->frame;
	return viewer->frame ? TRUE : FALSE;
}

static inline void rfb_viewer_finished(rfbClient *client)
{
	rfb_viewer_of(client)->updates++;
}

static inline void rfb_viewer_text(rfbClient *client, const char *text, int len)
{
	struct rfb_viewer *viewer = rfb_viewer_of(client);
	free(viewer->cut_text);
	viewer->cut_text = strndup(text, (size_t)len);
}

static inline void rfb_viewer_copied(rfbClient *client, int from_x, int from_y, int w,
	int h, int x, int y)
{
	struct rfb_viewer *viewer = rfb_viewer_of(client);
	uint32_t *pixels = viewer->frame;
	viewer->copies += w * h;
	for (int i = 0; i < h; i++) {
		int row = from_y < y ? h - 1 - i : i;
		memmove(pixels + (y + row) * client->width + x,
			pixels + (from_y + row) * client->width + from_x, (size_t)w * 4);
	}
}

/* The library makes a new mask for each shape and never frees the one before. */
static inline void rfb_viewer_cursor(rfbClient *client, int hot_x, int hot_y, int w,
	int h, int bytes)
{
	(void)hot_x, (void)hot_y, (void)w, (void)h, (void)bytes;
	free(client->rcMask);
	client->rcMask = NULL;
}

/* `quality` -1: lossless. 0: the handshake failed. */
static inline int rfb_viewer_open(struct rfb_viewer *viewer, int fd,
	const char *encodings, int quality)
{
	memset(viewer, 0, sizeof(*viewer));
	rfbEnableClientLogging = FALSE;
	rfbClient *client = viewer->client = rfbGetClient(8, 3, 4);
	rfbClientSetClientData(client, &rfb_viewer_tag, viewer);
	client->sock = fd;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->format.depth = 24;
	client->canHandleNewFBSize = TRUE;
	client->appData.encodingsString = encodings;
	client->appData.enableJPEG = quality >= 0;
	client->appData.qualityLevel = quality >= 0 ? quality : 5;
	client->appData.compressLevel = 2;
	client->appData.useRemoteCursor = TRUE;
	client->MallocFrameBuffer = rfb_viewer_size;
	client->FinishedFrameBufferUpdate = rfb_viewer_finished;
	client->GotCursorShape = rfb_viewer_cursor;
	client->GotXCutText = rfb_viewer_text;
	client->GotCopyRect = rfb_viewer_copied;
	client->readTimeout = 60;
	if (!InitialiseRFBConnection(client))
		return 0;
	client->width = client->si.framebufferWidth;
	client->height = client->si.framebufferHeight;
	client->updateRect.x = client->updateRect.y = 0;
	client->updateRect.w = client->width;
	client->updateRect.h = client->height;
	return rfb_viewer_size(client) && SetFormatAndEncodings(client) &&
	       SendFramebufferUpdateRequest(client, 0, 0, client->width, client->height,
		       FALSE);
}

/* Handles what comes within `ms`. 0: the stream has ended. */
static inline int rfb_viewer_run(struct rfb_viewer *viewer, int ms)
{
	int64_t until = clock_mono_ms() + ms;
	do {
		int64_t left = until - clock_mono_ms();
		/* What the library has already read, select(2) cannot see. */
		int r = viewer->client->buffered
				? 1
				: WaitForMessage(viewer->client,
					  left > 0 ? (unsigned)left * 1000 : 0);
		if (r < 0 || (r > 0 && !HandleRFBServerMessage(viewer->client)))
			return 0;
		if (r == 0)
			return 1;
	} while (clock_mono_ms() < until);
	return 1;
}

static inline void rfb_viewer_close(struct rfb_viewer *viewer)
{
	if (viewer->client) {
		free(viewer->client->rcSource); /* the library forgets these */
		free(viewer->client->rcMask);
		viewer->client->rcSource = viewer->client->rcMask = NULL;
		rfbClientCleanup(viewer->client);
	}
	free(viewer->frame);
	free(viewer->cut_text);
}

#endif
