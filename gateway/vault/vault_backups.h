/* vault_backups: the backups of a node and their drills.
 *
 * Each backup has a record, STATE_META "backup/ID": {"id","node","file","note","by","state":
 * "waiting"|"running"|"done"|"failed","reason","made_ms","ended_ms","bytes","documents","rows","keys",
 * "drill":{"state","by","at_ms","documents","rows","checked","reason"}}. The file is backup.dir/ID.backup on
 * the node that made it. Of several nodes one makes the scheduled backup: the one that takes STATE_META
 * "backup-turn" first.
 *
 * Thread: any that may block; the work is done on the vault's. Errors: those of backup.h.
 */
#ifndef VAULT_VAULT_BACKUPS_H
#define VAULT_VAULT_BACKUPS_H

#include <jansson.h>

#include "base/check.h"
#include "vault/vault.h"

/* Orders a backup; its record is there when this returns. */
MUST_CHECK int vault_backups_order(struct vault *vault, const char *note, const char *by,
	char ret_id[static VAULT_ID]);
/* Orders a drill of a backup of this node. -REASON_NOT_FOUND, -REASON_CONFLICT (it is not done). */
MUST_CHECK int vault_backups_drill(struct vault *vault, const char *id, const char *by);
/* Removes record and file. */
MUST_CHECK int vault_backups_remove(struct vault *vault, const char *id);
/* The record, or all of them, newest first. */
MUST_CHECK int vault_backups_show(struct vault *vault, const char *id, json_t **ret);
MUST_CHECK int vault_backups_list(struct vault *vault, json_t **ret_array);

#endif
