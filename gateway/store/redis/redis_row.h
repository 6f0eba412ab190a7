/* redis_row: journal rows as Redis keeps them. Keys (after "PREFIX:journal"):
 *
 *   (nothing)          stream  the rows: id SEQ-0; k kind, t tenant, l license, at ms, n node, b body, h hash
 *   :by:KIND           stream  the ids of the rows of that kind; likewise :by:KIND:t:TENANT, :by:KIND:l:LICENSE
 *   :stubs             zset    "SEQ KIND TIME " and rest and hash, by seq: what is left of rows that went
 *   :form              string  the form of chain (JOURNAL_CHAIN_FORM)
 *   :head :anchor      hash    seq, hash: both ends of the chain
 *   :hours             zset    "FIRST-LAST" by hour since 1970: which rows it holds
 *   :ended             zset    series that have had their last row, by its seq
 *   :nodes             hash    node → "RUN NUMBER": its last row by its own count
 *
 * Thread: any.
 */
#ifndef REDIS_REDIS_ROW_H
#define REDIS_REDIS_ROW_H

#include "base/check.h"
#include "store/journal_chain.h"
#include "store/redis/redis_words.h"

#define REDIS_ROW_INDEX "journal:by:"

/* An entry of the stream; the row's strings live as long as the reply. Its seq is set also with
 * -REASON_STATE_DAMAGED. */
MUST_CHECK int redis_row_read(const struct redisReply *entry, struct journal_row *ret);
/* Whether an element of a walk is a stub, and which. -REASON_STATE_DAMAGED; its seq is set all the same. */
int redis_row_is_stub(const struct redisReply *entry);
MUST_CHECK int redis_row_stub(const struct redisReply *entry, struct journal_stub *ret);
/* A seq and a hash; both empty: all zero. -REASON_STATE_DAMAGED. */
MUST_CHECK int redis_row_mark(const struct redisReply *seq, const struct redisReply *hash,
	struct journal_mark *ret);
/* The words that append.lua takes of a row. */
void redis_row_words(struct redis_words *words, const struct journal_row *row);

#endif
