/* journal: the append-only history: audit, login, session and bandwidth rows, chained by hash.
 *
 * Thread: as store/state.h: any thread, never blocks, the answer runs on the thread of `box`.
 * A row that was acknowledged survives kill -9. Rows are JSON objects; the columns below are kept
 * beside them for filters. Times are UTC, ms since 1970.
 * The chain: hash = SHA-256(previous hash || canonical text of the row), over all rows of the store in
 * order of `seq`, whatever node wrote them; journal_chain.h defines the canonical text.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/post.h"

enum journal_kind {
	JOURNAL_AUDIT,
	JOURNAL_LOGIN,
	JOURNAL_SESSION,
	JOURNAL_BANDWIDTH,
	JOURNAL_KINDS
};

#define JOURNAL_HASH 32
#define JOURNAL_BODY_MAX (32 * 1024)
#define JOURNAL_APPEND_MAX 1000
#define JOURNAL_QUERY_MAX 1000

struct journal_row {
	enum journal_kind kind;
	const char *tenant;  /* "" : the operator's own */
	const char *license; /* "" where none is concerned */
	int64_t at_ms;
	const char *body; /* JSON object with the kind's fields */
	/* set by the store */
	uint64_t seq;
	const char *node;
	uint8_t hash[JOURNAL_HASH];
};

struct journal_query {
	enum journal_kind kind;
	const char *tenant, *license; /* NULL: any */
	int64_t from_ms, to_ms;       /* from <= at < to; 0: open */
	uint64_t after_seq; /* 0: from the start (or the end, when newest first) */
	size_t limit;       /* at most 1000 */
	enum { JOURNAL_OLDEST_FIRST, JOURNAL_NEWEST_FIRST } order;
};

struct journal_answer {
	int status;
	const struct journal_row *rows;
	size_t count;
	/* verify */
	uint64_t checked;   /* rows that are in order */
	uint64_t first_bad; /* seq of the first bad row, 0: none */
	const char *fault;  /* "hash", "gap", "order", "missing tail" */
	uint64_t last_seq;
	uint8_t last_hash[JOURNAL_HASH];
};

typedef void (*journal_done)(void *ctx, const struct journal_answer *answer);

struct journal;

struct journal_vtable {
	void (*append)(struct journal *, const struct journal_row *rows, size_t count,
		struct post_box *, journal_done, void *ctx);
	void (*query)(struct journal *, const struct journal_query *, struct post_box *,
		journal_done, void *ctx);
	void (*verify)(struct journal *, struct post_box *, journal_done, void *ctx);
	void (*purge)(struct journal *, int64_t before_ms, struct post_box *,
		journal_done, void *ctx);
};

struct journal {
	const struct journal_vtable *vtable;
};

/* All rows or none, at most JOURNAL_APPEND_MAX. The answer has the last row's seq and hash in
 * last_seq and last_hash; 0 when the rows wait on this node's disk for a store that is away: they get
 * theirs, and are seen by queries, when they are delivered. `box` may be NULL: nobody waits for the
 * answer (the row is durable soon).
 * -REASON_LIMIT, -REASON_DISK_FULL, -REASON_STORE_UNAVAILABLE, -REASON_STATE_DAMAGED. */
static inline void journal_append(struct journal *journal, const struct journal_row *rows,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	journal->vtable->append(journal, rows, count, box, done, ctx);
}

static inline void journal_query(struct journal *journal,
	const struct journal_query *query, struct post_box *box, journal_done done,
	void *ctx)
{
	journal->vtable->query(journal, query, box, done, ctx);
}

/* Recomputes the whole chain. status is 0 also when a bad row was found. */
static inline void journal_verify(struct journal *journal, struct post_box *box,
	journal_done done, void *ctx)
{
	journal->vtable->verify(journal, box, done, ctx);
}

/* Removes rows older than `before_ms` from the start of the chain and keeps the hash they ended
 * with, so that what is left still verifies. `checked` is how many were removed. A row that is
 * older but stands after a younger one goes when that one goes. */
static inline void journal_purge(struct journal *journal, int64_t before_ms,
	struct post_box *box, journal_done done, void *ctx)
{
	journal->vtable->purge(journal, before_ms, box, done, ctx);
}

/* For the implementations: -REASON_LIMIT when there are too many rows or a part is too long. */
MUST_CHECK int journal_rows_check(const struct journal_row *rows, size_t count);

/* "audit"; part of the canonical text of a row. */
const char *journal_kind_name(enum journal_kind kind);

#endif
