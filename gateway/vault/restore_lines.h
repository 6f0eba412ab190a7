/* restore_lines: the lines of a backup, one after another, as what they say.
 *
 * Thread: one. Owner: the caller closes it. Errors: those of backup_file.h; a line that is none of
 * backup.h's is -REASON_BACKUP_DAMAGED.
 */
#ifndef VAULT_RESTORE_LINES_H
#define VAULT_RESTORE_LINES_H

#include <jansson.h>

#include "store/journal_chain.h"
#include "vault/restore.h"

enum restore_line_kind {
	RESTORE_END_OF_FILE,
	RESTORE_HEAD,
	RESTORE_FILE,
	RESTORE_KEY,
	RESTORE_DOC,
	RESTORE_ANCHOR,
	RESTORE_ROW,
	RESTORE_END
};

/* What a line says; its strings live until the next one. */
struct restore_line {
	enum restore_line_kind kind;
	struct restore_head head;
	const char *name, *text; /* of a file */
	int mode;
	struct state_doc doc; /* also of a key, whose key stands bare, in hex */
	const char *bare;
	struct journal_row row;
	struct backup_counts end;
	struct journal_mark mark; /* anchor; of the end: the head */
};

struct restore_lines;

MUST_CHECK int restore_lines_open(const char *path,
	const uint8_t key[static BACKUP_FILE_KEY], struct restore_lines **ret);
MUST_CHECK int restore_lines_next(struct restore_lines *lines, struct restore_line *ret);
struct restore_lines *restore_lines_close(struct restore_lines *lines);

#endif
