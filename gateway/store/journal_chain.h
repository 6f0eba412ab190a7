/* journal_chain: the hash chain of the journal, exactly, so that somebody who trusts none of our
 * programs can check it with a few lines of his own.
 *
 * A netstring of the bytes b is the decimal length of b, ":", b, ",". Numbers are written in decimal
 * without leading zeros.
 *
 *   rest(n) = SHA-256( net(node) net(tenant) net(license) net(body) )
 *   hash(n) = SHA-256( hash(n-1), 32 raw bytes
 *                      || net("engawa-journal-2") net(seq) net(kind) net(at_ms) net(rest(n), 32 raw bytes) )
 *
 *   node     the name of the writing node
 *   tenant   "" for the operator's own
 *   license  "" where none is concerned
 *   body     the bytes of the text exactly as stored, sealed or not
 *   seq      starts at 1 and has no holes; hash(0) is 32 zero bytes
 *   kind     "audit", "login", "session" or "bandwidth"
 *   at_ms    UTC in milliseconds since 1970
 *
 * In Python:
 *
 *   net = lambda b: str(len(b)).encode() + b":" + b + b","
 *   rest = sha256(b"".join(net(x) for x in (node, tenant, license, body))).digest()
 *   hash = sha256(hash + b"".join(net(x) for x in (b"engawa-journal-2", seq, kind, at_ms, rest))).digest()
 *
 * A *stub* stands where a row was whose time is over: seq, kind, at_ms, rest, hash. Nobody can tell from
 * it what the row said, and the chain goes on through it. It is in order only where the row was older
 * than its class is kept at least (rules/retention.h: records 365 days, counts 31), by the clock of
 * who verifies; else the fault is "removed early". Stubs at the start of the chain are dropped when
 * they are older than STUB_DAYS; the seq and hash of the last one is kept as the *anchor*, and the
 * chain then starts there. The *head* is the seq and hash of the newest row, written in the same
 * transaction, so that rows missing at the end show.
 *
 * Whoever can write to the store can make a new chain that is in order. Signed checkpoints
 * (journal_checkpoint.h) are points that he cannot make: a chain that does not go through one is
 * "rewritten", one that ends before it has a "missing tail", and an anchor beyond one that is
 * younger than records are kept at least was "removed early".
 *
 * Thread: any; a check is a value of its caller.
 */
#ifndef STORE_JOURNAL_CHAIN_H
#define STORE_JOURNAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/journal.h"

/* The form of chain that a store holds; a store of another form is refused. */
#define JOURNAL_CHAIN_FORM 2
/* Stubs at the start go after so long: a week more than the rows, because a row that waited in a
 * spool is older than the checkpoint that was before it. */
#define JOURNAL_CHAIN_STUB_DAYS (365 + 7)

/* A place in the chain: everything up to `seq` gives `hash`. All zero: before the first row. */
struct journal_mark {
	uint64_t seq;
	uint8_t hash[JOURNAL_HASH];
};

struct journal_stub {
	uint64_t seq;
	enum journal_kind kind;
	int64_t at_ms;
	uint8_t rest[JOURNAL_HASH], hash[JOURNAL_HASH];
};

/* The hash of `row` (its seq and node set) after `previous`. -REASON_NO_MEMORY. */
MUST_CHECK int journal_chain_hash(const uint8_t previous[static JOURNAL_HASH],
	const struct journal_row *row, uint8_t ret[static JOURNAL_HASH]);
/* What is left of `row`, its hash set, when it goes. -REASON_NO_MEMORY. */
MUST_CHECK int journal_chain_stub(const struct journal_row *row,
	struct journal_stub *ret);

/* A walk along the chain: start at the anchor, feed rows and stubs in order of seq, end at the head.
 * The first fault stands; what comes after it is ignored. The points are borrowed. */
struct journal_check {
	struct journal_mark at;
	uint64_t checked, stubs, met, first_bad;
	const char *fault; /* NULL: none so far */
	int64_t now_ms;
	const struct journal_point *points;
	size_t count, next;
};

void journal_chain_start(struct journal_check *check, const struct journal_mark *anchor,
	const struct journal_point *points, size_t count);
/* 0: in order. 1: a fault was found, no use in feeding more. -REASON_NO_MEMORY. */
MUST_CHECK int journal_chain_row(struct journal_check *check,
	const struct journal_row *row);
MUST_CHECK int journal_chain_gone(struct journal_check *check,
	const struct journal_stub *stub);
/* For a row that cannot be read as one: `seq` is bad, because of `fault`. */
void journal_chain_bad(struct journal_check *check, uint64_t seq, const char *fault);
void journal_chain_end(struct journal_check *check, const struct journal_mark *head);
void journal_chain_answer(const struct journal_check *check, struct journal_answer *ret);

#endif
