/* field: reads one member of a JSON object from outside, or says which one is wrong and why.
 *
 * Thread: any; no state. Errors: -REASON_BAD_VALUE with the field's name and one sentence in
 * `error`; the result is untouched then. A member that is absent or null leaves the result as it
 * was, unless it is needed.
 */
#ifndef RULES_FIELD_H
#define RULES_FIELD_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"

struct field_error {
	char field[64];
	char message[160];
};

enum field_need { FIELD_MAY, FIELD_NEED };

/* Always -REASON_BAD_VALUE. */
PRINTF_LIKE(3, 4)
MUST_CHECK int field_fail(struct field_error *error, const char *field,
	const char *format, ...);

/* A whole JSON object from text; duplicate names are refused. The caller owns *ret. */
MUST_CHECK int field_parse(const char *text, json_t **ret, struct field_error *error);
/* Compact and in the given order. The caller frees. -REASON_NO_MEMORY. */
MUST_CHECK int field_print(const json_t *object, char **ret);
/* Refuses members that are not in `names` (ended by NULL): a mistyped name must not be ignored. */
MUST_CHECK int field_known(const json_t *object, const char *const names[],
	struct field_error *error);

/* Text of at most size-1 bytes without control and direction characters. */
MUST_CHECK int field_text(const json_t *object, const char *name, enum field_need need,
	char *ret, size_t size, struct field_error *error);
MUST_CHECK int field_integer(const json_t *object, const char *name, enum field_need need,
	int64_t min, int64_t max, int64_t *ret, struct field_error *error);
/* true or false as 1 or 0. */
MUST_CHECK int field_flag(const json_t *object, const char *name, int *ret,
	struct field_error *error);
/* Milliseconds since 1970 as a number, or RFC 3339 text. */
MUST_CHECK int field_time(const json_t *object, const char *name, int64_t *ret_ms,
	struct field_error *error);
/* Exactly `len` bytes as hex. */
MUST_CHECK int field_hex(const json_t *object, const char *name, enum field_need need,
	void *ret, size_t len, struct field_error *error);
/* One word of a list ended by NULL, as its index. */
MUST_CHECK int field_word(const json_t *object, const char *name, enum field_need need,
	const char *const words[], int *ret, struct field_error *error);

/* Whether people can read it without being deceived: valid, no control, no direction characters. */
int field_is_plain(const char *text);
/* The same text without what field_is_plain() refuses, cut to fit. */
void field_plain(char *ret, size_t size, const char *text);

#endif
