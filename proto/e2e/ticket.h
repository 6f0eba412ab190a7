/* ticket: the pairing code. 25 Crockford characters in groups of five:
 *
 *   24 data characters, 120 bits, most significant first:  kind 4 | ticket_id 20 | secret 96
 *    1 check character
 *
 * The check character makes the sum of d[i] * a^(24-i), i = 0..24, zero in GF(32) with a = 2 modulo
 * x^5 + x^2 + 1. As the powers are different and none is zero, every single wrong character and
 * every exchange of two different characters, next to each other or not, is found at once, before a
 * try is spent; other mistypings are found in 31 of 32 cases.
 *
 * The relay learns ticket_id and nothing else. The secret is stretched so that who holds a record of
 * the handshake guesses slowly on top of 96 bits; takes about 0.3 s, so never on a thread that
 * serves.
 *
 * Thread: any. Errors: -REASON_TICKET_MALFORMED, -REASON_NO_RANDOM, -REASON_E2E_FAILED; on error
 * the result is untouched.
 */
#ifndef E2E_TICKET_H
#define E2E_TICKET_H

#include <stdint.h>

#include "base/check.h"
#include "e2e/license_id.h"
#include "e2e/primitives.h"

#define TICKET_CHARS 25
#define TICKET_TEXT_SIZE 30 /* "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX" and its NUL */
#define TICKET_SECRET 12
#define TICKET_ID_MAX                                                                    \
	0xfffff          /* 20 bits; never 0, which means "no ticket" in the prologue */
#define TICKET_PAIRING 1 /* the only kind of this version */
#define TICKET_ROUNDS 600000

struct ticket {
	uint32_t id;
	uint8_t secret[TICKET_SECRET];
};

MUST_CHECK int ticket_generate(struct ticket *ret);
MUST_CHECK int ticket_parse(const char *text, struct ticket *ret);
void ticket_print(const struct ticket *ticket, char ret[static TICKET_TEXT_SIZE]);
/* ticket_psk: PBKDF2-HMAC-SHA256(secret, "ENGAWA-1 ticket\0" || u32be id || license_id). */
MUST_CHECK int ticket_stretch(const struct ticket *ticket,
	const uint8_t license_id[static LICENSE_ID_SIZE],
	uint8_t ret_psk[static PRIMITIVES_KEY]);

#endif
