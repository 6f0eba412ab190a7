#include "admin/usage_board.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* Open addressing; at most two thirds are taken. */
struct usage_board {
	struct usage_line *lines; /* an empty key: free */
	size_t places, count;
	int sorted;
};

#define PLACES_FIRST 1024

int usage_board_new(struct usage_board **ret)
{
	struct usage_board *board = calloc(1, sizeof(*board));

	if (board)
		board->lines = calloc(PLACES_FIRST, sizeof(*board->lines));
	if (!board || !board->lines) {
		free(board);
		return -REASON_NO_MEMORY;
	}
	board->places = PLACES_FIRST;
	*ret = board;
	return 0;
}

struct usage_board *usage_board_free(struct usage_board *board)
{
	if (!board)
		return NULL;
	free(board->lines);
	free(board);
	return NULL;
}

static struct usage_line *place_of(struct usage_line *lines, size_t places,
	const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *at = key; *at; at++)
		hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
	size_t at = (size_t)(hash ^ hash >> 32) & (places - 1);
	while (*lines[at].key && strcmp(lines[at].key, key))
		at = (at + 1) & (places - 1);
	return &lines[at];
}

static int grow(struct usage_board *board)
{
	size_t places = 2 * board->places;
	struct usage_line *lines = calloc(places, sizeof(*lines));

	if (!lines)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < board->places; i++)
		if (*board->lines[i].key)
			*place_of(lines, places, board->lines[i].key) = board->lines[i];
	free(board->lines);
	board->lines = lines;
	board->places = places;
	return 0;
}

int usage_board_add(struct usage_board *board, const struct usage_line *line)
{
	CHECK(!board->sorted);
	if (3 * board->count >= 2 * board->places) {
		int status = grow(board);
		if (status)
			return status;
	}
	struct usage_line *place = place_of(board->lines, board->places, line->key);
	if (!*place->key) {
		*place = *line;
		board->count++;
	} else {
		usage_sum_add(&place->sum, &line->sum);
	}
	return 0;
}

static uint64_t bytes_of(const struct usage_line *line)
{
	return line->sum.to_viewer + line->sum.to_host;
}

/* Free places go to the end. */
static int compare(const void *left, const void *right)
{
	const struct usage_line *a = left, *b = right;

	if (!*a->key != !*b->key)
		return *a->key ? -1 : 1;
	if (bytes_of(a) != bytes_of(b))
		return bytes_of(a) > bytes_of(b) ? -1 : 1;
	return strcmp(a->key, b->key);
}

size_t usage_board_sort(struct usage_board *board)
{
	qsort(board->lines, board->places, sizeof(*board->lines), compare);
	board->sorted = 1;
	return board->count;
}

const struct usage_line *usage_board_at(const struct usage_board *board, size_t index)
{
	CHECK(board->sorted && index < board->count);
	return &board->lines[index];
}
