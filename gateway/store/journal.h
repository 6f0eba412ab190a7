/* journal: the append-only history: audit, login, session and bandwidth rows, chained by hash.
 *
 * Thread: as store/state.h: any thread, never blocks, the answer runs on the thread of `box`.
 * A row that was acknowledged survives kill -9. The body is text that the store does not look into;
 * the columns below are kept beside it, in clear, for filters: nothing personal belongs there. Times
 * are UTC, ms since 1970.
 * The chain goes over all rows of the store in order of `seq`, whatever node wrote them. A row whose
 * time is over leaves a stub, so that the chain can still be followed; journal_chain.h is exact.
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

/* What is kept for how long: who did what, and how much was carried. */
enum journal_class { JOURNAL_RECORDS, JOURNAL_COUNTS, JOURNAL_CLASSES };

#define JOURNAL_HASH 32
#define JOURNAL_BODY_MAX (32 * 1024)
#define JOURNAL_BOX_MAX (JOURNAL_BODY_MAX / 3 * 4 + 512) /* sealed: store/sealed */
#define JOURNAL_APPEND_MAX 1000
#define JOURNAL_QUERY_MAX 1000
#define JOURNAL_SERIES_MAX 80

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
	/* The rows of one thing that ends once, whoever writes the last of them: after that one the store takes no
	 * row of this series. Said at an append only; it is not part of the row. NULL or "": of none. */
	const char *series;
	enum { JOURNAL_GOES_ON, JOURNAL_LAST } place;
};

struct journal_query {
	enum journal_kind kind;
	const char *tenant, *license; /* NULL: any */
	int64_t from_ms, to_ms;       /* from <= at < to; 0: open */
	uint64_t after_seq; /* 0: from the start (or the end, when newest first) */
	size_t limit;       /* at most 1000 */
	enum { JOURNAL_OLDEST_FIRST, JOURNAL_NEWEST_FIRST } order;
};

/* What somebody knows of the chain from elsewhere: at `at_ms` it went up to `seq` and that gave
 * `hash` (journal_checkpoint.h). */
struct journal_point {
	uint64_t seq;
	uint8_t hash[JOURNAL_HASH];
	int64_t at_ms;
};

/* What may go: rows before these moments, by their class. */
struct journal_keep {
	const char *tenant;
	int64_t before_ms; /* of its records, whatever the rule for all says */
};
struct journal_purge {
	int64_t before_ms[JOURNAL_CLASSES];
	int64_t stubs_before_ms; /* stubs at the start of the chain */
	const struct journal_keep *tenants;
	size_t count;
};

/* What there is. */
struct journal_facts {
	uint64_t rows[JOURNAL_KINDS], stubs;
	uint64_t anchor_seq; /* the chain begins after this one */
	int64_t first_ms;    /* time of the oldest row, 0: there is none */
	uint64_t bytes;      /* of the whole store, documents included; 0: not known */
};

struct journal_answer {
	int status;
	const struct journal_row *rows;
	size_t count;
	size_t left_out; /* append: rows whose series had ended */
	/* verify */
	uint64_t checked;   /* rows that are in order; purge: rows that went */
	uint64_t stubs;     /* stubs that are in order */
	uint64_t points;    /* points that agree, those before the anchor left out */
	uint64_t first_bad; /* seq of the first bad row, 0: none */
	/* "hash", "gap", "order", "missing tail", "hidden", "removed early", "rewritten" */
	const char *fault;
	uint64_t last_seq; /* look: the head; copy: the anchor */
	uint8_t last_hash[JOURNAL_HASH];
	struct journal_facts facts; /* look */
};

typedef void (*journal_done)(void *ctx, const struct journal_answer *answer);

struct journal;

struct journal_vtable {
	void (*append)(struct journal *, const struct journal_row *rows, size_t count,
		struct post_box *, journal_done, void *ctx);
	void (*query)(struct journal *, const struct journal_query *, struct post_box *,
		journal_done, void *ctx);
	void (*verify)(struct journal *, const struct journal_point *points, size_t count,
		struct post_box *, journal_done, void *ctx);
	void (*purge)(struct journal *, const struct journal_purge *, struct post_box *,
		journal_done, void *ctx);
	void (*look)(struct journal *, struct post_box *, journal_done, void *ctx);
	void (*copy)(struct journal *, uint64_t after_seq, struct post_box *,
		journal_done, void *ctx);
	void (*bring)(struct journal *, const struct journal_point *anchor,
		const struct journal_row *rows, size_t count, struct post_box *,
		journal_done, void *ctx);
};

struct journal {
	const struct journal_vtable *vtable;
};

/* All rows or none, at most JOURNAL_APPEND_MAX. The answer has the last row's seq and hash in
 * last_seq and last_hash; 0 when the rows wait on this node's disk for a store that is away: they get
 * theirs, and are seen by queries, when they are delivered. `box` may be NULL: nobody waits for the
 * answer (the row is durable soon).
 * Rows of a series that has ended are left out and counted in left_out; the others are taken. Of rows that waited
 * on the disk, which were promised, only a second last one is left out when they are delivered. That a series has ended is known as long as its
 * last row is kept; a restored backup does not know it.
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

/* Recomputes the whole chain and compares it with the points, which are in order of seq. status is 0
 * also when a bad row was found. */
static inline void journal_verify(struct journal *journal,
	const struct journal_point *points, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	journal->vtable->verify(journal, points, count, box, done, ctx);
}

/* Puts stubs in the place of rows whose time is over. Stubs with nothing before them but such, and
 * older than stubs_before_ms, go too: the chain then begins after them. */
static inline void journal_purge(struct journal *journal,
	const struct journal_purge *purge, struct post_box *box, journal_done done,
	void *ctx)
{
	journal->vtable->purge(journal, purge, box, done, ctx);
}

/* The head of the chain and how much there is; quick, whatever there is. */
static inline void journal_look(struct journal *journal, struct post_box *box,
	journal_done done, void *ctx)
{
	journal->vtable->look(journal, box, done, ctx);
}

/* For backups: what stands after this seq, of every kind, as it stands, some of it; no rows: there are
 * no more. A stub is a row with the node "" and with its rest, in hex, for body. */
static inline void journal_copy(struct journal *journal, uint64_t after_seq,
	struct post_box *box, journal_done done, void *ctx)
{
	journal->vtable->copy(journal, after_seq, box, done, ctx);
}

/* For restoring: puts what was copied behind what is there, with its own seq, node and hash. Into an
 * empty journal it goes behind `anchor`. Nothing is verified but that seq goes on:
 * -REASON_CONFLICT. */
static inline void journal_bring(struct journal *journal,
	const struct journal_point *anchor, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done done, void *ctx)
{
	journal->vtable->bring(journal, anchor, rows, count, box, done, ctx);
}

enum journal_class journal_class_of(enum journal_kind kind);

/* For the implementations. What is before this moment may go; a copy with everything in it, freed by
 * free(), NULL when there is no memory. */
int64_t journal_purge_before(const struct journal_purge *purge, enum journal_kind kind,
	const char *tenant);
int64_t journal_purge_latest(const struct journal_purge *purge, enum journal_kind kind);
struct journal_purge *journal_purge_copy(const struct journal_purge *purge);
/* For the implementations: a stub as journal_copy() gives it, and back. -REASON_STATE_DAMAGED. */
struct journal_stub;
int journal_is_stub(const struct journal_row *row);
void journal_stub_row(const struct journal_stub *stub, struct journal_row *ret,
	char ret_body[static 2 * JOURNAL_HASH + 1]);
MUST_CHECK int journal_row_stub(const struct journal_row *row, struct journal_stub *ret);
/* For the implementations: -REASON_LIMIT when there are too many rows or a part is too long. */
MUST_CHECK int journal_rows_check(const struct journal_row *rows, size_t count);

/* "audit"; part of the canonical text of a row. */
const char *journal_kind_name(enum journal_kind kind);

#endif
