#include "e2e/inner.h"

#include <string.h>

#include "base/reason.h"
#include "base/text.h"

/* Room is checked once per field: `failed` keeps the first reason, later writes do nothing. */
struct writer {
	uint8_t *at, *end;
	int failed;
};

static void put_number(struct writer *writer, uint64_t value, size_t bytes)
{
	if ((size_t)(writer->end - writer->at) < bytes && !writer->failed)
		writer->failed = -REASON_LIMIT;
	if (writer->failed)
		return;
	for (size_t i = 0; i < bytes; i++)
		*writer->at++ = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static void put_bytes(struct writer *writer, const void *bytes, size_t len)
{
	if ((size_t)(writer->end - writer->at) < len && !writer->failed)
		writer->failed = -REASON_LIMIT;
	if (writer->failed)
		return;
	memcpy(writer->at, bytes, len);
	writer->at += len;
}

static bool text_valid(const char *bytes, size_t len)
{
	return len <= INNER_TEXT_MAX && !memchr(bytes, 0, len) &&
	       text_utf8_valid(bytes, len);
}

bool inner_name_valid(const char *bytes, size_t len)
{
	if (len > INNER_NAME_MAX || !text_utf8_valid(bytes, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
			return false;
	return true;
}

/* One pair of functions for each type of inner.def; `field` is the address of the member. */
static void put_u8(struct writer *writer, const void *field)
{
	put_number(writer, *(const uint8_t *)field, 1);
}

static void put_u16(struct writer *writer, const void *field)
{
	put_number(writer, *(const uint16_t *)field, 2);
}

static void put_u32(struct writer *writer, const void *field)
{
	put_number(writer, *(const uint32_t *)field, 4);
}

static void put_u64(struct writer *writer, const void *field)
{
	put_number(writer, *(const uint64_t *)field, 8);
}

static void put_counted(struct writer *writer, const char *text, size_t len, bool valid)
{
	if (!valid && !writer->failed)
		writer->failed = -REASON_BAD_VALUE;
	put_number(writer, len, 2);
	put_bytes(writer, text, len);
}

static void put_text(struct writer *writer, const void *field)
{
	size_t len = strnlen(field, INNER_TEXT_MAX + 1);
	put_counted(writer, field, len, text_valid(field, len));
}

static void put_name(struct writer *writer, const void *field)
{
	size_t len = strnlen(field, INNER_NAME_SIZE);
	put_counted(writer, field, len, inner_name_valid(field, len));
}

static void put_key(struct writer *writer, const void *field)
{
	put_bytes(writer, field, INNER_KEY);
}

static void put_lanes(struct writer *writer, const void *field)
{
	const uint64_t *lanes = field;
	for (size_t i = 0; i < SEAL_LANES; i++)
		put_number(writer, lanes[i], 8);
}

static bool acks_valid(const struct inner_acks *acks)
{
	unsigned seen = 0;
	if (acks->count > SEAL_LANES)
		return false;
	for (size_t i = 0; i < acks->count; i++) {
		if (acks->lane[i] >= SEAL_LANES || seen & 1U << acks->lane[i])
			return false;
		seen |= 1U << acks->lane[i];
	}
	return true;
}

static void put_acks(struct writer *writer, const void *field)
{
	const struct inner_acks *acks = field;
	if (!acks_valid(acks)) {
		writer->failed = -REASON_BAD_VALUE;
		return;
	}
	put_number(writer, acks->count, 1);
	for (size_t i = 0; i < acks->count; i++) {
		put_number(writer, acks->lane[i], 1);
		put_number(writer, acks->consumed[i], 8);
	}
}

static bool rects_valid(const struct inner_rects *rects)
{
	if (rects->count > INNER_RECTS_MAX)
		return false;
	for (size_t i = 0; i < rects->count; i++) {
		const struct inner_rect *rect = &rects->at[i];
		if (!rect->width || !rect->height || rect->x + rect->width > UINT16_MAX ||
			rect->y + rect->height > UINT16_MAX)
			return false;
	}
	return true;
}

static void put_rects(struct writer *writer, const void *field)
{
	const struct inner_rects *rects = field;
	if (!rects_valid(rects)) {
		writer->failed = -REASON_BAD_VALUE;
		return;
	}
	put_number(writer, rects->count, 1);
	for (size_t i = 0; i < rects->count; i++) {
		put_number(writer, rects->at[i].x, 2);
		put_number(writer, rects->at[i].y, 2);
		put_number(writer, rects->at[i].width, 2);
		put_number(writer, rects->at[i].height, 2);
	}
}

static int take_u8(struct cursor *cursor, void *field)
{
	return cursor_u8(cursor, field);
}

static int take_u16(struct cursor *cursor, void *field)
{
	return cursor_u16(cursor, field);
}

static int take_u32(struct cursor *cursor, void *field)
{
	return cursor_u32(cursor, field);
}

static int take_u64(struct cursor *cursor, void *field)
{
	return cursor_u64(cursor, field);
}

static int take_counted(struct cursor *cursor, char *field,
	bool (*valid)(const char *, size_t))
{
	uint16_t len;
	const uint8_t *bytes;
	if (cursor_u16(cursor, &len) < 0 || cursor_bytes(cursor, len, &bytes) < 0 ||
		!valid((const char *)bytes, len))
		return -REASON_BAD_MESSAGE;
	memcpy(field, bytes, len);
	field[len] = 0;
	return 0;
}

static int take_text(struct cursor *cursor, void *field)
{
	return take_counted(cursor, field, text_valid);
}

static int take_name(struct cursor *cursor, void *field)
{
	return take_counted(cursor, field, inner_name_valid);
}

static int take_key(struct cursor *cursor, void *field)
{
	const uint8_t *bytes;
	int result = cursor_bytes(cursor, INNER_KEY, &bytes);
	if (result == 0)
		memcpy(field, bytes, INNER_KEY);
	return result;
}

static int take_lanes(struct cursor *cursor, void *field)
{
	uint64_t *lanes = field;
	int result = 0;
	for (size_t i = 0; i < SEAL_LANES && result == 0; i++)
		result = cursor_u64(cursor, &lanes[i]);
	return result;
}

static int take_acks(struct cursor *cursor, void *field)
{
	struct inner_acks *acks = field;
	int result = cursor_u8(cursor, &acks->count);
	if (result == 0 && acks->count > SEAL_LANES)
		result = -REASON_BAD_MESSAGE;
	for (size_t i = 0; result == 0 && i < acks->count; i++) {
		result = cursor_u8(cursor, &acks->lane[i]);
		if (result == 0)
			result = cursor_u64(cursor, &acks->consumed[i]);
	}
	return result == 0 && !acks_valid(acks) ? -REASON_BAD_MESSAGE : result;
}

static int take_rect(struct cursor *cursor, struct inner_rect *ret)
{
	if (cursor_u16(cursor, &ret->x) < 0 || cursor_u16(cursor, &ret->y) < 0 ||
		cursor_u16(cursor, &ret->width) < 0 ||
		cursor_u16(cursor, &ret->height) < 0)
		return -REASON_BAD_MESSAGE;
	return 0;
}

static int take_rects(struct cursor *cursor, void *field)
{
	struct inner_rects *rects = field;
	int result = cursor_u8(cursor, &rects->count);
	if (result == 0 && rects->count > INNER_RECTS_MAX)
		result = -REASON_BAD_MESSAGE;
	for (size_t i = 0; result == 0 && i < rects->count; i++)
		result = take_rect(cursor, &rects->at[i]);
	return result == 0 && !rects_valid(rects) ? -REASON_BAD_MESSAGE : result;
}

// clang-format off
#define MESSAGE(number, upper, lower, sender)                                            \
	static void pack_##lower(struct writer *writer, const struct inner_##lower *message) \
	{                                                                                \
		(void)writer, (void)message;
#define FIELD(type, name) put_##type(writer, &message->name);
#define END(lower) }
#include "e2e/inner.def"

#define MESSAGE(number, upper, lower, sender)                                            \
	static int parse_##lower(struct cursor *cursor, struct inner_##lower *message)   \
	{                                                                                \
		int result = 0;                                                          \
		(void)cursor, (void)message;
#define FIELD(type, name) if (result == 0) result = take_##type(cursor, &message->name);
#define END(lower) return result; }
#include "e2e/inner.def"
// clang-format on

/* Bits of who may send. */
enum { HOST = 1 << SEAL_HOST, VIEWER = 1 << SEAL_VIEWER, EITHER = HOST | VIEWER };

static unsigned senders(uint8_t number)
{
	switch (number) {
#define MESSAGE(number, upper, lower, sender)                                            \
	case number:                                                                     \
		return sender;
#include "e2e/inner.def"
	default:
		return 0;
	}
}

const char *inner_name(enum inner_kind kind)
{
	switch ((int)kind) {
#define MESSAGE(number, upper, lower, sender)                                            \
	case number:                                                                     \
		return #upper;
#include "e2e/inner.def"
	default:
		return "UNKNOWN";
	}
}

int inner_pack(const struct inner_message *message, uint8_t *ret, size_t size,
	size_t *ret_len)
{
	struct writer writer = {ret, ret + size, 0};
	put_number(&writer, message->kind, 1);
	put_number(&writer, 0, 2);
	switch ((int)message->kind) {
#define MESSAGE(number, upper, lower, sender)                                            \
	case number:                                                                     \
		pack_##lower(&writer, &message->lower);                                  \
		break;
#include "e2e/inner.def"
	default:
		return -REASON_BAD_VALUE;
	}
	if (writer.failed)
		return writer.failed;
	size_t len = (size_t)(writer.at - ret) - 3;
	ret[1] = (uint8_t)(len >> 8);
	ret[2] = (uint8_t)len;
	*ret_len = len + 3;
	return 0;
}

static int parse_fields(uint8_t number, struct cursor *fields,
	struct inner_message *message)
{
	switch (number) {
#define MESSAGE(number, upper, lower, sender)                                            \
	case number:                                                                     \
		return parse_##lower(fields, &message->lower);
#include "e2e/inner.def"
	default:
		return -REASON_BAD_MESSAGE;
	}
}

int inner_parse(struct cursor *cursor, enum seal_side from, struct inner_message *ret)
{
	struct cursor at = *cursor;
	struct inner_message message = {.kind = INNER_SKIPPED};
	uint8_t number;
	uint16_t len;
	const uint8_t *bytes;
	if (cursor_u8(&at, &number) < 0 || cursor_u16(&at, &len) < 0 ||
		cursor_bytes(&at, len, &bytes) < 0)
		return -REASON_BAD_MESSAGE;
	unsigned may_send = senders(number);
	if (may_send) {
		struct cursor fields = cursor_of(bytes, len);
		if (!(may_send & 1U << from) ||
			parse_fields(number, &fields, &message) < 0)
			return -REASON_BAD_MESSAGE;
		message.kind = (enum inner_kind)number;
	} else if (number < INNER_SKIP_FROM) {
		return -REASON_BAD_MESSAGE;
	}
	*cursor = at;
	*ret = message;
	return 0;
}

void inner_clipboard_pack(uint32_t len, uint8_t ret[static INNER_CLIPBOARD_HEAD])
{
	for (int i = 0; i < INNER_CLIPBOARD_HEAD; i++)
		ret[i] = (uint8_t)(len >> (24 - 8 * i));
}

int inner_clipboard_parse(struct cursor *cursor, uint32_t *ret_len)
{
	struct cursor at = *cursor;
	uint32_t len;
	int result = cursor_u32(&at, &len);
	if (result < 0)
		return result;
	if (len > INNER_CLIPBOARD_MAX)
		return -REASON_LIMIT;
	*cursor = at;
	*ret_len = len;
	return 0;
}
