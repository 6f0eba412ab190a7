/* holder_totp: the one-time codes that the holder of a license needs beside the access password: member "totp" of the
 * license's document.
 *
 * JSON: {"secret" base32, "confirmed_ms", "last_step", "pending" base32}. A secret counts from the moment on at
 * which a code of it was shown (confirm); until then it is pending, and an older one stays in force.
 * Thread: any; pure: time is an argument (wall clock, ms). Errors: -REASON_BAD_VALUE and the field.
 */
#ifndef RULES_HOLDER_TOTP_H
#define RULES_HOLDER_TOTP_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"
#include "rules/totp.h"

/* A device that has shown a code may take up its session again without another one for so long: as long as the
 * longest session lasts by default. */
#define HOLDER_TOTP_REMEMBER_MS (INT64_C(12) * 3600000)

struct holder_totp {
	uint8_t secret[TOTP_SECRET], pending[TOTP_SECRET];
	int is_pending;
	int64_t confirmed_ms; /* 0: no secret is in force */
	int64_t last_step;
};

/* `object`: the license; a missing member is none. */
MUST_CHECK int holder_totp_read(const json_t *object, struct holder_totp *ret,
	struct field_error *error);
/* Sets or removes the member. -REASON_NO_MEMORY. */
MUST_CHECK int holder_totp_write(const struct holder_totp *totp, json_t *object);

/* A new pending secret. -REASON_NO_RANDOM. */
MUST_CHECK int holder_totp_begin(struct holder_totp *totp);
/* The pending secret comes into force. -REASON_TOTP_WRONG, -REASON_NOT_FOUND: none is pending. */
MUST_CHECK int holder_totp_confirm(struct holder_totp *totp, const char *code,
	int64_t now_ms);
/* Uses the code up. -REASON_TOTP_WRONG. */
MUST_CHECK int holder_totp_check(struct holder_totp *totp, const char *code,
	int64_t now_ms);

#endif
