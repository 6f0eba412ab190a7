/* license_key: the key that admits to a license, as people type it. 25 Crockford characters: 9 are
 * the public id (45 bits, for routing and logs), 16 the admission secret (80 bits).
 *
 *   text        7K3QX-09FAM-1C2D3-E4F5G-6H7J8   any case; '-' and blanks do not matter
 *   public id   7K3QX09FA                       9 upper-case characters
 *   id          lic_7k3qx09fa                   in JSON, logs and command lines
 *
 * Thread: any; no state. No hash in here, so that a gateway can use it: what it stores of the secret
 * and what the tunnel makes of the public id (e2e/license_id.h) are made elsewhere.
 * Errors: -REASON_LICENSE_KEY_MALFORMED; -REASON_NO_RANDOM; on error the result is untouched.
 */
#ifndef BASE_LICENSE_KEY_H
#define BASE_LICENSE_KEY_H

#include <stdint.h>

#include "base/check.h"

#define LICENSE_KEY_PUBLIC 9
#define LICENSE_KEY_PUBLIC_SIZE                                                          \
	(LICENSE_KEY_PUBLIC + 1) /* with its NUL, as all sizes here */
#define LICENSE_KEY_SECRET 10
#define LICENSE_KEY_TEXT_SIZE 30
#define LICENSE_KEY_ID_SIZE 14

struct license_key {
	char public_id[LICENSE_KEY_PUBLIC_SIZE];
	uint8_t secret[LICENSE_KEY_SECRET];
};

MUST_CHECK int license_key_generate(struct license_key *ret);
MUST_CHECK int license_key_parse(const char *text, struct license_key *ret);
void license_key_print(const struct license_key *key,
	char ret[static LICENSE_KEY_TEXT_SIZE]);

/* "7K3QX09FA" -> "lic_7k3qx09fa" and back; the way back also takes the bare public id in any
 * case. */
void license_key_id(const char public_id[static LICENSE_KEY_PUBLIC_SIZE],
	char ret[static LICENSE_KEY_ID_SIZE]);
MUST_CHECK int license_key_id_parse(const char *text,
	char ret_public_id[static LICENSE_KEY_PUBLIC_SIZE]);

#endif
