/* drill: shows that a backup can be restored, by restoring it: into an empty directory and under a master
 * key of its own, where every document is opened, counts are compared and the chain is verified.
 * Afterwards the directory is gone.
 *
 * Thread: one that may wait. Errors: those of restore.h; -REASON_BACKUP_DAMAGED: it was restored, but
 * not what it should be.
 */
#ifndef VAULT_DRILL_H
#define VAULT_DRILL_H

#include <stdint.h>

#include "base/check.h"
#include "vault/backup.h"

struct drill_result {
	uint64_t documents, rows, checked, opened, damaged;
	int64_t took_ms;
};

/* `dir` must not be there yet; `ret` is filled as far as it came. */
MUST_CHECK int drill_run(const char *file, const uint8_t key[static BACKUP_FILE_KEY],
	const char *dir, struct drill_result *ret);
/* Removes what an interrupted drill has left there. */
void drill_clear(const char *dir);

#endif
