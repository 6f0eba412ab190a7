/* restore_verb: "engawa-gateway restore": a backup into an empty place, without a running gateway.
 *
 * Into a directory that is not there or empty, it brings everything: certificates and keys as they were,
 * and the store. Into a directory that is set up (its own master key and certificates), only the store,
 * which must be empty. A further node of the cluster is then made by init --from.
 * Thread: main. Errors come with one line: those of vault/restore.h and setup/data_dir.h.
 */
#ifndef RESTORE_VERB_H
#define RESTORE_VERB_H

#include <stdio.h>

#include "base/check.h"
#include "vault/backup.h"

#define RESTORE_VERB_ERROR 640

struct restore_verb_plan {
	const char *data, *from, *key;
	const char *store; /* NULL: DIR/engawa.db */
};

MUST_CHECK int restore_verb_run(const struct restore_verb_plan *plan,
	struct backup_counts *ret, char error[static RESTORE_VERB_ERROR]);
void restore_verb_print(const struct backup_counts *counts, int json, FILE *out);

#endif
