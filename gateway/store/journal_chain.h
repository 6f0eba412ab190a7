/* journal_chain: the hash chain of the journal, exactly, so that somebody who trusts none of our
 * programs can check it with a few lines of his own.
 *
 * The canonical text of a row is the concatenation of eight netstrings. A netstring of the bytes b
 * is the decimal length of b, ":", b, ",". In this order:
 *
 *   "engawa-journal-1"
 *   seq, in decimal without leading zeros
 *   node, the name of the writing node
 *   kind: "audit", "login", "session" or "bandwidth"
 *   tenant ("" for the operator's own)
 *   license ("" where none is concerned)
 *   at_ms, UTC in milliseconds since 1970, in decimal
 *   body, the bytes of the JSON text exactly as stored
 *
 *   hash(n) = SHA-256( hash(n-1), 32 raw bytes || canonical text of row n )
 *
 * seq starts at 1 and has no holes; hash(0) is 32 zero bytes. A purge removes rows from the start
 * only and keeps the seq and hash of the last removed row as the *anchor*; the chain then starts
 * there. The *head* is the seq and hash of the newest row and is written in the same transaction,
 * so that rows missing at the end show. In Python:
 *
 *   net = lambda b: str(len(b)).encode() + b":" + b + b","
 *   h = sha256(previous + b"".join(net(x) for x in fields)).digest()
 *
 * Thread: any; a check is a value of its caller.
 */
#ifndef STORE_JOURNAL_CHAIN_H
#define STORE_JOURNAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/journal.h"

/* A place in the chain: everything up to `seq` gives `hash`. All zero: before the first row. */
struct journal_mark {
	uint64_t seq;
	uint8_t hash[JOURNAL_HASH];
};

/* The hash of `row` (its seq and node set) after `previous`. -REASON_NO_MEMORY. */
MUST_CHECK int journal_chain_hash(const uint8_t previous[static JOURNAL_HASH],
	const struct journal_row *row, uint8_t ret[static JOURNAL_HASH]);

/* A walk along the chain: start at the anchor, feed the rows in order of seq, end at the head. The
 * first fault stands; rows after it are ignored. */
struct journal_check {
	struct journal_mark at;
	uint64_t checked, first_bad;
	const char *fault; /* NULL: none so far */
};

void journal_chain_start(struct journal_check *check, const struct journal_mark *anchor);
/* 0: in order. 1: a fault was found, no use in feeding more. -REASON_NO_MEMORY. */
MUST_CHECK int journal_chain_row(struct journal_check *check,
	const struct journal_row *row);
/* For a row that cannot be read as one: `seq` is bad, because of `fault`. */
void journal_chain_bad(struct journal_check *check, uint64_t seq, const char *fault);
void journal_chain_end(struct journal_check *check, const struct journal_mark *head);
void journal_chain_answer(const struct journal_check *check, struct journal_answer *ret);

#endif
