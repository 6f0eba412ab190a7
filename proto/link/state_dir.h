/* state_dir: where an end keeps its keys, and small files that the user hands over.
 *
 * Thread: main. Errors: -REASON_FILE_UNWRITABLE, -REASON_DISK_FULL, -REASON_LIMIT,
 * -REASON_FILE_UNREADABLE, -REASON_FILE_EXPOSED (a directory that others may write into).
 */
#ifndef LINK_STATE_DIR_H
#define LINK_STATE_DIR_H

#include <stddef.h>

#include "base/check.h"

/* `given`, or $XDG_STATE_HOME/engawa/<role>, or ~/.local/state/engawa/<role>. Made with mode 0700, parents too. */
MUST_CHECK int state_dir(const char *given, const char *role, char *ret, size_t size);
/* The first line of a file (a password, a key) without its line end; "-" is standard input. */
MUST_CHECK int state_dir_first_line(const char *path, char *ret, size_t size);

/* What to name when state was refused: the file that is at fault, else `otherwise`. */
const char *state_dir_blame(int status, const char *otherwise);

#endif
