/* password: scrypt records of passwords, and passwords made for people.
 *
 *   scrypt$15$8$3$<salt, base64url>$<hash, base64url>       log2 N, r, p; RFC 7914
 *
 * N = 2^15, r = 8, p = 3 takes 32 MiB and about 0.3 s, so it never runs on a worker. Numbers in a
 * record may differ from today's, within limits, so that they can be raised later.
 *   gen$<salt, base64url>$<hash, base64url>                 SHA-256(salt, password)
 *
 * The second kind is for what password_generate() made, and for nothing else. scrypt makes guessing
 * dear, because people choose what can be guessed; nobody guesses 80 random bits, as little as those
 * of a license key, whose hash is as plain. It saves nothing for an attacker, and makes the difference
 * between four hours and a second when a company gets 50,000 licenses at once. Whoever chooses his
 * password himself gets the first kind.
 * Thread: any. Errors: -REASON_PASSWORD_WRONG, -REASON_STATE_DAMAGED (not such a record),
 * -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef RULES_PASSWORD_H
#define RULES_PASSWORD_H

#include <stddef.h>

#include "base/check.h"

#define PASSWORD_RECORD 128
#define PASSWORD_MAX 256
#define PASSWORD_GENERATED 20 /* with its NUL */

MUST_CHECK int password_hash(const char *password, char ret[static PASSWORD_RECORD]);
/* Only for what password_generate() made. */
MUST_CHECK int password_hash_generated(const char *password,
	char ret[static PASSWORD_RECORD]);
/* Takes both kinds. */
MUST_CHECK int password_check(const char *record, const char *password);
/* What password_check() costs, for a name that does not exist: nobody can tell from the time. */
void password_spend(const char *password);
/* -REASON_STATE_DAMAGED unless it is a record that password_check() takes. */
MUST_CHECK int password_record_check(const char *record);

/* "k7qm-2xw9-4hdt-c0vr": 80 random bits in letters and digits that cannot be mistaken. */
MUST_CHECK int password_generate(char ret[static PASSWORD_GENERATED]);

#endif
