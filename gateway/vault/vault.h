/* vault: the care for what is stored: backups by schedule and on demand, drills that restore them, keys
 * that are renewed, contracts whose time after their end is over. Orders: vault_backups.h, vault_reseal.h.
 *
 * Thread: one of its own, which may block in the store; functions from any thread that may block.
 * Owner: gateway.c; it is freed before the store is closed. Errors: those of backup.h.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <stdint.h>

#include "base/check.h"

#define VAULT_PATH 4096
#define VAULT_ID 40

struct store;
struct vault;

struct vault_parts {
	struct store *store;   /* sealed */
	const char *address;   /* of the store, for snapshots */
	const uint8_t *master; /* 32 bytes */
	const char *node, *data;
};

struct vault_settings {
	char dir[VAULT_PATH]; /* where backups are put */
	char key[VAULT_PATH]; /* the file with their key */
	int64_t every_ms;     /* 0: only on demand */
	int64_t generations;
	int64_t purge_after_ms; /* from the end of a contract */
	int64_t records_days;   /* rows are kept so long, and old data keys with them */
};

/* The parts are borrowed, the settings copied. */
MUST_CHECK int vault_new(const struct vault_parts *parts,
	const struct vault_settings *settings, struct vault **ret);
void vault_set(struct vault *vault, const struct vault_settings *settings);
/* Ends soon: what is under way is given up and counts as failed. Accepts NULL, returns NULL. */
struct vault *vault_free(struct vault *vault);

int64_t vault_purge_after_ms(struct vault *vault);

#endif
