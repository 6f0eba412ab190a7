#include "admin/card_shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/license_card.h"

#define STEP 1000

size_t card_shelf_place(const struct card_shelf *shelf, const char *id)
{
	size_t low = 0, high = shelf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(shelf->cards[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct license_card *card_shelf_at(const struct card_shelf *shelf, size_t place,
	const char *id)
{
	return place < shelf->count && !strcmp(shelf->cards[place]->id, id)
		       ? shelf->cards[place]
		       : NULL;
}

void card_shelf_take_out(struct card_shelf *shelf, const char *id)
{
	size_t place = card_shelf_place(shelf, id);
	struct license_card *card = card_shelf_at(shelf, place, id);

	if (!card)
		return;
	memmove(shelf->cards + place, shelf->cards + place + 1,
		(shelf->count - place - 1) * sizeof(*shelf->cards));
	shelf->count--;
	free(card);
}

static int grow(struct card_shelf *shelf)
{
	if (shelf->count < shelf->room)
		return 0;
	size_t room = shelf->room ? shelf->room * 2 : STEP;
	struct license_card **cards = realloc(shelf->cards, room * sizeof(*cards));
	if (!cards)
		return -REASON_NO_MEMORY;
	shelf->cards = cards;
	shelf->room = room;
	return 0;
}

int card_shelf_put(struct card_shelf *shelf, struct license_card *card)
{
	size_t place = card_shelf_place(shelf, card->id);
	struct license_card *before = card_shelf_at(shelf, place, card->id);

	if (before) {
		card->online = before->online;
		shelf->cards[place] = card;
		free(before);
		return 0;
	}
	int status = grow(shelf);
	if (status) {
		free(card);
		return status;
	}
	memmove(shelf->cards + place + 1, shelf->cards + place,
		(shelf->count - place) * sizeof(*shelf->cards));
	shelf->cards[place] = card;
	shelf->count++;
	return 0;
}

void card_shelf_done(struct card_shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		free(shelf->cards[i]);
	free(shelf->cards);
	*shelf = (struct card_shelf){0};
}
