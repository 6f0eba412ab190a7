/* peers: the devices that may open this host, DIR/peers.json, mode 0600. At most 16 are authorised;
 * revoked ones are remembered, without their psk, so that they are told why.
 *
 * `engawa-host peers remove` changes the file while the agent runs: every change takes the lock, reads
 * the file anew and replaces it; the agent calls peers_reload() before each decision and on a timer,
 * which costs one stat(2) when nothing changed.
 *
 * Thread: that of the owner. Pointers from peers_find() and peers_at() live until the next call
 * that is not const.
 * Errors: those of e2e/private_file.h, -REASON_NOT_FOUND, -REASON_LIMIT. After an error of
 * peers_reload() the list is empty: a file that cannot be read opens nothing.
 */
#ifndef E2E_PEERS_H
#define E2E_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"
#include "e2e/primitives.h"

#define PEERS_AUTHORISED_MAX 16
#define PEERS_MAX 48     /* with revoked ones; the oldest of those are forgotten */
#define PEERS_ID_SIZE 22 /* "peer_", 16 hex digits of SHA-256(static key), NUL */

struct peers_device {
	char id[PEERS_ID_SIZE];      /* set by peers_authorise() */
	uint8_t key[PRIMITIVES_KEY]; /* the viewer's static key */
	uint8_t pair_psk[PRIMITIVES_KEY];
	uint8_t old_key[PRIMITIVES_KEY]; /* accepted until old_until_ms, 0: none */
	int64_t old_until_ms;
	char name[INNER_NAME_SIZE], user[INNER_NAME_SIZE];
	enum inner_class class;
	uint16_t rights; /* what this device may have at most: INNER_RIGHT_* */
	int64_t added_ms, seen_ms;
	int64_t revoked_ms; /* 0: authorised */
};

struct peers;

/* A missing file is an empty list. */
MUST_CHECK int peers_open(const char *dir, struct peers **ret);
MUST_CHECK int peers_reload(struct peers *peers);
/* By static key, revoked ones too; NULL: never heard of it. The old key of a rotation counts until
 * its time. */
const struct peers_device *peers_find(const struct peers *peers,
	const uint8_t key[static PRIMITIVES_KEY], int64_t now_ms);
size_t peers_count(const struct peers *peers);
const struct peers_device *peers_at(const struct peers *peers, size_t index);
/* Adds the device, or replaces the entry with the same key: pairing again gives a revoked device a
 * new start. -REASON_LIMIT when 16 others are authorised. */
MUST_CHECK int peers_authorise(struct peers *peers, const struct peers_device *device);
/* By id, or by name when only one authorised device has it (else -REASON_CONFLICT). */
MUST_CHECK int peers_revoke(struct peers *peers, const char *id_or_name, int64_t now_ms);
MUST_CHECK int peers_seen(struct peers *peers, const uint8_t key[static PRIMITIVES_KEY],
	int64_t now_ms);
/* The device announced a new key in an authenticated session: the old one stays valid 30 days. */
MUST_CHECK int peers_rotate(struct peers *peers, const uint8_t key[static PRIMITIVES_KEY],
	const uint8_t new_key[static PRIMITIVES_KEY], int64_t now_ms);
/* Wipes. Accepts NULL, returns NULL. */
struct peers *peers_free(struct peers *peers);

#endif
