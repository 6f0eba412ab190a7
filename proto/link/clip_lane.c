#include "link/clip_lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/inner.h"
#include "link/tunnel.h"

struct clip_text {
	uint8_t *bytes; /* head and text */
	size_t len, done;
};

struct clip_lane {
	struct tunnel *tunnel;
	clip_lane_fn arrived;
	void *ctx;
	struct clip_text now, next; /* being sent; the newest one that waits */

	/* Being received. */
	uint8_t head[INNER_CLIPBOARD_HEAD];
	size_t head_len;
	uint32_t expected;
	uint8_t *text;
	size_t text_len;
};

static void drop(struct clip_text *text)
{
	if (text->bytes)
		secret_wipe(text->bytes, text->len);
	free(text->bytes);
	*text = (struct clip_text){0};
}

int clip_lane_new(struct clip_lane **ret, struct tunnel *tunnel, clip_lane_fn arrived,
	void *ctx)
{
	struct clip_lane *clip = calloc(1, sizeof(*clip));
	if (!clip)
		return -REASON_NO_MEMORY;
	clip->tunnel = tunnel;
	clip->arrived = arrived;
	clip->ctx = ctx;
	*ret = clip;
	return 0;
}

static void push(struct clip_lane *clip)
{
	for (;;) {
		struct clip_text *now = &clip->now;
		if (!now->bytes) {
			*now = clip->next;
			clip->next = (struct clip_text){0};
		}
		if (!now->bytes)
			return;
		now->done += tunnel_write(clip->tunnel, SEAL_CLIPBOARD,
			now->bytes + now->done, now->len - now->done);
		if (now->done < now->len)
			return; /* `room` goes on here */
		drop(now);
	}
}

int clip_lane_send(struct clip_lane *clip, const char *text, size_t len)
{
	if (len > CLIP_LANE_MAX)
		return -REASON_LIMIT;
	if (!text_utf8_valid(text, len))
		return -REASON_BAD_VALUE;
	uint8_t *bytes = malloc(INNER_CLIPBOARD_HEAD + len);
	if (!bytes)
		return -REASON_NO_MEMORY;
	inner_clipboard_pack((uint32_t)len, bytes);
	memcpy(bytes + INNER_CLIPBOARD_HEAD, text, len);
	drop(&clip->next);
	clip->next =
		(struct clip_text){.bytes = bytes, .len = INNER_CLIPBOARD_HEAD + len};
	push(clip);
	return 0;
}

static void text_drop(struct clip_lane *clip)
{
	if (clip->text)
		secret_wipe(clip->text, clip->expected);
	free(clip->text);
	clip->text = NULL;
	clip->head_len = clip->text_len = 0;
	clip->expected = 0;
}

static int take_head(struct clip_lane *clip, struct cursor *cursor)
{
	while (clip->head_len < sizeof(clip->head) && cursor_left(cursor)) {
		if (cursor_u8(cursor, &clip->head[clip->head_len]))
			return -REASON_BAD_MESSAGE;
		clip->head_len++;
	}
	if (clip->head_len < sizeof(clip->head))
		return 0;
	struct cursor head = cursor_of(clip->head, sizeof(clip->head));
	int rc = inner_clipboard_parse(&head, &clip->expected);
	if (rc || clip->expected > CLIP_LANE_MAX)
		return -REASON_LIMIT;
	clip->text = malloc(clip->expected + 1);
	return clip->text ? 0 : -REASON_NO_MEMORY;
}

static int take_text(struct clip_lane *clip, struct cursor *cursor)
{
	const uint8_t *bytes;
	size_t left = clip->expected - clip->text_len;
	size_t len = cursor_left(cursor) < left ? cursor_left(cursor) : left;
	if (len && cursor_bytes(cursor, len, &bytes))
		return -REASON_BAD_MESSAGE;
	if (len)
		memcpy(clip->text + clip->text_len, bytes, len);
	clip->text_len += len;
	if (clip->text_len < clip->expected)
		return 0;
	if (!text_utf8_valid(clip->text, clip->text_len))
		return -REASON_BAD_MESSAGE;
	clip->text[clip->text_len] = 0;
	/* The callee may end the tunnel and free this lane: nothing of it is used afterwards. */
	uint8_t *text = clip->text;
	size_t whole = clip->text_len;
	clip->text = NULL;
	text_drop(clip);
	clip->arrived(clip->ctx, (const char *)text, whole);
	secret_wipe(text, whole);
	free(text);
	return 1;
}

void clip_lane_bytes(struct clip_lane *clip, const uint8_t *bytes, size_t len)
{
	struct cursor cursor = cursor_of(bytes, len);
	struct tunnel *tunnel = clip->tunnel;
	/* All of it is in memory of ours that is bounded already: consumed. */
	tunnel_consumed(tunnel, SEAL_CLIPBOARD, len);
	int rc = 0;
	while (rc >= 0 && (cursor_left(&cursor) || (clip->text && !clip->expected))) {
		rc = clip->text ? take_text(clip, &cursor) : take_head(clip, &cursor);
		if (rc > 0 && tunnel_state(tunnel) == TUNNEL_OVER)
			return;
	}
	if (rc < 0) {
		text_drop(clip);
		tunnel_close(tunnel, -rc);
	}
}

void clip_lane_room(struct clip_lane *clip)
{
	push(clip);
}

struct clip_lane *clip_lane_free(struct clip_lane *clip)
{
	if (!clip)
		return NULL;
	drop(&clip->now);
	drop(&clip->next);
	text_drop(clip);
	free(clip);
	return NULL;
}
