/* backup_file: an encrypted file of lines: what a backup is written into.
 *
 *   16 bytes  "ENGAWA-BACKUP-1\n"
 *   32 bytes  salt, random
 *   then chunks: 4 bytes big-endian, length of what is in it (at most 64 KiB), top bit set in the last
 *   one; so many bytes of AES-256-GCM; tag, 16 bytes
 *
 * The key is HKDF-SHA256(key of the file, salt, "engawa backup 1"), so each file has its own, and the
 * nonce can be the number of the chunk. Every chunk is bound to the salt, its number and whether it is
 * the last: nothing can be cut off, left out, swapped or brought in from another file. Inside are
 * lines, each ended by a newline.
 *
 * A new file stands as DIR/.NAME.part until it is whole and durable; a crash leaves no half one under
 * its name. Thread: one. Errors: -REASON_DISK_FULL, -REASON_FILE_UNWRITABLE, -REASON_FILE_UNREADABLE,
 * -REASON_BACKUP_DAMAGED (also: another key), -REASON_NO_MEMORY.
 */
#ifndef VAULT_BACKUP_FILE_H
#define VAULT_BACKUP_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define BACKUP_FILE_KEY 32
#define BACKUP_FILE_LINE_MAX (4 << 20)

struct backup_file;

MUST_CHECK int backup_file_create(const char *dir, const char *name,
	const uint8_t key[static BACKUP_FILE_KEY], struct backup_file **ret);
/* `line` has no newline in it. */
MUST_CHECK int backup_file_put(struct backup_file *archive, const char *line);
/* Ends it, makes it durable and gives it its name, which nothing may have yet. */
MUST_CHECK int backup_file_commit(struct backup_file *archive, uint64_t *ret_bytes);

MUST_CHECK int backup_file_open(const char *path,
	const uint8_t key[static BACKUP_FILE_KEY], struct backup_file **ret);
/* The next line, which lives until the next call. 1: it is there; 0: the end, all of it was read. */
MUST_CHECK int backup_file_next(struct backup_file *archive, const char **ret);

/* One that was not committed is removed. Accepts NULL, returns NULL. */
struct backup_file *backup_file_free(struct backup_file *archive);

#endif
