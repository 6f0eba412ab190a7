/* sealed_store: a store over another one, in which whoever has the disk, the dump or the backup reads no
 * personal data and no secret: bodies are sealed under keys of their tenants (sealed_docs.h,
 * sealed_rows.h, sealed_keys.h).
 *
 * What is asked goes to the store below at once, and answers are opened on the thread of their box:
 * keys are at hand. Only where a key is not (a tenant's first document, a key that another node made)
 * a thread of this store fetches it first. When the store below is away at that moment, the question
 * is answered by that error, appends without a box included; a tenant whose documents were read has
 * its key here, so rows of live licenses do not meet this.
 *
 * Thread: as store_open.h. Errors: as there; -REASON_MASTER_KEY_WRONG: the keys in this store were
 * wrapped by another master key.
 */
#ifndef SEALED_SEALED_STORE_H
#define SEALED_SEALED_STORE_H

#include "base/check.h"
#include "store/sealed/sealed_keys.h"
#include "store/store_open.h"

/* Takes `below` over, also on error. A store from before there were keys is sealed first, which takes
 * its time and goes on where it was interrupted; its journal rows stay as they are. */
MUST_CHECK int sealed_store_open(struct store *below,
	const uint8_t master[static SEALED_KEYS_MASTER], struct store **ret,
	char error[static STORE_ERROR]);

/* The store below: for what is carried as it stands. Owner: the sealed store. */
struct store *sealed_store_below(struct store *store);
struct sealed_keys *sealed_store_keys(struct store *store);
/* Tells the other nodes that a tenant's keys have changed. Theirs are read again within a second. */
MUST_CHECK int sealed_store_tell(struct store *store, const char *tenant);

#endif
