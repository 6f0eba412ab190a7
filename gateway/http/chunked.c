#include "http/chunked.h"

#include "base/reason.h"

void chunked_init(struct chunked *chunked)
{
	*chunked = (struct chunked){.state = CHUNKED_SIZE};
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

static int feed_size(struct chunked *chunked, uint8_t c)
{
	int digit = digit_of(c);

	if (c == '\r' && chunked->digits) {
		chunked->state = CHUNKED_SIZE_LF;
		return CHUNKED_MORE;
	}
	/* A run of zeros would be legal for ever; nobody sends one. */
	if (digit < 0 || ++chunked->digits > 8)
		return -REASON_BAD_MESSAGE;
	chunked->left = chunked->left * 16 + (size_t)digit;
	return chunked->left > CHUNKED_CHUNK_MAX ? -REASON_LIMIT : CHUNKED_MORE;
}

static int expect(struct chunked *chunked, uint8_t c, char wanted,
	enum chunked_state next)
{
	if (c != wanted)
		return -REASON_BAD_MESSAGE;
	chunked->state = next;
	return CHUNKED_MORE;
}

static int feed_control(struct chunked *chunked, uint8_t c)
{
	switch (chunked->state) {
	case CHUNKED_SIZE:
		return feed_size(chunked, c);
	case CHUNKED_SIZE_LF:
		return expect(chunked, c, '\n',
			chunked->left ? CHUNKED_DATA : CHUNKED_END_CR);
	case CHUNKED_DATA_CR:
		return expect(chunked, c, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		chunked->digits = 0;
		return expect(chunked, c, '\n', CHUNKED_SIZE);
	case CHUNKED_END_CR:
		return expect(chunked, c, '\r', CHUNKED_END_LF);
	case CHUNKED_END_LF:
		return c == '\n' ? CHUNKED_DONE : -REASON_BAD_MESSAGE;
	case CHUNKED_DATA:
		break;
	}
	return -REASON_BAD_MESSAGE;
}

int chunked_feed(struct chunked *chunked, const uint8_t *bytes, size_t len,
	size_t *ret_taken, size_t *ret_data)
{
	*ret_taken = *ret_data = 0;
	if (!len)
		return CHUNKED_MORE;
	if (chunked->state != CHUNKED_DATA) {
		*ret_taken = 1;
		return feed_control(chunked, bytes[0]);
	}
	*ret_data = len < chunked->left ? len : chunked->left;
	*ret_taken = *ret_data;
	chunked->left -= *ret_data;
	if (!chunked->left)
		chunked->state = CHUNKED_DATA_CR;
	return CHUNKED_MORE;
}
