#include "rules/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

/* The last moment that RFC 3339 can write. */
#define LAST_MS INT64_C(253402300799999)

int field_fail(struct field_error *error, const char *field, const char *format, ...)
{
	va_list values;
	text_clip(error->field, sizeof(error->field), field);
	va_start(values, format);
	vsnprintf(error->message, sizeof(error->message), format, values);
	va_end(values);
	return -REASON_BAD_VALUE;
}

int field_parse(const char *text, json_t **ret, struct field_error *error)
{
	json_error_t where;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!object)
		return field_fail(error, "", "line %d, column %d: %.100s", where.line,
			where.column, where.text);
	if (!json_is_object(object)) {
		json_decref(object);
		return field_fail(error, "", "a JSON object is expected");
	}
	*ret = object;
	return 0;
}

int field_print(const json_t *object, char **ret)
{
	char *text = json_dumps(object, JSON_COMPACT);
	if (!text)
		return -REASON_NO_MEMORY;
	*ret = text;
	return 0;
}

int field_known(const json_t *object, const char *const names[],
	struct field_error *error)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *name = names;
		while (*name && strcmp(*name, key))
			name++;
		if (!*name)
			return field_fail(error, key, "there is no such field");
	}
	return 0;
}

/* 1: *ret is there. 0: absent, and may be. */
static int find(const json_t *object, const char *name, enum field_need need,
	json_t **ret, struct field_error *error)
{
	*ret = json_object_get(object, name);
	if (*ret && !json_is_null(*ret))
		return 1;
	return need == FIELD_NEED ? field_fail(error, name, "is needed") : 0;
}

int field_is_plain(const char *text)
{
	return text_is_plain(text);
}

void field_plain(char *ret, size_t size, const char *text)
{
	CHECK(size > 0);
	size_t used = 0;
	if (!text_utf8_valid(text, strlen(text)))
		text = "";
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t skip = text_deceit((const char *)at);
		/* Bytes of one character: its first, and those of the form 10xxxxxx. */
		size_t len = 1;
		while ((at[len] & 0xc0) == 0x80)
			len++;
		if (skip) {
			at += skip;
			continue;
		}
		if (used + len >= size)
			break;
		memcpy(ret + used, at, len);
		used += len;
		at += len;
	}
	ret[used] = 0;
}

int field_text(const json_t *object, const char *name, enum field_need need, char *ret,
	size_t size, struct field_error *error)
{
	json_t *value;
	int r = find(object, name, need, &value, error);
	if (r <= 0)
		return r;
	const char *text = json_string_value(value);
	if (!text)
		return field_fail(error, name, "text is expected");
	if (json_string_length(value) >= size)
		return field_fail(error, name, "longer than %zu bytes", size - 1);
	if (need == FIELD_NEED && !*text)
		return field_fail(error, name, "must not be empty");
	if (strlen(text) != json_string_length(value) || !field_is_plain(text))
		return field_fail(error, name, "holds characters that cannot be shown");
	memcpy(ret, text, json_string_length(value) + 1);
	return 0;
}

int field_integer(const json_t *object, const char *name, enum field_need need,
	int64_t min, int64_t max, int64_t *ret, struct field_error *error)
{
	json_t *value;
	int r = find(object, name, need, &value, error);
	if (r <= 0)
		return r;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max)
		return field_fail(error, name, "a number from %lld to %lld is expected",
			(long long)min, (long long)max);
	*ret = json_integer_value(value);
	return 0;
}

int field_flag(const json_t *object, const char *name, int *ret,
	struct field_error *error)
{
	json_t *value;
	int r = find(object, name, FIELD_MAY, &value, error);
	if (r <= 0)
		return r;
	if (!json_is_boolean(value))
		return field_fail(error, name, "true or false is expected");
	*ret = json_is_true(value);
	return 0;
}

int field_time(const json_t *object, const char *name, int64_t *ret_ms,
	struct field_error *error)
{
	json_t *value;
	int r = find(object, name, FIELD_MAY, &value, error);
	if (r <= 0)
		return r;
	int64_t ms = json_integer_value(value);
	if (json_is_string(value) && clock_parse(json_string_value(value), &ms) == 0) {
		*ret_ms = ms;
		return 0;
	}
	if (!json_is_integer(value) || ms < 0 || ms > LAST_MS)
		return field_fail(error, name,
			"a time like 2026-12-31T18:00:00+09:00 is expected");
	*ret_ms = ms;
	return 0;
}

int field_hex(const json_t *object, const char *name, enum field_need need, void *ret,
	size_t len, struct field_error *error)
{
	json_t *value;
	int r = find(object, name, need, &value, error);
	if (r <= 0)
		return r;
	if (!json_is_string(value) || text_unhex(ret, len, json_string_value(value)))
		return field_fail(error, name, "%zu hexadecimal digits are expected",
			2 * len);
	return 0;
}

int field_word(const json_t *object, const char *name, enum field_need need,
	const char *const words[], int *ret, struct field_error *error)
{
	json_t *value;
	int r = find(object, name, need, &value, error);
	if (r <= 0)
		return r;
	const char *text = json_string_value(value);
	for (int i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	return field_fail(error, name, "is not one of the known words, such as %s",
		words[0]);
}
