/* sealed_rows: journal rows as they stand in a store, and back. A box is bound to the kind, tenant, license
 * and time of its row. The chain is over what stands in the store, so that it is verified without
 * any key, also after keys were destroyed.
 *
 * Thread: any. Results as in sealed_docs.h. Errors: -REASON_NO_MEMORY, -REASON_STATE_DAMAGED.
 */
#ifndef SEALED_SEALED_ROWS_H
#define SEALED_SEALED_ROWS_H

#include "store/journal.h"
#include "store/sealed/sealed_keys.h"

/* Rows of one append or of one answer; what was not changed is borrowed. */
struct sealed_rows {
	struct journal_row *rows;
	size_t count;
	char **bodies; /* sealed ones */
	char *text;    /* opened ones */
	size_t size;
};

/* 1: *ret_missing is a row whose key has to be loaded. */
MUST_CHECK int sealed_rows_close(struct sealed_keys *keys, const struct journal_row *rows,
	size_t count, struct sealed_rows *ret, size_t *ret_missing);
/* A row whose key was destroyed gets the body {"erased":true}; one that does not open although its
 * key is there, {"damaged":true}. Rows from before there were keys are as they are. */
MUST_CHECK int sealed_rows_open(struct sealed_keys *keys, const struct journal_row *rows,
	size_t count, struct sealed_rows *ret, size_t *ret_missing);
/* Wipes. */
void sealed_rows_done(struct sealed_rows *rows);

#endif
