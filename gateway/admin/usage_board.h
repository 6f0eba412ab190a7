/* usage_board: sums per license from many pages, and who has most.
 *
 * Thread: that of the owner.
 */
#ifndef ADMIN_USAGE_BOARD_H
#define ADMIN_USAGE_BOARD_H

#include <stddef.h>

#include "base/check.h"
#include "rules/usage.h"

struct usage_board;

MUST_CHECK int usage_board_new(struct usage_board **ret);
/* Accepts NULL, returns NULL. */
struct usage_board *usage_board_free(struct usage_board *board);
/* -REASON_NO_MEMORY. */
MUST_CHECK int usage_board_add(struct usage_board *board, const struct usage_line *line);
/* Most bytes first; how many there are. Nothing can be added afterwards. */
size_t usage_board_sort(struct usage_board *board);
const struct usage_line *usage_board_at(const struct usage_board *board, size_t index);

#endif
