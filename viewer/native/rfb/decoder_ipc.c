#include "rfb/decoder_ipc.h"

#include <string.h>

#include "base/reason.h"

int decoder_ipc_next(const struct buf *in, uint8_t *ret_type, struct cursor *ret_body,
	size_t *ret_len)
{
	struct cursor cursor = cursor_of(buf_head(in), buf_len(in));
	uint8_t type;
	uint32_t len;
	const uint8_t *bytes;

	*ret_len = 0;
	if (cursor_left(&cursor) < DECODER_IPC_HEADER)
		return 0;
	if (cursor_u8(&cursor, &type) || cursor_u24(&cursor, &len))
		return -REASON_BAD_MESSAGE;
	if (len > DECODER_IPC_MAX - DECODER_IPC_HEADER)
		return -REASON_BAD_MESSAGE;
	if (cursor_bytes(&cursor, len, &bytes))
		return 0;
	*ret_type = type;
	*ret_body = cursor_of(bytes, len);
	*ret_len = DECODER_IPC_HEADER + len;
	return 0;
}

static int read_size(struct cursor *body, struct decoder_event *event)
{
	if (cursor_u16(body, &event->width) || cursor_u16(body, &event->height))
		return -REASON_BAD_MESSAGE;
	return picture_fits(event->width, event->height) ? 0 : -REASON_BAD_MESSAGE;
}

/* Keeps the part of the rectangle that lies in the picture; false when none does. */
static bool clamp_rect(struct picture_rect *rect, const struct picture *now)
{
	if (rect->x >= now->width || rect->y >= now->height || !rect->w || !rect->h)
		return false;
	if (rect->w > now->width - rect->x)
		rect->w = (uint16_t)(now->width - rect->x);
	if (rect->h > now->height - rect->y)
		rect->h = (uint16_t)(now->height - rect->y);
	return true;
}

static int read_damage(struct cursor *body, const struct picture *now,
	struct decoder_event *event)
{
	uint16_t count;

	if (cursor_u16(body, &count) || count > DECODER_IPC_RECTS_MAX)
		return -REASON_BAD_MESSAGE;
	for (uint16_t i = 0; i < count; i++) {
		struct picture_rect rect;
		if (cursor_u16(body, &rect.x) || cursor_u16(body, &rect.y) ||
			cursor_u16(body, &rect.w) || cursor_u16(body, &rect.h))
			return -REASON_BAD_MESSAGE;
		if (clamp_rect(&rect, now))
			event->rects[event->rect_count++] = rect;
	}
	return 0;
}

static int read_cursor(struct cursor *body, struct decoder_event *event)
{
	if (cursor_u16(body, &event->width) || cursor_u16(body, &event->height) ||
		cursor_u16(body, &event->hot_x) || cursor_u16(body, &event->hot_y))
		return -REASON_BAD_MESSAGE;
	if (!event->width || !event->height || event->width > PICTURE_CURSOR_MAX ||
		event->height > PICTURE_CURSOR_MAX || event->hot_x >= event->width ||
		event->hot_y >= event->height)
		return -REASON_BAD_MESSAGE;
	event->len = (size_t)event->width * event->height * 4;
	return cursor_bytes(body, event->len, &event->bytes);
}

static int read_ended(struct cursor *body, struct decoder_event *event)
{
	uint16_t reason;

	if (cursor_u16(body, &reason))
		return -REASON_BAD_MESSAGE;
	switch (reason) {
	case REASON_PEER_LOST:
	case REASON_PROTOCOL:
	case REASON_VERSION:
	case REASON_SLOW_READER:
	case REASON_NO_MEMORY:
	case REASON_INTERNAL:
		event->reason = reason;
		return 0;
	default:
		return -REASON_BAD_MESSAGE;
	}
}

static int read_event(uint8_t type, struct cursor *body, const struct picture *now,
	struct decoder_event *event)
{
	switch (type) {
	case DECODER_EVENT_SIZE:
		return read_size(body, event);
	case DECODER_EVENT_DAMAGE:
		return read_damage(body, now, event);
	case DECODER_EVENT_CURSOR:
		return read_cursor(body, event);
	case DECODER_EVENT_PONG:
		if (cursor_u32(body, &event->progress) ||
			cursor_u32(body, &event->unread) ||
			cursor_u32(body, &event->cpu_ms))
			return -REASON_BAD_MESSAGE;
		return 0;
	case DECODER_EVENT_ENDED:
		return read_ended(body, event);
	default:
		return -REASON_BAD_MESSAGE;
	}
}

int decoder_ipc_event(uint8_t type, struct cursor body, const struct picture *now,
	struct decoder_event *ret)
{
	struct decoder_event event = {.type = type};
	int r = read_event(type, &body, now, &event);

	if (r)
		return r;
	if (cursor_left(&body))
		return -REASON_BAD_MESSAGE;
	*ret = event;
	return 0;
}

static int read_quality(struct cursor *body, struct decoder_command *command)
{
	uint8_t quality, compression;

	if (cursor_u8(body, &quality) || cursor_u8(body, &compression))
		return -REASON_BAD_MESSAGE;
	command->quality = (int8_t)quality;
	command->compression = (int8_t)compression;
	if (command->quality < -1 || command->quality > 9 || command->compression < 0 ||
		command->compression > 9)
		return -REASON_BAD_MESSAGE;
	return 0;
}

static int read_command(uint8_t type, struct cursor *body,
	struct decoder_command *command)
{
	switch (type) {
	case DECODER_COMMAND_START:
		return read_quality(body, command);
	case DECODER_COMMAND_KEY:
		if (cursor_u8(body, &command->down) || cursor_u32(body, &command->keysym))
			return -REASON_BAD_MESSAGE;
		return 0;
	case DECODER_COMMAND_POINTER:
		if (cursor_u16(body, &command->x) || cursor_u16(body, &command->y) ||
			cursor_u8(body, &command->buttons))
			return -REASON_BAD_MESSAGE;
		return 0;
	case DECODER_COMMAND_PING:
		return 0;
	default:
		return -REASON_BAD_MESSAGE;
	}
}

int decoder_ipc_command(uint8_t type, struct cursor body, struct decoder_command *ret)
{
	struct decoder_command command = {.type = type};
	int r = read_command(type, &body, &command);

	if (r)
		return r;
	if (cursor_left(&body))
		return -REASON_BAD_MESSAGE;
	*ret = command;
	return 0;
}

/* Fixed-size messages are laid out here first, so that a full buffer never keeps half a message. */
struct writer {
	uint8_t bytes[DECODER_IPC_HEADER + 2 + DECODER_IPC_RECTS_MAX * 8];
	size_t len;
};

static void put(struct writer *writer, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		writer->bytes[writer->len++] = (uint8_t)(value >> (8 * bytes));
}

static int finish(struct buf *out, struct writer *writer, const void *tail,
	size_t tail_len)
{
	size_t len = writer->len - DECODER_IPC_HEADER + tail_len;
	uint8_t *room;

	if (len > DECODER_IPC_MAX - DECODER_IPC_HEADER)
		return -REASON_LIMIT;
	writer->bytes[1] = (uint8_t)(len >> 16);
	writer->bytes[2] = (uint8_t)(len >> 8);
	writer->bytes[3] = (uint8_t)len;
	int r = buf_reserve(out, writer->len + tail_len, &room);
	if (r)
		return r;
	memcpy(room, writer->bytes, writer->len);
	if (tail_len)
		memcpy(room + writer->len, tail, tail_len);
	buf_commit(out, writer->len + tail_len);
	return 0;
}

int decoder_ipc_put_event(struct buf *out, const struct decoder_event *event)
{
	struct writer writer = {.len = DECODER_IPC_HEADER};

	writer.bytes[0] = (uint8_t)event->type;
	switch (event->type) {
	case DECODER_EVENT_SIZE:
		put(&writer, event->width, 2);
		put(&writer, event->height, 2);
		break;
	case DECODER_EVENT_DAMAGE:
		put(&writer, (uint32_t)event->rect_count, 2);
		for (size_t i = 0; i < event->rect_count; i++) {
			put(&writer, event->rects[i].x, 2);
			put(&writer, event->rects[i].y, 2);
			put(&writer, event->rects[i].w, 2);
			put(&writer, event->rects[i].h, 2);
		}
		break;
	case DECODER_EVENT_CURSOR:
		put(&writer, event->width, 2);
		put(&writer, event->height, 2);
		put(&writer, event->hot_x, 2);
		put(&writer, event->hot_y, 2);
		break;
	case DECODER_EVENT_PONG:
		put(&writer, event->progress, 4);
		put(&writer, event->unread, 4);
		put(&writer, event->cpu_ms, 4);
		break;
	case DECODER_EVENT_ENDED:
		put(&writer, (uint32_t)event->reason, 2);
		break;
	}
	return finish(out, &writer, event->bytes, event->len);
}

int decoder_ipc_put_command(struct buf *out, const struct decoder_command *command)
{
	struct writer writer = {.len = DECODER_IPC_HEADER};

	writer.bytes[0] = (uint8_t)command->type;
	switch (command->type) {
	case DECODER_COMMAND_START:
		put(&writer, (uint8_t)command->quality, 1);
		put(&writer, (uint8_t)command->compression, 1);
		break;
	case DECODER_COMMAND_KEY:
		put(&writer, command->down, 1);
		put(&writer, command->keysym, 4);
		break;
	case DECODER_COMMAND_POINTER:
		put(&writer, command->x, 2);
		put(&writer, command->y, 2);
		put(&writer, command->buttons, 1);
		break;
	case DECODER_COMMAND_PING:
		break;
	}
	return finish(out, &writer, NULL, 0);
}
