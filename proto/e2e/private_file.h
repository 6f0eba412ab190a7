/* private_file: JSON files with secrets: mode 0600, read whole or not at all, replaced atomically
 * (temporary file, fsync, rename, fsync of the directory), and what is replaced is wiped.
 *
 * Thread: any. In a program that contains this file all memory of jansson is wiped when freed.
 * Errors: -REASON_NOT_FOUND, _FILE_EXPOSED (others can read it, another user owns it, or it is no
 * plain file), _STATE_DAMAGED (no JSON object, too big), _FILE_UNREADABLE, _FILE_UNWRITABLE,
 * _DISK_FULL, _CONFLICT, _TIMEOUT, _NO_MEMORY. On error the old file stands as it was.
 */
#ifndef E2E_PRIVATE_FILE_H
#define E2E_PRIVATE_FILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define PRIVATE_FILE_MAX (256 * 1024)
#define PRIVATE_FILE_PATH 1024

/* "dir/name" or "dir/name.suffix"; -REASON_LIMIT when it does not fit. */
MUST_CHECK int private_file_path(char ret[static PRIVATE_FILE_PATH], const char *dir,
	const char *name, const char *suffix);
/* Makes the directory with mode 0700 when it is missing (not its parents). */
MUST_CHECK int private_file_directory(const char *dir);
/* The object belongs to the caller. */
MUST_CHECK int private_file_read(const char *path, json_t **ret);
/* The file that this thread read last, or ""; the one to name when what was in it is refused. */
const char *private_file_last(void);
/* Replaces the file or makes it. */
MUST_CHECK int private_file_write(const char *path, const json_t *object);
/* Makes the file; -REASON_CONFLICT when there is one. */
MUST_CHECK int private_file_create(const char *path, const json_t *object);
/* Wipes its content, then removes it. -REASON_NOT_FOUND. */
MUST_CHECK int private_file_remove(const char *path);
/* Removes what writers that were killed have left. */
void private_file_tidy(const char *dir);
/* An exclusive lock between processes, on a file of its own ("DIR/.lock"); waits at most 2 s.
 * -REASON_NOT_FOUND when there is no such directory. */
MUST_CHECK int private_file_lock(const char *dir, int *ret_lock);
/* Returns -1, so that the owner writes: lock = private_file_unlock(lock). */
int private_file_unlock(int lock);

/* Members of an object; -REASON_STATE_DAMAGED when missing or of the wrong kind or size. */
MUST_CHECK int private_file_get_bytes(const json_t *object, const char *member,
	uint8_t *ret, size_t len);
MUST_CHECK int private_file_get_text(const json_t *object, const char *member, char *ret,
	size_t size);
MUST_CHECK int private_file_get_number(const json_t *object, const char *member,
	int64_t least, int64_t most, int64_t *ret);
MUST_CHECK int private_file_set_bytes(json_t *object, const char *member,
	const uint8_t *bytes, size_t len);

#endif
