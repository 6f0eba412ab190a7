#include "screen/vnc_source.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfbclient.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "screen/latin1.h"

#define CONNECT_SECONDS 10
#define READ_SECONDS 30
#define SIDE_MAX 16384
#define PIXELS_MAX (64 * 1024 * 1024)
#define ORDERS_MAX 1024
#define CURSOR_MAX 64
#define PASSWORD_MAX 64

enum order_kind { ORDER_KEY, ORDER_POINTER, ORDER_CUT_TEXT };

struct order {
	enum order_kind kind;
	uint32_t keysym, buttons;
	int down, x, y;
	char *latin1;
	size_t len;
};

struct vnc_source {
	struct source source;
	rfbClient *client; /* the reader's, once it runs */
	void *frame;       /* its picture: the library does not free it */
	char password[PASSWORD_MAX];
	pthread_t reader;
	int reader_runs;
	int news_fd, orders_fd;

	pthread_mutex_t lock; /* everything from here to the next blank line */
	uint32_t *shadow;     /* what the server has shown, whole rectangles only */
	int width, height;
	struct source_rect damaged[SOURCE_RECTS_MAX];
	size_t damaged_count;
	uint32_t news;
	struct order orders[ORDERS_MAX];
	size_t first_order, order_count;
	int stop;
	char *cut_text;
	size_t cut_len;
	uint32_t cursor[CURSOR_MAX * CURSOR_MAX];
	struct source_cursor shape;

	/* The desktop thread's own copies, which stay valid after the lock is released. */
	uint32_t *captured;
	size_t captured_size;
	char *taken_text;
	uint32_t taken_cursor[CURSOR_MAX * CURSOR_MAX];
};

static char tag; /* its address names our entry in libvncclient's list of client data */

static struct vnc_source *self(struct source *source)
{
	return (struct vnc_source *)source;
}

static struct vnc_source *of(rfbClient *client)
{
	return rfbClientGetClientData(client, &tag);
}

static void tell(struct vnc_source *source, uint32_t news)
{
	source->news |= news;
	eventfd_write(source->news_fd, 1);
}

static void add_damage(struct vnc_source *source, struct source_rect rect)
{
	if (!source_clip(&rect, source->width, source->height))
		return;
	if (source->damaged_count == SOURCE_RECTS_MAX)
		source->damaged_count = source_coalesce(source->damaged,
			source->damaged_count, SOURCE_RECTS_MAX / 2);
	source->damaged[source->damaged_count++] = rect;
	tell(source, SOURCE_DAMAGED);
}

/* ---- called by libvncclient, on the reader's thread ---- */

static rfbBool on_size(rfbClient *client)
{
	struct vnc_source *source = of(client);
	int width = client->width, height = client->height;
	if (width <= 0 || height <= 0 || width > SIDE_MAX || height > SIDE_MAX ||
		(int64_t)width * height > PIXELS_MAX)
		return FALSE;
	size_t count = (size_t)width * (size_t)height;
	free(source->frame);
	source->frame = calloc(count, sizeof(uint32_t));
	client->frameBuffer = source->frame;
	uint32_t *shadow = calloc(count, sizeof(uint32_t));
	if (!source->frame || !shadow) {
		free(shadow);
		return FALSE;
	}
	pthread_mutex_lock(&source->lock);
	free(source->shadow);
	source->shadow = shadow;
	source->width = width;
	source->height = height;
	source->damaged_count = 0;
	tell(source, SOURCE_RESIZED | SOURCE_DAMAGED);
	pthread_mutex_unlock(&source->lock);
	return TRUE;
}

static void on_update(rfbClient *client, int x, int y, int w, int h)
{
	struct vnc_source *source = of(client);
	const uint32_t *pixels = (const uint32_t *)(const void *)client->frameBuffer;
	struct source_rect rect = {x, y, w, h};
	pthread_mutex_lock(&source->lock);
	if (source_clip(&rect, source->width, source->height)) {
		for (int row = rect.y; row < rect.y + rect.h; row++) {
			size_t at = (size_t)row * (size_t)source->width + (size_t)rect.x;
			memcpy(source->shadow + at, pixels + at, (size_t)rect.w * 4);
		}
		add_damage(source, rect);
	}
	pthread_mutex_unlock(&source->lock);
}

static void take_cursor(rfbClient *client, int hot_x, int hot_y, int w, int h, int bytes)
{
	struct vnc_source *source = of(client);
	if (bytes != 4 || !client->rcSource || !client->rcMask)
		return;
	const uint32_t *colours = (const uint32_t *)(const void *)client->rcSource;
	int width = w > CURSOR_MAX ? CURSOR_MAX : w;
	int height = h > CURSOR_MAX ? CURSOR_MAX : h;
	pthread_mutex_lock(&source->lock);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			source->cursor[y * width + x] =
				client->rcMask[y * w + x]
					? 0xff000000 | colours[y * w + x]
					: 0;
	source->shape =
		(struct source_cursor){width, height, hot_x < width ? hot_x : width - 1,
			hot_y < height ? hot_y : height - 1, NULL};
	tell(source, SOURCE_CURSOR);
	pthread_mutex_unlock(&source->lock);
}

/* The library makes a new mask for each shape and never frees the one before. */
static void on_cursor(rfbClient *client, int hot_x, int hot_y, int w, int h, int bytes)
{
	take_cursor(client, hot_x, hot_y, w, h, bytes);
	free(client->rcMask);
	client->rcMask = NULL;
}

static void on_cut_text(rfbClient *client, const char *latin1, int len)
{
	struct vnc_source *source = of(client);
	size_t utf8_len;
	char *utf8 = latin1_to_utf8(latin1, (size_t)len, &utf8_len);
	if (!utf8)
		return;
	pthread_mutex_lock(&source->lock);
	free(source->cut_text);
	source->cut_text = utf8;
	source->cut_len = utf8_len;
	tell(source, SOURCE_CUT_TEXT);
	pthread_mutex_unlock(&source->lock);
}

static char *on_password(rfbClient *client)
{
	return strdup(of(client)->password);
}

/* ---- the reader's thread ---- */

static int carry_out(rfbClient *client, struct order *order)
{
	switch (order->kind) {
	case ORDER_KEY:
		return SendKeyEvent(client, order->keysym, order->down ? TRUE : FALSE);
	case ORDER_POINTER:
		return SendPointerEvent(client, order->x, order->y, (int)order->buttons);
	case ORDER_CUT_TEXT:
		return SendClientCutText(client, order->latin1, (int)order->len);
	}
	return 0;
}

/* 0: stop, or the server is gone. */
static int run_orders(struct vnc_source *source)
{
	eventfd_t count;
	eventfd_read(source->orders_fd, &count);
	for (;;) {
		pthread_mutex_lock(&source->lock);
		int stop = source->stop, waiting = source->order_count > 0;
		struct order order = source->orders[source->first_order];
		if (waiting) {
			source->first_order = (source->first_order + 1) % ORDERS_MAX;
			source->order_count--;
		}
		pthread_mutex_unlock(&source->lock);
		if (!waiting)
			return !stop;
		int done = carry_out(source->client, &order);
		free(order.latin1);
		if (!done)
			return 0;
	}
}

static void *reader_main(void *ctx)
{
	struct vnc_source *source = ctx;
	rfbClient *client = source->client;
	struct pollfd fds[2] = {
		{client->sock, POLLIN, 0}, {source->orders_fd, POLLIN, 0}};
	for (;;) {
		if (client->buffered == 0 && poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (!run_orders(source))
			break;
		if ((client->buffered || fds[0].revents) &&
			!HandleRFBServerMessage(client))
			break;
		fds[0].revents = 0;
	}
	pthread_mutex_lock(&source->lock);
	tell(source, SOURCE_LOST);
	pthread_mutex_unlock(&source->lock);
	return NULL;
}

/* ---- the desktop thread ---- */

static void give_order(struct vnc_source *source, struct order order)
{
	pthread_mutex_lock(&source->lock);
	size_t last = (source->first_order + source->order_count - 1) % ORDERS_MAX;
	struct order *before = &source->orders[last];
	if (order.kind == ORDER_POINTER && source->order_count &&
		before->kind == ORDER_POINTER && before->buttons == order.buttons) {
		*before = order; /* only the last place of a motion matters */
	} else if (source->order_count == ORDERS_MAX) {
		/* A server that takes nothing for so long is gone; dropping single keys would be worse. */
		free(order.latin1);
		tell(source, SOURCE_LOST);
	} else {
		source->orders[(last + 1) % ORDERS_MAX] = order;
		source->order_count++;
	}
	eventfd_write(source->orders_fd, 1);
	pthread_mutex_unlock(&source->lock);
}

static void vnc_key(struct source *base, uint32_t keysym, int down)
{
	give_order(self(base),
		(struct order){.kind = ORDER_KEY, .keysym = keysym, .down = down});
}

static void vnc_pointer(struct source *base, int x, int y, uint32_t buttons)
{
	give_order(self(base),
		(struct order){
			.kind = ORDER_POINTER, .x = x, .y = y, .buttons = buttons});
}

static void vnc_set_cut_text(struct source *base, const char *utf8, size_t len)
{
	struct order order = {.kind = ORDER_CUT_TEXT};
	order.latin1 = latin1_from_utf8(utf8, len, &order.len);
	if (order.latin1)
		give_order(self(base), order);
	else
		log_line(LOG_WARN, "clipboard not passed on",
			LOG_S("because", "the VNC server takes Latin-1 only"));
}

static const char *vnc_cut_text(struct source *base, size_t *ret_len)
{
	struct vnc_source *source = self(base);
	pthread_mutex_lock(&source->lock);
	free(source->taken_text);
	source->taken_text = source->cut_text;
	source->cut_text = NULL;
	*ret_len = source->cut_len;
	pthread_mutex_unlock(&source->lock);
	return source->taken_text;
}

static int vnc_fd(const struct source *base)
{
	return ((const struct vnc_source *)base)->news_fd;
}

static uint32_t vnc_news(struct source *base)
{
	struct vnc_source *source = self(base);
	eventfd_t count;
	eventfd_read(source->news_fd, &count);
	pthread_mutex_lock(&source->lock);
	uint32_t news = source->news;
	source->news = 0;
	if (news & SOURCE_RESIZED) {
		base->width = source->width;
		base->height = source->height;
		base->monitors[0] =
			(struct source_rect){0, 0, source->width, source->height};
		base->monitor_count = 1;
	}
	pthread_mutex_unlock(&source->lock);
	return news & SOURCE_LOST ? SOURCE_LOST : news;
}

static size_t vnc_damage(struct source *base, struct source_rect rects[SOURCE_RECTS_MAX])
{
	struct vnc_source *source = self(base);
	size_t kept = 0;
	pthread_mutex_lock(&source->lock);
	for (size_t i = 0; i < source->damaged_count; i++) {
		struct source_rect rect = source->damaged[i];
		if (source_clip(&rect, base->width, base->height))
			rects[kept++] = rect;
	}
	source->damaged_count = 0;
	pthread_mutex_unlock(&source->lock);
	return kept;
}

static const uint32_t *vnc_capture(struct source *base, const struct source_rect *rect,
	int *ret_stride)
{
	struct vnc_source *source = self(base);
	size_t need = (size_t)rect->w * (size_t)rect->h;
	if (source->captured_size < need) {
		free(source->captured);
		source->captured = malloc(need * sizeof(uint32_t));
		source->captured_size = source->captured ? need : 0;
	}
	uint32_t *to = source->captured;
	pthread_mutex_lock(&source->lock);
	int same_size = source->width == base->width && source->height == base->height;
	for (int y = 0; to && same_size && y < rect->h; y++)
		memcpy(to + (size_t)y * (size_t)rect->w,
			source->shadow + (size_t)(rect->y + y) * (size_t)base->width +
				rect->x,
			(size_t)rect->w * 4);
	pthread_mutex_unlock(&source->lock);
	*ret_stride = rect->w;
	return same_size ? to : NULL;
}

static int vnc_cursor(struct source *base, struct source_cursor *ret)
{
	struct vnc_source *source = self(base);
	pthread_mutex_lock(&source->lock);
	*ret = source->shape;
	memcpy(source->taken_cursor, source->cursor, sizeof(source->cursor));
	pthread_mutex_unlock(&source->lock);
	ret->argb = source->taken_cursor;
	return ret->width > 0 && ret->height > 0;
}

static int vnc_pointer_at(struct source *base, int *ret_x, int *ret_y)
{
	(void)base;
	(void)ret_x;
	(void)ret_y;
	return 0;
}

static void stop_reader(struct vnc_source *source)
{
	pthread_mutex_lock(&source->lock);
	source->stop = 1;
	pthread_mutex_unlock(&source->lock);
	eventfd_write(source->orders_fd, 1);
	/* Also out of the middle of a message that never comes to its end. */
	shutdown(source->client->sock, SHUT_RD);
	pthread_join(source->reader, NULL);
}

static void vnc_free(struct source *base)
{
	struct vnc_source *source = self(base);
	if (source->reader_runs)
		stop_reader(source);
	if (source->client) {
		/* The library forgets the last pointer shape. */
		free(source->client->rcSource);
		free(source->client->rcMask);
		source->client->rcSource = source->client->rcMask = NULL;
		rfbClientCleanup(source->client);
	}
	free(source->frame);
	for (size_t i = 0; i < source->order_count; i++)
		free(source->orders[(source->first_order + i) % ORDERS_MAX].latin1);
	if (source->news_fd >= 0)
		close(source->news_fd);
	if (source->orders_fd >= 0)
		close(source->orders_fd);
	pthread_mutex_destroy(&source->lock);
	secret_wipe(source->password, sizeof(source->password));
	free(source->shadow);
	free(source->cut_text);
	free(source->captured);
	free(source->taken_text);
	free(source);
}

static const struct source_ops ops = {
	.free = vnc_free,
	.fd = vnc_fd,
	.news = vnc_news,
	.damage = vnc_damage,
	.capture = vnc_capture,
	.cursor = vnc_cursor,
	.pointer_at = vnc_pointer_at,
	.key = vnc_key,
	.pointer = vnc_pointer,
	.set_cut_text = vnc_set_cut_text,
	.cut_text = vnc_cut_text,
};

static int read_password(struct vnc_source *source, const char *path)
{
	if (!path)
		return 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return -REASON_FILE_UNREADABLE;
	char *line = fgets(source->password, sizeof(source->password), file);
	fclose(file);
	source->password[strcspn(source->password, "\r\n")] = 0;
	return line ? 0 : -REASON_FILE_UNREADABLE;
}

static int is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1") ||
	       !strcmp(host, "localhost");
}

static void configure(rfbClient *client, const char *host, uint16_t port)
{
	static const uint32_t schemes[] = {rfbNoAuth, rfbVncAuth};
	free(client->serverHost);
	client->serverHost = strdup(host);
	client->serverPort = port;
	client->connectTimeout = CONNECT_SECONDS;
	client->readTimeout = READ_SECONDS;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->format.depth = 24;
	/* Few and simple encodings: less to get wrong, and on loopback the fastest. */
	client->appData.encodingsString =
		is_loopback(host) ? "copyrect raw" : "copyrect zrle hextile raw";
	client->appData.useRemoteCursor = TRUE;
	client->canHandleNewFBSize = TRUE;
	client->MallocFrameBuffer = on_size;
	client->GotFrameBufferUpdate = on_update;
	client->GotCursorShape = on_cursor;
	client->GotXCutText = on_cut_text;
	client->GetPassword = on_password;
	SetClientAuthSchemes(client, schemes, ARRAY_LEN(schemes));
}

static int connect_to(struct vnc_source *source, const char *host, uint16_t port)
{
	rfbEnableClientLogging = FALSE;
	rfbClient *client = rfbGetClient(8, 3, 4);
	if (!client)
		return -REASON_NO_MEMORY;
	rfbClientSetClientData(client, &tag, source);
	configure(client, host, port);
	/* On failure the library has freed the client. */
	if (!rfbInitClient(client, NULL, NULL))
		return -REASON_VNC_UNREACHABLE;
	source->client = client;
	return 0;
}

static int start_reader(struct vnc_source *source)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&source->reader, NULL, reader_main, source);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	source->reader_runs = !failed;
	return failed ? -REASON_LIMIT : 0;
}

int vnc_source_new(const char *host, uint16_t port, const char *password_file,
	struct source **ret)
{
	struct vnc_source *source = calloc(1, sizeof(*source));
	if (!source)
		return -REASON_NO_MEMORY;
	source->source.ops = &ops;
	source->news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	source->orders_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&source->lock, NULL);
	int r = source->news_fd < 0 || source->orders_fd < 0 ? -REASON_LIMIT : 0;
	if (r == 0)
		r = read_password(source, password_file);
	if (r == 0)
		r = connect_to(source, host, port);
	if (r == 0) {
		vnc_news(&source->source); /* takes over the size */
		r = start_reader(source);
	}
	if (r < 0) {
		vnc_free(&source->source);
		return r;
	}
	*ret = &source->source;
	return 0;
}
