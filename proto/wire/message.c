#include "wire/message.h"

#include <jansson.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define DEPTH_MAX 8
#define BIN_MAX 64

enum kind { STR, NUM, BIN, OBJ };
enum need { NEED, MAY };

struct field {
	const char *name;
	enum kind kind;
	enum need need;
	size_t offset;
	uint64_t size;
};

/* clang-format off */
#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	static const struct field name##_fields[] = {
#define FIELD(name, kind, field, size, need, help)                                       \
	{#field, kind, need, offsetof(struct message_##name, field), size},
#define END(name) {0}};
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
/* clang-format on */

/* PROVE carries passwords, and jansson keeps copies of what it parses. free() takes what malloc()
 * gave, so it does not matter what was allocated before. */
static void wiping_free(void *bytes)
{
	if (bytes)
		secret_wipe(bytes, malloc_usable_size(bytes));
	free(bytes);
}

__attribute__((constructor)) static void wipe_what_jansson_frees(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

/* jansson itself stops at 2048, one stack frame each. What is no JSON is left to jansson. */
static bool too_deep(const uint8_t *payload, size_t len)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = payload[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if ((c == '{' || c == '[') && ++depth > DEPTH_MAX)
			return true;
		else if ((c == '}' || c == ']') && depth)
			depth--;
	}
	return false;
}

static int load(const uint8_t *payload, size_t len, json_t **ret)
{
	if (len == 0 || len > FRAME_CONTROL_MAX || too_deep(payload, len))
		return -REASON_BAD_MESSAGE;
	json_error_t ignored;
	json_t *object =
		json_loadb((const char *)payload, len, JSON_REJECT_DUPLICATES, &ignored);
	if (!json_is_object(object)) {
		json_decref(object);
		return -REASON_BAD_MESSAGE;
	}
	*ret = object;
	return 0;
}

static int parse_num(const struct field *field, const json_t *value, void *ret)
{
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > field->size)
		return -REASON_BAD_MESSAGE;
	*(uint64_t *)ret = (uint64_t)number;
	return 0;
}

/* jansson lets neither NUL nor invalid UTF-8 through. */
static int parse_str(const struct field *field, const json_t *value, void *ret)
{
	if (!json_is_string(value) || json_string_length(value) > field->size)
		return -REASON_BAD_MESSAGE;
	memcpy(ret, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

static int parse_bin(const struct field *field, const json_t *value, void *ret)
{
	size_t len;
	if (!json_is_string(value) ||
		text_unb64(ret, field->size, &len, json_string_value(value)) ||
		len != field->size)
		return -REASON_BAD_MESSAGE;
	return 0;
}

static int parse_obj(const struct field *field, const json_t *value, void *ret)
{
	char *text = ret;
	if (!json_is_object(value))
		return -REASON_BAD_MESSAGE;
	size_t len = json_dumpb(value, text, field->size, JSON_COMPACT);
	if (len == 0 || len > field->size)
		return -REASON_BAD_MESSAGE;
	text[len] = 0;
	return 0;
}

static int parse(const struct field *fields, const uint8_t *payload, size_t len,
	void *message)
{
	static int (*const parsers[])(const struct field *, const json_t *, void *) = {
		[STR] = parse_str,
		[NUM] = parse_num,
		[BIN] = parse_bin,
		[OBJ] = parse_obj};
	json_t *object;
	int r = load(payload, len, &object);
	if (r)
		return r;
	for (const struct field *field = fields; field->name && !r; field++) {
		const json_t *value = json_object_get(object, field->name);
		if (value)
			r = parsers[field->kind](field, value,
				(char *)message + field->offset);
		else if (field->need == NEED)
			r = -REASON_BAD_MESSAGE;
	}
	json_decref(object);
	return r;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return len == 0;
}

static bool is_empty(const struct field *field, const void *at)
{
	switch (field->kind) {
	case NUM:
		return *(const uint64_t *)at == 0;
	case BIN:
		return all_zero(at, field->size);
	case STR:
	case OBJ:
		break;
	}
	return *(const char *)at == 0;
}

/* NULL when the struct holds what no parser would take. */
static json_t *value_of(const struct field *field, const void *at)
{
	char text[TEXT_B64_SIZE(BIN_MAX)];
	json_t *value = NULL;
	uint64_t number;
	switch (field->kind) {
	case NUM:
		number = *(const uint64_t *)at;
		return number > field->size ? NULL : json_integer((json_int_t)number);
	case STR:
		return strnlen(at, field->size + 1) > field->size ? NULL
								  : json_string(at);
	case BIN:
		CHECK(field->size <= BIN_MAX);
		text_b64(text, at, field->size);
		value = json_string(text);
		secret_wipe(text, sizeof(text));
		return value;
	case OBJ:
		if (load(at, strnlen(at, field->size + 1), &value))
			return NULL;
		return value;
	}
	return NULL;
}

static int build(const struct field *fields, const void *message, json_t *object)
{
	for (const struct field *field = fields; field->name; field++) {
		const void *at = (const char *)message + field->offset;
		if (field->need == MAY && is_empty(field, at))
			continue;
		json_t *value = value_of(field, at);
		if (!value || json_object_set_new(object, field->name, value))
			return -REASON_BAD_VALUE;
	}
	return 0;
}

static int write_frame(uint8_t type, const struct field *fields, const void *message,
	struct buf *out)
{
	uint8_t *at;
	size_t len;
	json_t *object = json_object();
	int r = object ? build(fields, message, object) : -REASON_NO_MEMORY;
	if (r)
		goto out;
	len = json_dumpb(object, NULL, 0, JSON_COMPACT);
	r = len > FRAME_CONTROL_MAX ? -REASON_LIMIT
				    : buf_reserve(out, FRAME_HEADER + len, &at);
	if (r)
		goto out;
	frame_header(at, type, (uint32_t)len);
	CHECK(json_dumpb(object, (char *)at + FRAME_HEADER, len, JSON_COMPACT) == len);
	/* An OBJ that is fine by itself may be too deep inside the message. */
	if (too_deep(at + FRAME_HEADER, len)) {
		r = -REASON_BAD_VALUE;
		goto out;
	}
	buf_commit(out, FRAME_HEADER + len);
out:
	json_decref(object);
	return r;
}

#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	int message_##name##_parse(const uint8_t *payload, size_t len,                   \
		struct message_##name *ret)                                              \
	{                                                                                \
		struct message_##name message = {0};                                     \
		int r = parse(name##_fields, payload, len, &message);                    \
		if (!r)                                                                  \
			*ret = message;                                                  \
		secret_wipe(&message, sizeof(message));                                  \
		return r;                                                                \
	}                                                                                \
	int message_##name##_write(const struct message_##name *message,                 \
		struct buf *out)                                                         \
	{                                                                                \
		return write_frame(number, name##_fields, message, out);                 \
	}
#define FIELD(name, kind, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

int message_raw_write(uint8_t type, const void *payload, size_t len, struct buf *out)
{
	struct frame ignored;
	uint8_t *at, header[FRAME_HEADER];
	if (len > FRAME_DATA_MAX)
		return -REASON_LIMIT;
	frame_header(header, type, (uint32_t)len);
	/* What the other side would refuse is not sent. */
	if (frame_parse(header, sizeof(header), &ignored) < 0)
		return -REASON_LIMIT;
	int r = buf_reserve(out, FRAME_HEADER + len, &at);
	if (r)
		return r;
	memcpy(at, header, FRAME_HEADER);
	if (len)
		memcpy(at + FRAME_HEADER, payload, len);
	buf_commit(out, FRAME_HEADER + len);
	return 0;
}
