/* totp: the six digits of an authenticator app: RFC 6238 with SHA-1, 6 digits, steps of 30 s, which is
 * what every app takes; and the recovery codes for the day the phone is lost.
 *
 * A code is good in its own step, the one before and the one after (clocks of phones are off), and
 * only once: the step that was used is remembered, and it and all before it are refused from then on.
 * Thread: any; pure: time is an argument (wall clock, ms). Errors: -REASON_TOTP_WRONG,
 * -REASON_BAD_VALUE (text), -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef RULES_TOTP_H
#define RULES_TOTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/digest.h"
#include "rules/password.h"

#define TOTP_SECRET 20      /* RFC 4226 section 4: as long as the hash */
#define TOTP_SECRET_TEXT 33 /* base32 without padding, with its NUL */
#define TOTP_CODE 7         /* with its NUL */
#define TOTP_STEP_MS 30000
#define TOTP_URI 512

MUST_CHECK int totp_generate(uint8_t ret[static TOTP_SECRET]);
/* Base32 of RFC 4648, as people type it into an app. */
void totp_print(const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_SECRET_TEXT]);
MUST_CHECK int totp_parse(const char *text, uint8_t ret[static TOTP_SECRET]);
/* otpauth://totp/Engawa:ACCOUNT?secret=…&issuer=Engawa, for a QR code. -REASON_LIMIT. */
MUST_CHECK int totp_uri(const char *account, const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_URI]);

/* The code of the step that `at_ms` is in: for tests and for setting up. */
MUST_CHECK int totp_code(const uint8_t secret[static TOTP_SECRET], int64_t at_ms,
	char ret[static TOTP_CODE]);
/* 0: good, and *used_step (0: none yet) is now the step it was of. The caller stores that before
 * anything follows from the code, with the version it read: else one code opens two doors. */
MUST_CHECK int totp_check(const uint8_t secret[static TOTP_SECRET], const char *code,
	int64_t now_ms, int64_t *used_step);

/* Recovery codes: 80 random bits each, so a plain hash keeps them. */
#define TOTP_RECOVERY 10
struct totp_recovery {
	size_t count; /* that are left */
	uint8_t hashes[TOTP_RECOVERY][DIGEST_SIZE];
};
/* All new; the old ones are worth nothing any more. */
MUST_CHECK int totp_recovery_make(struct totp_recovery *ret,
	char ret_codes[static TOTP_RECOVERY][PASSWORD_GENERATED]);
/* 0: it was one, and is gone now. Hyphens, blanks and capitals do not matter. */
MUST_CHECK int totp_recovery_use(struct totp_recovery *recovery, const char *code);

#endif
