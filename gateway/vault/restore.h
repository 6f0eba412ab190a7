/* restore: reads a backup (backup.h): checks all of it before anything is written, then fills an empty
 * store, wraps the data keys by the master key of the place where they are now, and puts back the files
 * of a node's directory.
 *
 * A store that is being filled has the mark STATE_META "restoring" until it is whole: no gateway starts
 * on it. Thread: one that may wait. Errors: those of backup_file.h and of the store; -REASON_CONFLICT: the
 * store is not empty; -REASON_CLOCK_OFF: this machine's clock is behind the backup.
 */
#ifndef VAULT_RESTORE_H
#define VAULT_RESTORE_H

#include "base/check.h"
#include "vault/backup.h"

struct store;

#define RESTORE_MARK "restoring"

struct restore_head {
	struct backup_counts counts;
	char node[65], version[33], note[513];
	int has_files;
};

/* Reads everything: each chunk opens, each line is understood, the chain is in order, the counts are those
 * that were counted. */
MUST_CHECK int restore_check(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct restore_head *ret);
/* Fills `below`, a store without sealing. `was` is the master key of where the backup was made, so that
 * its checkpoints can be signed anew; NULL: the same, or nobody checks them. */
MUST_CHECK int restore_fill(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct store *below, const uint8_t *master, const uint8_t *was,
	struct backup_counts *ret);

/* Hands out the files of the node's directory. `each` returns 0 or what ends it. */
MUST_CHECK int restore_files(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	int (*each)(void *ctx, const char *name, int mode, const char *text), void *ctx);

#endif
