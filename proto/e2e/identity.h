/* identity: what a device is. An Ed25519 key proves the device to gateways and signs receipts; an
 * X25519 key is its static key in the tunnel. Both live in DIR/identity.json, mode 0600, made at
 * first use, and are never used for anything else.
 *
 * Thread: immutable once opened, so any. Owner: the caller. Secrets are in pages that no core file
 * shows.
 * Errors: -REASON_FILE_EXPOSED, -REASON_STATE_DAMAGED (then the file is left as it is: making a new
 * identity would look like an attack to everybody paired with the old one), _FILE_UNREADABLE,
 * _FILE_UNWRITABLE, _DISK_FULL, _NO_RANDOM, _NO_MEMORY.
 */
#ifndef E2E_IDENTITY_H
#define E2E_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/primitives.h"

#define IDENTITY_ID_SIZE                                                                 \
	21 /* "dev_", 16 hex digits of SHA-256(Ed25519 public key), NUL */

struct identity;

/* Reads, or makes, the identity in this directory, which is made with mode 0700 when missing. Of
 * two processes that come first at the same time both get the same one. */
MUST_CHECK int identity_open(const char *dir, struct identity **ret);
const char *identity_id(const struct identity *identity);
/* 32 bytes each, borrowed. */
const uint8_t *identity_sign_public(const struct identity *identity);
const uint8_t *identity_tunnel_public(const struct identity *identity);
/* For noise_config.static_private and nothing else. */
const uint8_t *identity_tunnel_private(const struct identity *identity);
/* Ed25519 over bytes of wire/proof.h. */
MUST_CHECK int identity_sign(const struct identity *identity, const void *bytes,
	size_t len, uint8_t ret_signature[static PRIMITIVES_SIGNATURE]);
/* "dev_…" of somebody else's Ed25519 key. */
MUST_CHECK int identity_id_of(const uint8_t sign_public[static PRIMITIVES_KEY],
	char ret[static IDENTITY_ID_SIZE]);
/* Wipes. Accepts NULL, returns NULL. */
struct identity *identity_free(struct identity *identity);

#endif
