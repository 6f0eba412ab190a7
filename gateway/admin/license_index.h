/* license_index: all licenses of the service as cards in memory (rules/license_card.h), so that a filter
 * over 50,000 of them is answered without parsing 50,000 documents.
 *
 * The truth is the store. The index reads it whole when the node starts; from then on again whatever it
 * is told that was written: by this node at once, by others through the bus ("news"), and every few
 * minutes it compares the versions of all, should news have been lost. What it answers are ids: who
 * shows a license reads its document, so that nothing stale is shown.
 *
 * Thread: new and free from main; the rest any office thread, which it may block for the store; it has
 * one thread of its own. Errors: -REASON_STORE_UNAVAILABLE while it could not be read yet.
 */
#ifndef ADMIN_LICENSE_INDEX_H
#define ADMIN_LICENSE_INDEX_H

#include <stddef.h>

#include "base/check.h"
#include "rules/license_card.h"

struct license_index;
struct store;

MUST_CHECK int license_index_new(struct store *store, struct license_index **ret);
/* Accepts NULL, returns NULL. */
struct license_index *license_index_free(struct license_index *index);

/* This license was written or removed: the next answer knows it. */
void license_index_touch(struct license_index *index, const char *id);

/* What is known to have been written just now needs not be read for that. Takes the card over. */
void license_index_put(struct license_index *index, struct license_card *card);

/* More than any service has; a page of so many has no next. */
#define LICENSE_INDEX_MOST 1000000

struct license_index_page {
	char (*ids)[LICENSE_KEY_ID_SIZE]; /* the caller frees */
	size_t count, total;              /* total: all that match, from the start on */
	int more;
};

/* In order of id, at most `limit` after `after` (NULL: from the start). */
MUST_CHECK int license_index_find(struct license_index *index,
	const struct license_filter *filter, const char *after, size_t limit,
	struct license_index_page *ret);

/* Every card that matches, in order of id; stops when `each` returns other than 0, and returns that.
 * Under the lock of the index: no question to it or to the store from there. */
MUST_CHECK int license_index_each(struct license_index *index,
	const struct license_filter *filter,
	int (*each)(void *ctx, const struct license_card *card), void *ctx);
/* -REASON_* or how many match. */
long license_index_count(struct license_index *index,
	const struct license_filter *filter);

#endif
