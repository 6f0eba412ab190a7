#include "rfb/rfb_picture.h"

#include <string.h>

#include "base/reason.h"
#include "rfb/rfb_server_inside.h"

#define COPY_PIXELS_LEAST 4096
#define FEW_COLOURS 96

/* One update in the making. */
struct change {
	struct rfb_server *server;
	sraRegionPtr region;
	const uint32_t *fresh;
	int stride, x, y; /* of the fresh rectangle */
	int64_t now_us;
	enum cells_weight weight;
};

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

int64_t rfb_picture_update(struct rfb_server *server, const struct tiles_rect *rect,
	const uint32_t *fresh, int stride, int64_t now_us, enum rfb_picture_weight weight)
{
	struct change change = {server, sraRgnCreate(), fresh, stride, rect->x, rect->y,
		now_us, weight == RFB_PICTURE_ECHO ? CELLS_URGENT : CELLS_NORMAL};
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

struct rfb_picture_state rfb_picture_state(struct rfb_server *server)
{
	struct rfb_picture_state state = {.changed_us = server->changed_us, .wish = -1};
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
	struct rfb_picture_sent *ret)
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
	if (!rfb_server_alive(server))
		return -REASON_LEG_CLOSED;
	ret->pixels = area(region);
	ret->bytes = (int64_t)(uint32_t)(rfbStatGetSentBytes(client) - before);
	return 0;
}

int rfb_picture_send(struct rfb_server *server, int64_t pixels, int quality,
	int64_t now_us, struct rfb_picture_sent ret[static 2])
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

int rfb_picture_mend(struct rfb_server *server, int64_t pixels, int64_t rested_us,
	int64_t now_us, struct rfb_picture_sent ret[static 2])
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
