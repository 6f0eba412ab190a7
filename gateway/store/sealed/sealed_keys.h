/* sealed_keys: the data keys of a store: per tenant and generation, in the store as documents wrapped by
 * the master key, unwrapped in memory that no core file shows.
 *
 *   STATE_KEY "acme/3"      {"tenant","generation","wrapped","created_ms","destroyed_ms"}
 *   STATE_KEY "#operator/1" of what belongs to no company
 *   STATE_KEY "#ids/1"      makes names of accounts and addresses into ids; never renewed
 *
 * The wrapping key is HKDF-SHA256(master). Sealing takes a tenant's newest generation; older ones stay
 * for what was sealed under them. A destroyed key leaves its document without what was wrapped.
 *
 * Thread: any. Functions marked "waits" ask the store and may only run where blocking is allowed.
 * Owner: sealed_store. Errors: -REASON_MASTER_KEY_WRONG, -REASON_STATE_DAMAGED, those of the store.
 */
#ifndef SEALED_SEALED_KEYS_H
#define SEALED_SEALED_KEYS_H

#include <stdint.h>

#include "base/check.h"
#include "store/sealed/sealed_box.h"
#include "store/state.h"

#define SEALED_KEYS_OPERATOR ""
#define SEALED_KEYS_IDS "#ids"
#define SEALED_KEYS_MASTER 32
/* STATE_KEY documents have ids of at most this length, the NUL counted. */
#define SEALED_KEYS_ID (STATE_TENANT_MAX + 16)

struct sealed_keys;

/* Waits: reads all keys and makes the operator's and that of the ids where they are missing. The state
 * is the store's own, not sealed, and must outlive the keys. */
MUST_CHECK int sealed_keys_open(struct state *state,
	const uint8_t master[static SEALED_KEYS_MASTER], struct sealed_keys **ret);
/* Wipes. Accepts NULL, returns NULL. */
struct sealed_keys *sealed_keys_free(struct sealed_keys *keys);

/* The key of a generation, 0: the newest, whose number goes to *ret_generation. 0; 1: not known here,
 * sealed_keys_load() may find it; -REASON_NOT_FOUND: destroyed, or the store has none of that number. */
int sealed_keys_find(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	uint8_t ret[static SEALED_BOX_KEY], uint32_t *ret_generation);
/* The same without the key itself. */
int sealed_keys_look(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	uint32_t *ret_generation);
/* Waits: reads a tenant's keys from the store; makes the first one when there is none that lives and
 * `generation` is 0. */
MUST_CHECK int sealed_keys_load(struct sealed_keys *keys, const char *tenant,
	uint32_t generation);
/* Waits: a new generation, which is used from now on. */
MUST_CHECK int sealed_keys_rotate(struct sealed_keys *keys, const char *tenant,
	uint32_t *ret_generation);
/* Waits: destroys every key of the tenant, here and in the store. */
MUST_CHECK int sealed_keys_destroy(struct sealed_keys *keys, const char *tenant,
	size_t *ret_count);
/* Waits: destroys the key of one document of STATE_KEY. */
MUST_CHECK int sealed_keys_destroy_one(struct sealed_keys *keys,
	const struct state_doc *doc);
/* Another node changed this tenant's keys: they are read again when they are needed. */
void sealed_keys_forget(struct sealed_keys *keys, const char *tenant);

/* The id of a document whose name nobody may read; `ret` has STATE_ID_MAX + 1. */
MUST_CHECK int sealed_keys_id(struct sealed_keys *keys, enum state_kind kind,
	const char *name, char *ret);

/* Key documents between two master keys, for backups and rekeying: what is wrapped in the body of a
 * document of STATE_KEY, and back. A destroyed key has `*ret_there` 0. */
MUST_CHECK int sealed_keys_unwrap(const uint8_t master[static SEALED_KEYS_MASTER],
	const char *id, const char *body, uint8_t ret[static SEALED_BOX_KEY],
	int *ret_there);
MUST_CHECK int sealed_keys_rewrap(const uint8_t master[static SEALED_KEYS_MASTER],
	const char *id, const char *body, const uint8_t key[static SEALED_BOX_KEY],
	char **ret);

#endif
