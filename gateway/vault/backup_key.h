/* backup_key: the file with the key of backups: 64 hexadecimal digits, closed to others. It is not the
 * master key: a backup and this file restore anywhere, so it is kept apart from the backups.
 *
 * Thread: any. `error` has 256 bytes and says which file. Errors: -REASON_FILE_UNREADABLE,
 * -REASON_FILE_EXPOSED, -REASON_STATE_DAMAGED, -REASON_FILE_UNWRITABLE, -REASON_NO_RANDOM.
 */
#ifndef VAULT_BACKUP_KEY_H
#define VAULT_BACKUP_KEY_H

#include "vault/backup_file.h"

MUST_CHECK int backup_key_read(const char *path, uint8_t ret[static BACKUP_FILE_KEY],
	char *error);
/* The same; makes the file when there is none. */
MUST_CHECK int backup_key_make(const char *path, uint8_t ret[static BACKUP_FILE_KEY],
	char *error);

#endif
