/* license_batch: new licenses by the hundred: their rows of the journal are written together, then
 * their documents, so that 50,000 of them cost hundreds of commits and not a hundred thousand.
 *
 * Thread: that of the call. Owner: the caller; a batch holds keys and passwords and is wiped.
 * Errors: -REASON_NO_MEMORY; of writing also those of the journal.
 */
#ifndef ADMIN_LICENSE_BATCH_H
#define ADMIN_LICENSE_BATCH_H

#include "admin/call.h"
#include "rules/license.h"

#define LICENSE_BATCH 256

struct license_batch;

struct license_batch_made {
	long line;  /* what the caller called it */
	int status; /* 0, or why it was not made */
	char id[LICENSE_KEY_ID_SIZE], key[LICENSE_KEY_TEXT_SIZE],
		password[PASSWORD_GENERATED];
};

MUST_CHECK int license_batch_new(struct call *call, struct license_batch **ret);
/* Accepts NULL, returns NULL. */
struct license_batch *license_batch_free(struct license_batch *batch);
int license_batch_full(const struct license_batch *batch);
/* Gives it id, key, password and times. Nothing is written yet. */
MUST_CHECK int license_batch_add(struct license_batch *batch, struct license *license,
	long line);
/* Writes what was added and empties the batch. *ret: one per license, until the next call. When the
 * rows could not be written nothing was made, and that is what is returned. */
MUST_CHECK int license_batch_write(struct license_batch *batch,
	const struct license_batch_made **ret, size_t *ret_count);

#endif
