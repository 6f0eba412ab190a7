/* Path 02/15: pixels become RFB. */
#include "rfb/rfb_server.h"

#include <errno.h>
#include <fcntl.h>
#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "rfb/cells.h"
#include "rfb/copies.h"
#include "rfb/rfb_message.h"
#include "rfb/rfb_shape.h"
#include "screen/latin1.h"

/* The library gives up on a stream that takes or brings nothing for so long in the middle of a
 * message: more than the grace time of a tunnel that looks for another way. */
#define PEER_WAIT_MS 120000
#define NAME_MAX_BYTES 120
#define CUT_TEXT_AT_ONCE (64 * 1024)
#define MESSAGES_AT_ONCE 64
#define ONE_MORE (1 + RFB_SERVER_PARTIAL)
#define COPY_PIXELS_LEAST 4096
#define FEW_COLOURS 96
#define MONITORS_MAX 16

struct rfb_server {
	struct rfb_server_handlers handlers;
	rfbScreenInfoPtr screen;
	rfbClientPtr client; /* NULL: no stream */
	uint32_t *picture;   /* what the viewer has or is about to get */
	char name[NAME_MAX_BYTES + 1];
	struct tiles_rect monitors[MONITORS_MAX];
	size_t monitor_count;

	struct copies *copies;
	struct cells *cells;
	sraRegionPtr lossy;
	int64_t changed_us;
	int asked; /* the viewer wants pictures, from now on without asking again */
	int wish;  /* its JPEG quality */
	int wish_compress;
	int pointer_x, pointer_y; /* where the viewer has put the pointer */
};

/* One update in the making. */
struct change {
	struct rfb_server *server;
	sraRegionPtr region;
	const uint32_t *fresh;
	int stride, x, y; /* of the fresh rectangle */
	int64_t now_us;
	enum cells_weight weight;
};

static void silent(const char *format, ...)
{
	(void)format;
}

static struct rfb_server *of(rfbClientPtr client)
{
	return client->screen->screenData;
}

/* ---- from the viewer ---- */

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
	struct rfb_server *server = of(client);
	server->handlers.key(server->handlers.ctx, keysym, down ? 1 : 0);
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	struct rfb_server *server = of(client);
	rfbScreenInfoPtr screen = server->screen;
	x = x < 0 ? 0 : x >= screen->width ? screen->width - 1 : x;
	y = y < 0 ? 0 : y >= screen->height ? screen->height - 1 : y;
	server->pointer_x = screen->cursorX = x;
	server->pointer_y = screen->cursorY = y;
	server->handlers.pointer(server->handlers.ctx, x, y, (uint32_t)buttons);
}

static void on_latin1(char *text, int len, rfbClientPtr client)
{
	struct rfb_server *server = of(client);
	size_t utf8_len;
	char *utf8 = latin1_to_utf8(text, (size_t)len, &utf8_len);
	if (utf8)
		server->handlers.cut_text(server->handlers.ctx, utf8, utf8_len);
	free(utf8);
}

/* The extended clipboard sends CR LF and counts a NUL at the end. */
static void on_utf8(char *text, int len, rfbClientPtr client)
{
	struct rfb_server *server = of(client);
	size_t kept = 0, count = strnlen(text, (size_t)len);
	for (size_t i = 0; i < count; i++)
		if (text[i] != '\r' || i + 1 == count || text[i + 1] != '\n')
			text[kept++] = text[i];
	if (text_utf8_valid(text, kept))
		server->handlers.cut_text(server->handlers.ctx, text, kept);
}

static void on_request(rfbClientPtr client, rfbFramebufferUpdateRequestMsg *message)
{
	(void)message;
	of(client)->asked = 1;
}

static int on_monitor_count(rfbClientPtr client)
{
	return (int)of(client)->monitor_count;
}

static rfbBool on_monitor(int index, rfbExtDesktopScreen *ret, rfbClientPtr client)
{
	const struct rfb_server *server = of(client);
	if (index < 0 || (size_t)index >= server->monitor_count)
		return FALSE;
	const struct tiles_rect *rect = &server->monitors[index];
	*ret = (rfbExtDesktopScreen){.id = (uint32_t)index + 1,
		.x = (uint16_t)rect->x,
		.y = (uint16_t)rect->y,
		.width = (uint16_t)rect->w,
		.height = (uint16_t)rect->h};
	return TRUE;
}

/* ---- life of the server ---- */

/* 0x00RRGGBB, which the library does not know as a preset. */
static void set_format(rfbScreenInfoPtr screen)
{
	screen->depth = 24;
	screen->serverFormat.depth = 24;
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
}

static rfbScreenInfoPtr make_screen(struct rfb_server *server, int width, int height)
{
	/* A server without rfbInitServer(): nothing listens, nothing is taken from systemd. */
	rfbScreenInfoPtr screen = rfbGetScreen(NULL, NULL, width, height, 8, 3, 4);
	if (!screen)
		return NULL;
	screen->port = screen->ipv6port = -1;
	screen->httpDir = NULL;
	screen->permitFileTransfer = FALSE;
	screen->alwaysShared = TRUE;
	screen->deferUpdateTime = 0;
	screen->deferPtrUpdateTime = 0;
	screen->maxRectsPerUpdate = 0;
	screen->maxClientWait = PEER_WAIT_MS;
	screen->desktopName = server->name;
	screen->screenData = server;
	screen->kbdAddEvent = on_key;
	screen->ptrAddEvent = on_pointer;
	screen->setXCutText = on_latin1;
	screen->setXCutTextUTF8 = on_utf8;
	screen->numberOfExtDesktopScreensHook = on_monitor_count;
	screen->getExtDesktopScreenHook = on_monitor;
	set_format(screen);
	return screen;
}

/* Picture and cells for a new size; on error the old ones stand. */
static int make_picture(struct rfb_server *server, int width, int height)
{
	struct cells *cells;
	int r = cells_new(width, height, &cells);
	if (r < 0)
		return r;
	uint32_t *picture = calloc((size_t)width * (size_t)height, sizeof(*picture));
	if (!picture) {
		cells_free(cells);
		return -REASON_NO_MEMORY;
	}
	free(server->picture);
	cells_free(server->cells);
	server->picture = picture;
	server->cells = cells;
	return 0;
}

int rfb_server_new(int width, int height, const char *name,
	const struct rfb_server_handlers *handlers, struct rfb_server **ret)
{
	struct rfb_server *server = calloc(1, sizeof(*server));
	if (!server)
		return -REASON_NO_MEMORY;
	rfbLog = rfbErr = silent; /* it prints what viewers send */
	server->handlers = *handlers;
	text_clip(server->name, sizeof(server->name), name);
	server->lossy = sraRgnCreate();
	int r = make_picture(server, width, height);
	if (r == 0)
		r = copies_new(&server->copies);
	if (r == 0 && !(server->screen = make_screen(server, width, height)))
		r = -REASON_NO_MEMORY;
	if (r < 0) {
		rfb_server_free(server);
		return r;
	}
	server->screen->frameBuffer = (char *)server->picture;
	*ret = server;
	return 0;
}

struct rfb_server *rfb_server_free(struct rfb_server *server)
{
	if (!server)
		return NULL;
	rfb_server_close(server);
	if (server->screen) {
		rfbFreeCursor(server->screen->cursor);
		server->screen->cursor = NULL;
		server->screen->frameBuffer = NULL;
		rfbScreenCleanup(server->screen);
	}
	sraRgnDestroy(server->lossy);
	copies_free(server->copies);
	cells_free(server->cells);
	free(server->picture);
	free(server);
	return NULL;
}

/* ---- life of a stream ---- */

void rfb_server_close(struct rfb_server *server)
{
	rfbClientPtr client = server->client;
	if (!client)
		return;
	server->client = NULL;
	if (client->sock >= 0)
		rfbCloseClient(client);
	rfbClientConnectionGone(client);
}

static int alive(struct rfb_server *server)
{
	if (server->client && server->client->sock >= 0)
		return 1;
	rfb_server_close(server);
	return 0;
}

/* rfbNewClient() first listens 100 ms for a WebSocket handshake and would speak it. It gets a decoy
 * that says "RFB" at once; the real stream takes its place under the same descriptor number. */
static rfbClientPtr accept_quietly(rfbScreenInfoPtr screen, int fd)
{
	static const char version[] = "RFB 003.008\n";
	const size_t len = sizeof(version) - 1;
	int decoy[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, decoy) < 0)
		return NULL;
	rfbClientPtr client = NULL;
	if (write(decoy[1], version, len) == (ssize_t)len)
		client = rfbNewClient(screen, decoy[0]);
	else
		close(decoy[0]);
	/* What the library has said so far is its version; say it where it is heard. */
	if (client && (dup3(fd, decoy[0], O_CLOEXEC) < 0 ||
			      write(fd, version, len) != (ssize_t)len)) {
		rfbCloseClient(client);
		rfbClientConnectionGone(client);
		client = NULL;
	}
	close(decoy[1]);
	return client;
}

int rfb_server_open(struct rfb_server *server, int fd)
{
	rfb_server_close(server);
	rfbSetNonBlocking(fd);
	server->client = accept_quietly(server->screen, fd);
	close(fd);
	if (!server->client)
		return -REASON_NO_MEMORY;
	server->client->clientFramebufferUpdateRequestHook = on_request;
	server->asked = 0;
	server->wish = -1;
	server->wish_compress = 1;
	sraRgnMakeEmpty(server->lossy);
	return 0;
}

int rfb_server_fd(const struct rfb_server *server)
{
	return server->client ? server->client->sock : -1;
}

/* ---- messages ---- */

static int64_t expected_size(const rfbClientRec *client, const uint8_t *head, size_t len)
{
	switch (client->state) {
	case RFB_PROTOCOL_VERSION:
		return sz_rfbProtocolVersionMsg;
	case RFB_SECURITY_TYPE:
	case RFB_INITIALISATION:
	case RFB_INITIALISATION_SHARED:
		return 1;
	case RFB_NORMAL:
		return rfb_message_size(head, len);
	default:
		return RFB_MESSAGE_ODD;
	}
}

/* What the viewer wishes is kept aside: the fields themselves follow the line. */
static void note_wishes(struct rfb_server *server)
{
	static const int levels[] = {15, 29, 41, 42, 62, 77, 79, 86, 92, 100};
	const rfbClientRec *client = server->client;
	server->wish = -1;
	server->wish_compress = client->tightCompressLevel;
	if (client->preferredEncoding != rfbEncodingTight)
		return;
	for (int i = 0; i < 10 && client->turboQualityLevel >= levels[i]; i++)
		server->wish = i;
}

/* One whole message, so that the library never waits for a rest that does not come: it would wait with
 * the whole desktop. Only large cut texts are let in before they are complete. */
static int read_message(struct rfb_server *server)
{
	rfbClientPtr client = server->client;
	uint8_t head[RFB_MESSAGE_HEAD];
	int waiting = 0;
	ssize_t len = recv(client->sock, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	if (len == 0)
		return -REASON_LEG_CLOSED;
	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? RFB_SERVER_DONE
							 : -REASON_LEG_CLOSED;
	int64_t size = expected_size(client, head, (size_t)len);
	if (size == RFB_MESSAGE_ODD)
		return -REASON_PROTOCOL;
	ioctl(client->sock, FIONREAD, &waiting);
	if (size == RFB_MESSAGE_TOO_LITTLE || (waiting < size && size < CUT_TEXT_AT_ONCE))
		return RFB_SERVER_PARTIAL;
	int normal = client->state == RFB_NORMAL;
	rfbProcessClientMessage(client);
	if (!alive(server))
		return -REASON_PROTOCOL;
	if (normal && head[0] == rfbSetEncodings)
		note_wishes(server);
	return waiting > size ? ONE_MORE : RFB_SERVER_DONE;
}

int rfb_server_read(struct rfb_server *server)
{
	int r = ONE_MORE;
	/* A viewer that never stops talking must not stop the picture. */
	for (int i = 0; i < MESSAGES_AT_ONCE && r == ONE_MORE; i++)
		r = server->client ? read_message(server) : -REASON_LEG_CLOSED;
	if (r < 0)
		rfb_server_close(server);
	return r == ONE_MORE ? RFB_SERVER_DONE : r;
}

/* ---- what is shown ---- */

int rfb_server_resize(struct rfb_server *server, int width, int height,
	const struct tiles_rect *monitors, size_t count)
{
	uint32_t *old = server->picture;
	server->monitor_count = count < MONITORS_MAX ? count : MONITORS_MAX;
	memcpy(server->monitors, monitors, server->monitor_count * sizeof(*monitors));
	server->picture = NULL;
	int r = make_picture(server, width, height);
	if (r < 0) {
		server->picture = old;
		return r;
	}
	rfbNewFramebuffer(server->screen, (char *)server->picture, width, height, 8, 3,
		4);
	free(old);
	set_format(server->screen);
	sraRgnMakeEmpty(server->lossy);
	if (!server->client)
		return 0;
	server->screen->setTranslateFunction(server->client);
	sraRgnMakeEmpty(server->client->requestedRegion);
	/* To a viewer with the old size, pixels outside of it would be a breach. */
	if (!server->client->useNewFBSize && server->client->state == RFB_NORMAL)
		rfb_server_close(server);
	return 0;
}

static sraRegionPtr region_of(const struct tiles_rect *rect)
{
	return sraRgnCreateRect(rect->x, rect->y, rect->x + rect->w, rect->y + rect->h);
}

static void region_or(sraRegionPtr region, const struct tiles_rect *rect)
{
	sraRegionPtr one = region_of(rect);
	sraRgnOr(region, one);
	sraRgnDestroy(one);
}

static void collect(void *ctx, const struct tiles_rect *rect)
{
	region_or(ctx, rect);
}

/* What is wrong at the source of a copy is wrong at its destination afterwards; what was wrong at
 * the destination is right. */
static void carry_along(sraRegionPtr wrong, sraRegionPtr destination, int dx, int dy)
{
	sraRegionPtr moved = sraRgnCreateRgn(wrong);
	sraRgnOffset(moved, dx, dy);
	sraRgnAnd(moved, destination);
	sraRgnSubtract(wrong, destination);
	sraRgnOr(wrong, moved);
	sraRgnDestroy(moved);
}

static void request_all(struct rfb_server *server)
{
	const struct tiles_rect all = {
		0, 0, server->screen->width, server->screen->height};
	region_or(server->client->requestedRegion, &all);
}

/* Copies are made one after the other, as the viewer will make them. */
static void send_pending_copy(struct rfb_server *server)
{
	if (sraRgnEmpty(server->client->copyRegion))
		return;
	sraRegionPtr nothing = sraRgnCreate();
	request_all(server);
	rfbSendFramebufferUpdate(server->client, nothing);
	sraRgnDestroy(nothing);
}

/* Returns the destination of a copy that the viewer has been told to make, or an empty region. */
static sraRegionPtr find_copy(struct rfb_server *server, const struct tiles_rect *rect,
	const uint32_t *fresh, int stride)
{
	sraRegionPtr destination = sraRgnCreate();
	struct copies_vector v;
	rfbClientPtr client = server->client;
	/* Where the library draws the pointer into the picture, a copy would drag it along. */
	if (!client || !client->useCopyRect || !client->enableCursorShapeUpdates ||
		!server->asked)
		return destination;
	if (copies_find(server->copies, server->picture, server->screen->width, fresh,
		    stride, rect, &v, collect, destination) < COPY_PIXELS_LEAST) {
		sraRgnMakeEmpty(destination);
		return destination;
	}
	send_pending_copy(server);
	carry_along(client->modifiedRegion, destination, v.dx, v.dy);
	carry_along(server->lossy, destination, v.dx, v.dy);
	sraRgnOr(client->copyRegion, destination);
	client->copyDX = v.dx;
	client->copyDY = v.dy;
	return destination;
}

static void on_changed(void *ctx, const struct tiles_rect *rect)
{
	struct change *change = ctx;
	struct rfb_server *server = change->server;
	const uint32_t *from = change->fresh +
			       (int64_t)(rect->y - change->y) * change->stride +
			       (rect->x - change->x);
	tiles_copy(server->picture, server->screen->width, from, change->stride, rect);
	cells_touch(server->cells, rect, change->now_us, change->weight);
	region_or(change->region, rect);
}

int64_t rfb_server_update(struct rfb_server *server, const struct tiles_rect *rect,
	const uint32_t *fresh, int stride, int64_t now_us, enum rfb_server_weight weight)
{
	struct change change = {server, sraRgnCreate(), fresh, stride, rect->x, rect->y,
		now_us, weight == RFB_SERVER_ECHO ? CELLS_URGENT : CELLS_NORMAL};
	sraRegionPtr copied = find_copy(server, rect, fresh, stride);
	int64_t pixels = tiles_compare(server->picture, server->screen->width, fresh,
		stride, rect, on_changed, &change);
	if (pixels)
		server->changed_us = now_us;
	if (server->client) {
		sraRgnSubtract(change.region, copied);
		sraRgnOr(server->client->modifiedRegion, change.region);
		sraRgnSubtract(server->lossy, change.region);
	}
	sraRgnDestroy(copied);
	sraRgnDestroy(change.region);
	return pixels;
}

void rfb_server_cursor(struct rfb_server *server, int width, int height, int hot_x,
	int hot_y, const uint32_t *argb)
{
	rfbCursorPtr cursor = rfb_shape_make(width, height, hot_x, hot_y, argb);
	if (cursor)
		rfbSetCursor(server->screen, cursor);
}

void rfb_server_pointer_at(struct rfb_server *server, int x, int y)
{
	if (server->screen->cursorX == x && server->screen->cursorY == y)
		return;
	server->screen->cursorX = x;
	server->screen->cursorY = y;
	/* The viewer need not be told where it has put the pointer itself. */
	if (server->client && (x != server->pointer_x || y != server->pointer_y))
		server->client->cursorWasMoved = TRUE;
}

static char *with_crlf(const char *text, size_t len, size_t *ret_len)
{
	char *out = malloc(2 * len + 1);
	size_t used = 0;
	for (size_t i = 0; out && i < len; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			out[used++] = '\r';
		out[used++] = text[i];
	}
	*ret_len = used;
	return out;
}

void rfb_server_cut_text(struct rfb_server *server, const char *utf8, size_t len)
{
	size_t out_len;
	if (!server->client || server->client->state != RFB_NORMAL ||
		len > RFB_MESSAGE_CUT_TEXT_MAX)
		return;
	int extended = server->client->enableExtendedClipboard;
	char *out = extended ? with_crlf(utf8, len, &out_len)
			     : latin1_from_utf8(utf8, len, &out_len);
	/* Never the library's own fallback: it announces the length of the other text. */
	if (out && extended)
		rfbSendServerCutTextUTF8(server->screen, out, (int)out_len, NULL, 0);
	else if (out)
		rfbSendServerCutText(server->screen, out, (int)out_len);
	free(out);
	alive(server);
}

/* ---- what is sent ---- */

static int64_t area(sraRegionPtr region)
{
	sraRect rect;
	int64_t pixels = 0;
	sraRectangleIterator *each = sraRgnGetIterator(region);
	while (sraRgnIteratorNext(each, &rect))
		pixels += (int64_t)(rect.x2 - rect.x1) * (rect.y2 - rect.y1);
	sraRgnReleaseIterator(each);
	return pixels;
}

/* Something besides pixels: a shape, a size, the place of the pointer. */
static int notes_wait(const rfbClientRec *client)
{
	int moved = client->cursorX != client->screen->cursorX ||
		    client->cursorY != client->screen->cursorY;
	return (client->enableCursorShapeUpdates && client->cursorWasChanged) ||
	       (!client->enableCursorShapeUpdates && moved) ||
	       (client->useNewFBSize && client->newFBSizePending) ||
	       (client->enableCursorPosUpdates && client->cursorWasMoved) ||
	       !sraRgnEmpty(client->copyRegion);
}

struct rfb_server_state rfb_server_state(struct rfb_server *server)
{
	struct rfb_server_state state = {.changed_us = server->changed_us, .wish = -1};
	rfbClientPtr client = server->client;
	if (!client || client->state != RFB_NORMAL || !server->asked)
		return state;
	state.ready = 1;
	state.wish = server->wish;
	state.dirty = area(client->modifiedRegion);
	state.lossy = area(server->lossy);
	if (!state.dirty && notes_wait(client))
		state.dirty = 1;
	return state;
}

static void count_region(struct rfb_server *server, sraRegionPtr region,
	int64_t rested_us)
{
	sraRect rect;
	sraRectangleIterator *each = sraRgnGetIterator(region);
	cells_begin(server->cells);
	while (sraRgnIteratorNext(each, &rect)) {
		struct tiles_rect one = {
			rect.x1, rect.y1, rect.x2 - rect.x1, rect.y2 - rect.y1};
		cells_count(server->cells, &one, rested_us);
	}
	sraRgnReleaseIterator(each);
}

/* The part of `region` that is sent next. */
static sraRegionPtr slice(struct rfb_server *server, sraRegionPtr region, int64_t pixels,
	int64_t rested_us, int64_t now_us)
{
	sraRegionPtr chosen = sraRgnCreate();
	count_region(server, region, rested_us);
	cells_choose(server->cells, pixels, server->screen->cursorX,
		server->screen->cursorY, now_us, collect, chosen);
	sraRgnAnd(chosen, region);
	return chosen;
}

static void plain_parts(struct rfb_server *server, const sraRect *rect, int y,
	sraRegionPtr plain)
{
	struct tiles_rect run = {rect->x1, y, 0, rect->y2 - y};
	run.h = run.h < CELL_H ? run.h : CELL_H;
	for (int x = rect->x1; x < rect->x2; x += CELL_W) {
		struct tiles_rect part = {x, y, rect->x2 - x, run.h};
		part.w = part.w < CELL_W ? part.w : CELL_W;
		if (tiles_few_colours(server->picture, server->screen->width, &part,
			    FEW_COLOURS)) {
			run.w += part.w;
			continue;
		}
		if (run.w)
			region_or(plain, &run);
		run.x = x + part.w;
		run.w = 0;
	}
	if (run.w)
		region_or(plain, &run);
}

/* Takes out of `region` what shrinks well without loss: text, lines, plain areas. JPEG would
 * blur it and be hardly smaller. */
static sraRegionPtr take_plain(struct rfb_server *server, sraRegionPtr region)
{
	sraRegionPtr plain = sraRgnCreate();
	sraRect rect;
	sraRectangleIterator *each = sraRgnGetIterator(region);
	while (sraRgnIteratorNext(each, &rect))
		for (int y = rect.y1; y < rect.y2; y += CELL_H)
			plain_parts(server, &rect, y, plain);
	sraRgnReleaseIterator(each);
	sraRgnSubtract(region, plain);
	return plain;
}

static void set_quality(struct rfb_server *server, int quality)
{
	static const int levels[] = {15, 29, 41, 42, 62, 77, 79, 86, 92, 100};
	static const int subsampling[] = {1, 1, 1, 2, 2, 2, 0, 0, 0, 0};
	rfbClientPtr client = server->client;
	client->tightQualityLevel = quality;
	client->turboQualityLevel = quality < 0 ? -1 : levels[quality];
	client->turboSubsampLevel = quality < 0 ? 0 : subsampling[quality];
	client->tightCompressLevel = server->wish_compress;
}

static int send_region(struct rfb_server *server, sraRegionPtr region, int quality,
	struct rfb_server_sent *ret)
{
	rfbClientPtr client = server->client;
	if (!client)
		return -REASON_LEG_CLOSED;
	int before = rfbStatGetSentBytes(client);
	if (server->wish >= 0)
		set_quality(server, quality);
	request_all(server);
	int sent = rfbSendFramebufferUpdate(client, region);
	if (!sent)
		rfbCloseClient(client);
	if (!alive(server))
		return -REASON_LEG_CLOSED;
	ret->pixels = area(region);
	ret->bytes = (int64_t)(uint32_t)(rfbStatGetSentBytes(client) - before);
	return 0;
}

int rfb_server_send(struct rfb_server *server, int64_t pixels, int quality,
	int64_t now_us, struct rfb_server_sent ret[static 2])
{
	memset(ret, 0, 2 * sizeof(*ret));
	if (!server->client)
		return -REASON_LEG_CLOSED;
	/* Everything else is relative to the new size, so that goes alone and first. */
	int resized = server->client->useNewFBSize && server->client->newFBSizePending;
	sraRegionPtr photo = resized ? sraRgnCreate()
				     : slice(server, server->client->modifiedRegion,
					       pixels, 0, now_us);
	sraRegionPtr plain = quality < 0 ? photo : take_plain(server, photo);
	int r = 0;
	if (quality < 0 || !sraRgnEmpty(plain) || sraRgnEmpty(photo))
		r = send_region(server, plain, -1, &ret[0]);
	if (r == 0)
		sraRgnSubtract(server->lossy, plain);
	if (r == 0 && plain != photo && !sraRgnEmpty(photo)) {
		r = send_region(server, photo, quality, &ret[1]);
		sraRgnOr(server->lossy, photo);
	}
	if (plain != photo)
		sraRgnDestroy(plain);
	sraRgnDestroy(photo);
	return r;
}

int rfb_server_mend(struct rfb_server *server, int64_t pixels, int64_t rested_us,
	int64_t now_us, struct rfb_server_sent ret[static 2])
{
	memset(ret, 0, 2 * sizeof(*ret));
	if (!server->client)
		return -REASON_LEG_CLOSED;
	sraRegionPtr region = slice(server, server->lossy, pixels, rested_us, now_us);
	sraRgnOr(server->client->modifiedRegion, region);
	int r = send_region(server, region, -1, &ret[0]);
	sraRgnSubtract(server->lossy, region);
	sraRgnDestroy(region);
	return r;
}
