/* journal_audit: the whole verification of a journal: its chain, and every signed checkpoint that is known, of
 * the store and of files, each on the chain.
 *
 * Faults beside those of journal.h: "forged checkpoint" (a signature that is not ours).
 * Thread: one that may block; minutes for millions of rows. Errors: those of the store, and
 * -REASON_NO_MEMORY; a fault that was found is no error.
 */
#ifndef STORE_JOURNAL_AUDIT_H
#define STORE_JOURNAL_AUDIT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/journal_checkpoint.h"

struct store;

struct journal_audit {
	uint64_t checked, stubs, first_bad, last_seq;
	const char *fault; /* NULL: all is in order */
	uint8_t last_hash[JOURNAL_HASH];
	uint64_t checkpoints;             /* that are known, each once */
	uint64_t met;                     /* that the chain was seen to go through */
	uint64_t files;                   /* files of checkpoints that could be read */
	struct journal_checkpoint newest; /* seq 0: there is none */
	uint64_t unsigned_rows;           /* rows behind it */
	int64_t at_ms;                    /* when this was found */
};

/* `files`: names of files of checkpoints, one per line; those that are not there are left out. */
MUST_CHECK int journal_audit_run(struct store *store, const struct journal_signer *signer,
	const char *const files[], size_t count, struct journal_audit *ret);
/* As the API and the offline verb print it; a new reference, NULL when memory is out. */
json_t *journal_audit_json(const struct journal_audit *audit,
	const struct journal_signer *signer);

#endif
