/* vault: the care for what is stored: backups by schedule and on demand, drills that restore them, keys
 * that are renewed, contracts whose time after their end is over.
 *
 * Each backup has a record, STATE_META "backup/ID": {"id","node","file","note","by","state":
 * "waiting"|"running"|"done"|"failed","reason","made_ms","ended_ms","bytes","documents","rows","keys",
 * "drill":{"state","by","at_ms","documents","rows","checked","reason"}}. The file is backup.dir/ID.backup on
 * the node that made it. STATE_META "reseal/TENANT" (of the operator "reseal/") is there while documents
 * are brought under a renewed key, so that it goes on after a restart.
 *
 * Of several nodes one makes the scheduled backup: the one that takes STATE_META "backup-turn" first.
 *
 * Thread: one of its own, which may block in the store; functions from any thread that may block.
 * Owner: gateway.c; it is freed before the store is closed. Errors: those of backup.h.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <jansson.h>
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

/* Orders a backup; its record is there when this returns. */
MUST_CHECK int vault_back_up(struct vault *vault, const char *note, const char *by,
	char ret_id[static VAULT_ID]);
/* Orders a drill of a backup of this node. -REASON_NOT_FOUND, -REASON_CONFLICT (it is not done). */
MUST_CHECK int vault_drill(struct vault *vault, const char *id, const char *by);
/* Removes record and file. */
MUST_CHECK int vault_remove(struct vault *vault, const char *id);
/* The record, or all of them, newest first. */
MUST_CHECK int vault_show(struct vault *vault, const char *id, json_t **ret);
MUST_CHECK int vault_list(struct vault *vault, json_t **ret_array);

/* A new key for a tenant ("" the operator's own), at once; documents follow in the background. */
MUST_CHECK int vault_rotate(struct vault *vault, const char *tenant,
	uint32_t *ret_generation);
int64_t vault_purge_after_ms(struct vault *vault);

#endif
