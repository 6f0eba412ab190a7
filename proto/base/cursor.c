#include "base/cursor.h"

#include "base/reason.h"

static int take(struct cursor *cursor, size_t len, uint64_t *ret)
{
	if (cursor_left(cursor) < len)
		return -REASON_BAD_MESSAGE;
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | cursor->at[i];
	cursor->at += len;
	*ret = value;
	return 0;
}

int cursor_u8(struct cursor *cursor, uint8_t *ret)
{
	uint64_t value;
	int r = take(cursor, 1, &value);
	if (!r)
		*ret = (uint8_t)value;
	return r;
}

int cursor_u16(struct cursor *cursor, uint16_t *ret)
{
	uint64_t value;
	int r = take(cursor, 2, &value);
	if (!r)
		*ret = (uint16_t)value;
	return r;
}

int cursor_u24(struct cursor *cursor, uint32_t *ret)
{
	uint64_t value;
	int r = take(cursor, 3, &value);
	if (!r)
		*ret = (uint32_t)value;
	return r;
}

int cursor_u32(struct cursor *cursor, uint32_t *ret)
{
	uint64_t value;
	int r = take(cursor, 4, &value);
	if (!r)
		*ret = (uint32_t)value;
	return r;
}

int cursor_u64(struct cursor *cursor, uint64_t *ret)
{
	return take(cursor, 8, ret);
}

int cursor_bytes(struct cursor *cursor, size_t len, const uint8_t **ret)
{
	if (cursor_left(cursor) < len)
		return -REASON_BAD_MESSAGE;
	*ret = cursor->at;
	if (len)
		cursor->at += len;
	return 0;
}
