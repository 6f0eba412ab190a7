/* journal_spool: where journal rows wait on this node's disk while the shared store cannot take them.
 *
 * One file, DIR/journal.spool (mode 0600), only appended to; when everything in it has been delivered
 * it becomes empty. Rows carry the node's own numbers, which only grow; whoever delivers them tells
 * the numbers, so that what was delivered shortly before a crash is not taken twice. A group of rows
 * (one append) is on the disk before journal_spool_put() returns, or not at all: what a crash tore
 * is cut off at the next open. Every row is hashed together with the one before it, as in
 * journal_chain.h with its number for seq, so that a file that was changed is found out.
 *
 * Thread: one at a time. Owner: the caller. A lock file beside it keeps a second process away.
 */
#ifndef STORE_JOURNAL_SPOOL_H
#define STORE_JOURNAL_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/journal.h"

#define JOURNAL_SPOOL_ERROR 256

struct journal_spool;

/* Makes `dir` when it is missing. -REASON_FILE_UNWRITABLE, -REASON_FILE_UNREADABLE,
 * -REASON_DISK_FULL, -REASON_ALREADY_RUNNING, -REASON_STATE_DAMAGED (its rows are another node's),
 * -REASON_NO_MEMORY; `error` says what exactly is wrong. */
MUST_CHECK int journal_spool_open(const char *dir, const char *node, uint64_t max_bytes,
	struct journal_spool **ret, char error[static JOURNAL_SPOOL_ERROR]);
/* Accepts NULL, returns NULL. What waits stays on the disk. */
struct journal_spool *journal_spool_close(struct journal_spool *spool);

/* Rows number `first`, `first` + 1, …; durable when it returns 0. -REASON_DISK_FULL (the spool or
 * the disk), -REASON_FILE_UNWRITABLE, -REASON_NO_MEMORY: nothing was added. */
MUST_CHECK int journal_spool_put(struct journal_spool *spool, uint64_t first,
	const struct journal_row *rows, size_t count);

/* The oldest rows that wait, at most `most` and not much more than `bytes` of them; they live until
 * the next call. `ret_first` is the number of the first. -REASON_FILE_UNREADABLE, -REASON_NO_MEMORY,
 * -REASON_STATE_DAMAGED. */
MUST_CHECK int journal_spool_peek(struct journal_spool *spool, size_t most, size_t bytes,
	const struct journal_row **ret, size_t *ret_count, uint64_t *ret_first);
/* Everything up to this number has been delivered. */
void journal_spool_drop(struct journal_spool *spool, uint64_t up_to);

int journal_spool_empty(const struct journal_spool *spool);
/* The highest number that was ever put into this file, 0: none is known. */
uint64_t journal_spool_last(const struct journal_spool *spool);
uint64_t journal_spool_rows(const struct journal_spool *spool);
uint64_t journal_spool_bytes(const struct journal_spool *spool);

#endif
