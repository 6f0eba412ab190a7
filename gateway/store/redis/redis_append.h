/* redis_append: appends on their way through redis_journal, and the lines in which they stand.
 *
 * Thread: made on any, then that of the link. Owner: whoever has it in a line.
 */
#ifndef REDIS_REDIS_APPEND_H
#define REDIS_REDIS_APPEND_H

#include <stddef.h>

#include "base/check.h"
#include "store/journal_chain.h"
#include "store/redis/redis_link.h"

struct redis_journal;
struct redisReply;
struct reply;

/* One append. Its rows follow in the same allocation, then their strings. */
struct redis_append {
	struct redis_item item; /* first */
	struct redis_append *next;
	struct redis_journal *journal;
	struct reply *reply;
	size_t bytes, count, left_out;
	struct journal_row rows[];
};

struct redis_line {
	struct redis_append *first, **end;
};

/* Copies the rows; NULL when there is no memory. Freed by free(). */
struct redis_append *redis_append_new(const struct journal_row *rows, size_t count);

void redis_append_line_init(struct redis_line *line);
void redis_append_line_add(struct redis_line *line, struct redis_append *append);
/* The first one of a line that is not empty. */
struct redis_append *redis_append_line_take(struct redis_line *line);
/* The rows of a line side by side, to be freed; at most `most` of them and about `bytes`, but one append
 * whole. `ret_appends` is how many appends they are. -REASON_NO_MEMORY. */
MUST_CHECK int redis_append_line_gather(const struct redis_line *line, size_t most,
	size_t bytes, struct journal_row **ret, size_t *ret_count, size_t *ret_appends);

/* Takes the rows whose places (from 0) append.lua named out of `rows`, which are those of the line's appends, where
 * it has any, and counts them there. How many are left. */
size_t redis_append_line_leave_out(const struct redis_line *line,
	struct journal_row *rows, size_t count, const struct redisReply *named);

/* Where rows come from and go to: their writer, the numbers of the first and of the last, also where rows between
 * them were left out, the head they follow. */
struct redis_append_from {
	const char *prefix, *node, *run;
	uint64_t first, last;
	const struct journal_mark *head;
};

/* Hashes the rows after the head and makes append.lua's command of them. -REASON_NO_MEMORY,
 * -REASON_LIMIT. */
MUST_CHECK int redis_append_command(const struct redis_append_from *from,
	struct journal_row *rows, size_t count, struct redis_ask *ret);

#endif
