/* Path 02/15: pixels become RFB. */
#include "rfb/rfb_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "rfb/rfb_message.h"
#include "rfb/rfb_server_inside.h"
#include "rfb/rfb_shape.h"
#include "screen/latin1.h"

/* The library gives up on a stream that takes or brings nothing for so long in the middle of a
 * message: more than the grace time of a tunnel that looks for another way. */
#define PEER_WAIT_MS 120000
#define CUT_TEXT_AT_ONCE (64 * 1024)
#define MESSAGES_AT_ONCE 64
#define ONE_MORE (1 + RFB_SERVER_PARTIAL)

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

int rfb_server_alive(struct rfb_server *server)
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
	server->asked = server->told = 0;
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
	rfbClientPtr client = server->client;
	/* Where the screens are is told with the size, and the size has not changed: the library would keep it back. */
	if (client->useExtDesktopSize && server->monitor_count > 1 && !server->told)
		client->newFBSizePending = server->told = TRUE;
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
	if (!rfb_server_alive(server))
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
	int resized = width != server->screen->width || height != server->screen->height;
	server->monitor_count = count < RFB_SERVER_MONITORS ? count : RFB_SERVER_MONITORS;
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
	if (resized && !server->client->useNewFBSize &&
		server->client->state == RFB_NORMAL)
		rfb_server_close(server);
	return 0;
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
	rfb_server_alive(server);
}
