/* digest: SHA-256 of what must not be stored itself (license secrets, tokens), and signatures of
 * devices. The only cryptography that the office needs beside passwords.
 *
 * Thread: any. Errors: -REASON_NO_MEMORY, -REASON_PROOF_WRONG.
 */
#ifndef RULES_DIGEST_H
#define RULES_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define DIGEST_SIZE 32
#define DIGEST_DEVICE_SIZE                                                               \
	21 /* "dev_", 16 hex digits of SHA-256(Ed25519 public key), NUL */

MUST_CHECK int digest_sha256(const void *bytes, size_t len,
	uint8_t ret[static DIGEST_SIZE]);
/* Ed25519 (RFC 8032); all-zero and other weak keys are refused. */
MUST_CHECK int digest_verify(const uint8_t device[static 32], const void *bytes,
	size_t len, const uint8_t signature[static 64]);
/* The id of a device; the same as the device's own e2e/identity makes. */
MUST_CHECK int digest_device(const uint8_t device[static 32],
	char ret[static DIGEST_DEVICE_SIZE]);

#endif
