/* store_wait: the store for threads that may block (office threads, engawactl's offline verbs, tests): ask,
 * wait for the answer, get a copy.
 *
 * Thread: never a worker. Owner: the caller frees what `ret` holds by store_docs_free/store_rows_free.
 */
#ifndef STORE_STORE_WAIT_H
#define STORE_STORE_WAIT_H

#include "base/check.h"
#include "store/journal.h"
#include "store/state.h"

struct store_docs {
	struct state_doc *docs;
	size_t count;
	uint64_t fence;
	char *holder;
};

struct store_rows {
	struct journal_row *rows;
	size_t count;
	uint64_t checked, stubs, points, first_bad, last_seq;
	const char *fault;
	uint8_t last_hash[JOURNAL_HASH];
	struct journal_facts facts;
};

MUST_CHECK int store_wait_get(struct state *state, enum state_kind kind, const char *id,
	struct store_docs *ret);
MUST_CHECK int store_wait_put(struct state *state, const struct state_doc *doc,
	uint64_t *ret_version);
MUST_CHECK int store_wait_remove(struct state *state, enum state_kind kind,
	const char *id, uint64_t version);
MUST_CHECK int store_wait_list(struct state *state, enum state_kind kind,
	const char *tenant, const char *after, size_t limit, struct store_docs *ret);
MUST_CHECK int store_wait_locate(struct state *state, const char *license,
	struct store_docs *ret);
/* `ret` may be NULL where nobody cares for fence and holder; it is set also for
 * -REASON_LICENSE_IN_USE. */
MUST_CHECK int store_wait_claim(struct state *state, const char *license,
	const char *session, const char *holder, int64_t ttl_ms, struct store_docs *ret);
MUST_CHECK int store_wait_renew(struct state *state, const char *license,
	const char *session, int64_t ttl_ms);
MUST_CHECK int store_wait_release(struct state *state, const char *license,
	const char *session, uint64_t fence);
MUST_CHECK int store_wait_announce(struct state *state, const char *license,
	const char *node, const char *value, int64_t ttl_ms);
/* `ret` may be NULL; it is set also for -REASON_CONFLICT. */
MUST_CHECK int store_wait_stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct store_docs *ret);
MUST_CHECK int store_wait_withdraw(struct state *state, const char *license,
	const char *node);
MUST_CHECK int store_wait_raise(struct state *state, uint64_t least, uint64_t *ret_fence);
/* `last_seq` and `last_hash` of `ret` are the anchor. */
MUST_CHECK int store_wait_copy(struct journal *journal, uint64_t after_seq,
	struct store_rows *ret);
MUST_CHECK int store_wait_bring(struct journal *journal,
	const struct journal_point *anchor, const struct journal_row *rows, size_t count);
MUST_CHECK int store_wait_append(struct journal *journal, const struct journal_row *rows,
	size_t count);
MUST_CHECK int store_wait_query(struct journal *journal,
	const struct journal_query *query, struct store_rows *ret);
MUST_CHECK int store_wait_verify(struct journal *journal,
	const struct journal_point *points, size_t count, struct store_rows *ret);
/* `ret` may be NULL; its `checked` is how many rows went. */
MUST_CHECK int store_wait_purge(struct journal *journal,
	const struct journal_purge *purge, struct store_rows *ret);
MUST_CHECK int store_wait_look(struct journal *journal, struct store_rows *ret);

/* Many questions at once, so that one commit or one round trip of the store answers many of them. At
 * most STORE_WAIT_MANY. The first error is returned, when all have been answered. */
#define STORE_WAIT_MANY 1024
/* The documents that are there, in the order of `ids`; missing ones are no error. */
MUST_CHECK int store_wait_get_many(struct state *state, enum state_kind kind,
	const char *const ids[], size_t count, struct store_docs *ret);
/* Each with a status of its own: what is returned is an error only when nothing was asked. */
MUST_CHECK int store_wait_put_many(struct state *state, const struct state_doc *docs,
	size_t count, int *ret_status);
MUST_CHECK int store_wait_remove_many(struct state *state, enum state_kind kind,
	const char *const ids[], size_t count, int *ret_status);
/* 1 for each that is present somewhere. */
MUST_CHECK int store_wait_locate_many(struct state *state, const char *const licenses[],
	size_t count, uint8_t *ret_present);

void store_docs_free(struct store_docs *docs);
void store_rows_free(struct store_rows *rows);

#endif
