#include "e2e/inner_payload.h"

#include <string.h>

#include "base/reason.h"

/* On the wire: never reuse. 0x02, 0x16 and 0x17 belong to organisation certificates (host's, device's,
 * revocation epoch), which this version skips. */
enum type {
	VERSION = 0x01,
	USER = 0x10,
	DEVICE = 0x11,
	CLASS = 0x12,
	WANTED = 0x13,
	TYPES = 0x14,
};

struct value {
	const uint8_t *bytes; /* NULL: was not there */
	size_t len;
};

static uint8_t *put(uint8_t *at, enum type type, const void *bytes, size_t len)
{
	*at++ = (uint8_t)type;
	*at++ = (uint8_t)(len >> 8);
	*at++ = (uint8_t)len;
	memcpy(at, bytes, len);
	return at + len;
}

static int collect(const void *bytes, size_t len, struct value ret[static TYPES])
{
	struct cursor cursor = cursor_of(bytes, len);
	if (len > INNER_PAYLOAD_MAX)
		return -REASON_LIMIT;
	while (cursor_left(&cursor)) {
		uint8_t type;
		uint16_t size;
		const uint8_t *value;
		if (cursor_u8(&cursor, &type) < 0 || cursor_u16(&cursor, &size) < 0 ||
			cursor_bytes(&cursor, size, &value) < 0)
			return -REASON_BAD_MESSAGE;
		if (type >= TYPES)
			continue;
		if (ret[type].bytes)
			return -REASON_BAD_MESSAGE;
		ret[type] = (struct value){value, size};
	}
	return 0;
}

static int take_name(const struct value *value, char ret[static INNER_NAME_SIZE])
{
	if (!value->bytes || !inner_name_valid((const char *)value->bytes, value->len))
		return -REASON_BAD_MESSAGE;
	memcpy(ret, value->bytes, value->len);
	ret[value->len] = 0;
	return 0;
}

int inner_payload_pack_host(const struct inner_payload_host *payload,
	uint8_t ret[static INNER_PAYLOAD_MAX], size_t *ret_len)
{
	*ret_len = (size_t)(put(ret, VERSION, &payload->version, 1) - ret);
	return 0;
}

int inner_payload_parse_host(const void *bytes, size_t len,
	struct inner_payload_host *ret)
{
	struct value values[TYPES] = {0};
	int result = collect(bytes, len, values);
	if (result < 0)
		return result;
	if (!values[VERSION].bytes || values[VERSION].len != 1)
		return -REASON_BAD_MESSAGE;
	ret->version = values[VERSION].bytes[0];
	return 0;
}

int inner_payload_pack_viewer(const struct inner_payload_viewer *payload,
	uint8_t ret[static INNER_PAYLOAD_MAX], size_t *ret_len)
{
	size_t user = strnlen(payload->user, INNER_NAME_SIZE);
	size_t device = strnlen(payload->device, INNER_NAME_SIZE);
	uint8_t class = (uint8_t)payload->class;
	uint8_t wanted[2] = {(uint8_t)(payload->wanted >> 8), (uint8_t)payload->wanted};
	if (!inner_name_valid(payload->user, user) ||
		!inner_name_valid(payload->device, device) || class < INNER_NATIVE ||
		class > INNER_MOBILE)
		return -REASON_BAD_VALUE;
	uint8_t *at = put(ret, USER, payload->user, user);
	at = put(at, DEVICE, payload->device, device);
	at = put(at, CLASS, &class, 1);
	at = put(at, WANTED, wanted, sizeof(wanted));
	*ret_len = (size_t)(at - ret);
	return 0;
}

int inner_payload_parse_viewer(const void *bytes, size_t len,
	struct inner_payload_viewer *ret)
{
	struct value values[TYPES] = {0};
	struct inner_payload_viewer payload = {.class = 0};
	const struct value *class = &values[CLASS], *wanted = &values[WANTED];
	int result = collect(bytes, len, values);
	if (result < 0)
		return result;
	if (take_name(&values[USER], payload.user) < 0 ||
		take_name(&values[DEVICE], payload.device) < 0 || class->len != 1 ||
		class->bytes[0] < INNER_NATIVE || class->bytes[0] > INNER_MOBILE ||
		wanted->len != 2)
		return -REASON_BAD_MESSAGE;
	payload.class = class->bytes[0];
	payload.wanted = (uint16_t)(wanted->bytes[0] << 8 | wanted->bytes[1]);
	*ret = payload;
	return 0;
}
