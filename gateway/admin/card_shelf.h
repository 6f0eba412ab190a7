/* card_shelf: licenses' cards in order of their ids, each id once.
 *
 * Thread: one at a time; the index has a lock for it.
 * Owner: the shelf owns its cards; who gets one borrows it until the next change.
 */
#ifndef ADMIN_CARD_SHELF_H
#define ADMIN_CARD_SHELF_H

#include <stddef.h>

#include "base/check.h"

struct license_card;

/* All zero: empty. */
struct card_shelf {
	struct license_card **cards; /* in order of id */
	size_t count, room;
};

/* Where this id stands, or would. */
size_t card_shelf_place(const struct card_shelf *shelf, const char *id);
/* The card of this id when it stands at this place, or NULL. */
struct license_card *card_shelf_at(const struct card_shelf *shelf, size_t place,
	const char *id);
/* Takes the card over, also on error: -REASON_NO_MEMORY. One with the same id makes room for it; that its
 * host is online is handed on. */
MUST_CHECK int card_shelf_put(struct card_shelf *shelf, struct license_card *card);
/* Nothing, where there is none. */
void card_shelf_take_out(struct card_shelf *shelf, const char *id);
void card_shelf_done(struct card_shelf *shelf);

#endif
