/* Path 14/15: RFB becomes pixels. */
#include "rfb/rfb_client.h"

#include <errno.h>
#include <rfb/rfbclient.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/reason.h"
#include "rfb/rfb_hello.h"
#include "rfb/rfb_writer.h"

struct rfb_client {
	rfbClient *vnc;
	struct rfb_writer *writer;
	struct rfb_client_out out;
	struct rfb_client_view view;
	uint8_t *pixels;
	struct decoder_event damage; /* of the update that is being read */
	int requested;               /* the next update has been asked for */
	int whole;                   /* the next request is for everything */
	int failed;                  /* -REASON_* of a callback */
};

/* libvncclient's log goes to stderr with a date, for which it opens files. */
static void mute(const char *format, ...)
{
	(void)format;
}

static struct rfb_client *self(rfbClient *vnc)
{
	return rfbClientGetClientData(vnc, mute);
}

static void tell(struct rfb_client *client, const struct decoder_event *event)
{
	int r = client->out.event(client->out.ctx, event);

	if (r)
		client->failed = r;
}

static void request(struct rfb_client *client)
{
	int r = rfb_writer_request(client->writer, !client->whole,
		(uint16_t)client->vnc->width, (uint16_t)client->vnc->height);

	client->requested = 1;
	client->whole = 0;
	if (r)
		client->failed = r;
}

/* The picture has a fixed place of the largest size, so a resize is only new numbers. */
static rfbBool on_size(rfbClient *vnc)
{
	struct rfb_client *client = self(vnc);

	if (vnc->width < 0 || vnc->height < 0 ||
		!picture_fits((uint32_t)vnc->width, (uint32_t)vnc->height))
		return FALSE;
	vnc->frameBuffer = client->pixels;
	client->whole = 1;
	client->requested = 0;
	client->damage.rect_count = 0;
	const struct decoder_event event = {.type = DECODER_EVENT_SIZE,
		.width = (uint16_t)vnc->width,
		.height = (uint16_t)vnc->height};
	tell(client, &event);
	return client->failed ? FALSE : TRUE;
}

/* Called before the pixels of a rectangle are read: asking now instead of after the last one
 * saves a round trip with hosts that only answer requests. */
static void on_rect_begins(rfbClient *vnc, int x, int y, int w, int h)
{
	struct rfb_client *client = self(vnc);

	(void)x, (void)y, (void)w, (void)h;
	if (!client->requested)
		request(client);
}

static void join(struct picture_rect *all, const struct picture_rect *rect)
{
	int right = all->x + all->w, bottom = all->y + all->h;

	right = right > rect->x + rect->w ? right : rect->x + rect->w;
	bottom = bottom > rect->y + rect->h ? bottom : rect->y + rect->h;
	all->x = all->x < rect->x ? all->x : rect->x;
	all->y = all->y < rect->y ? all->y : rect->y;
	all->w = (uint16_t)(right - all->x);
	all->h = (uint16_t)(bottom - all->y);
}

static void on_rect(rfbClient *vnc, int x, int y, int w, int h)
{
	struct rfb_client *client = self(vnc);
	struct decoder_event *damage = &client->damage;
	const struct picture_rect rect = {
		(uint16_t)x, (uint16_t)y, (uint16_t)w, (uint16_t)h};

	client->view.progress++;
	if (damage->rect_count < DECODER_IPC_RECTS_MAX)
		damage->rects[damage->rect_count++] = rect;
	else
		join(&damage->rects[DECODER_IPC_RECTS_MAX - 1], &rect);
}

static void on_update_done(rfbClient *vnc)
{
	struct rfb_client *client = self(vnc);

	if (client->damage.rect_count)
		tell(client, &client->damage);
	client->damage.rect_count = 0;
	if (!client->requested)
		request(client);
	client->requested = 0;
}

static void on_cursor(rfbClient *vnc, int hot_x, int hot_y, int width, int height,
	int bytes)
{
	struct rfb_client *client = self(vnc);
	size_t count = (size_t)width * (size_t)height;
	uint8_t *pixels = NULL;

	if (bytes != 4 || width > PICTURE_CURSOR_MAX || height > PICTURE_CURSOR_MAX ||
		hot_x >= width || hot_y >= height)
		goto out;
	pixels = malloc(count * 4);
	if (!pixels)
		goto out;
	for (size_t i = 0; i < count; i++) {
		pixels[4 * i] = vnc->rcMask[i] ? 0xFF : 0;
		pixels[4 * i + 1] = vnc->rcSource[4 * i + 2];
		pixels[4 * i + 2] = vnc->rcSource[4 * i + 1];
		pixels[4 * i + 3] = vnc->rcSource[4 * i];
	}
	const struct decoder_event event = {.type = DECODER_EVENT_CURSOR,
		.width = (uint16_t)width,
		.height = (uint16_t)height,
		.hot_x = (uint16_t)hot_x,
		.hot_y = (uint16_t)hot_y,
		.bytes = pixels,
		.len = count * 4};
	tell(client, &event);
out:
	free(pixels);
	/* 0.9.14 makes a new mask for every shape and forgets the old one. */
	free(vnc->rcMask);
	vnc->rcMask = NULL;
}

int rfb_client_new(struct rfb_client **ret, int fd, uint8_t *pixels,
	struct rfb_writer *writer, const struct rfb_client_out *out)
{
	struct rfb_client *client = calloc(1, sizeof *client);
	rfbClient *vnc = rfbGetClient(8, 3, 4);

	if (!client || !vnc) {
		free(client);
		free(vnc);
		return -REASON_NO_MEMORY;
	}
	rfbEnableClientLogging = FALSE;
	rfbClientLog = rfbClientErr = mute;
	rfbClientSetClientData(vnc, mute, client);
	vnc->sock = fd;
	/* As rfb_writer_format() asks for it. What the library would send by itself it does not
	 * send at all, because no message is marked as supported: the writer alone writes. */
	vnc->format.redShift = 16;
	vnc->format.greenShift = 8;
	vnc->format.blueShift = 0;
	vnc->MallocFrameBuffer = on_size;
	vnc->SoftCursorLockArea = on_rect_begins;
	vnc->GotFrameBufferUpdate = on_rect;
	vnc->FinishedFrameBufferUpdate = on_update_done;
	vnc->GotCursorShape = on_cursor;
	client->vnc = vnc;
	client->writer = writer;
	client->out = *out;
	client->pixels = pixels;
	client->damage.type = DECODER_EVENT_DAMAGE;
	*ret = client;
	return 0;
}

const struct rfb_client_view *rfb_client_view(const struct rfb_client *client)
{
	return &client->view;
}

static int open_stream(struct rfb_client *client, int quality, int compression)
{
	rfbClient *vnc = client->vnc;
	struct rfb_hello hello;
	int r = rfb_hello((int)vnc->sock, &hello);

	if (r)
		return r;
	vnc->width = hello.width;
	vnc->height = hello.height;
	if (!vnc->MallocFrameBuffer(vnc))
		return -REASON_PROTOCOL;
	r = rfb_writer_format(client->writer);
	r = r ? r : rfb_writer_encodings(client->writer, quality, compression);
	if (r)
		return r;
	request(client);
	client->requested = 0;
	return client->failed;
}

/* libvncclient says only that it failed: a stream that is at its end was closed, one that still
 * has bytes or is open was not understood. */
static int why_ended(struct rfb_client *client)
{
	char byte;
	ssize_t n = recv((int)client->vnc->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET) ? -REASON_PEER_LOST
							: -REASON_PROTOCOL;
}

int rfb_client_run(struct rfb_client *client, int quality, int compression)
{
	int r = open_stream(client, quality, compression);

	while (!r) {
		client->view.progress++;
		if (!HandleRFBServerMessage(client->vnc))
			r = why_ended(client);
		if (client->failed)
			r = client->failed;
	}
	return r;
}
