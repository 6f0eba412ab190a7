/* check: what every file may rely on: must-check results, object magic, assertions.
 *
 * Thread: any. Errors of the whole project are int: 0 or -REASON_* (base/reason.h).
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#define UNUSED __attribute__((unused))
#define CLEANUP(function) __attribute__((cleanup(function)))
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Prints the place and the condition, then aborts: for what only a bug can bring about. */
__attribute__((noreturn)) void check_failed(const char *condition, const char *file,
	int line);

/* Stays in release builds: a wrong state inside a relay must stop before it moves a byte. */
#define CHECK(condition)                                                                 \
	do {                                                                             \
		if (__builtin_expect(!(condition), 0))                                   \
			check_failed(#condition, __FILE__, __LINE__);                    \
	} while (0)

/* Objects that come back as void * from a callback begin with `uint32_t magic`; a freed or
 * foreign one is a named crash instead of a silent overwrite. */
#define CHECK_OBJ(object, value) CHECK((object) != 0 && (object)->magic == (value))

#endif
