/* device_book: the viewer devices that were let in with a license (STATE_DEVICE, id = license id), so
 * that people see them and a new one raises an alert.
 *
 * JSON body: {"devices":[{"device_id","name","kind","program","address","first_ms","last_ms",
 * "proved_ms"},…]}, proved_ms: when it last showed a one-time code, absent: never; newest last, at most DEVICE_BOOK_MAX: the one unseen for longest makes room.
 * Thread: any; pure. Errors: -REASON_NO_MEMORY, -REASON_STATE_DAMAGED.
 */
#ifndef RULES_DEVICE_BOOK_H
#define RULES_DEVICE_BOOK_H

#include <stdint.h>

#include "base/check.h"

#define DEVICE_BOOK_MAX 64

struct device_sighting {
	const char *device_id, *name, *kind, *program, *address;
	int64_t at_ms;
	int64_t proved_ms; /* it has just shown a one-time code; 0: it has not */
	int64_t most;      /* devices that the book may have, 0: DEVICE_BOOK_MAX */
};

/* Adds a sighting to the book `body` (NULL or damaged: an empty one). *ret_new is 1 when the device
 * was not in it. The caller frees *ret. */
MUST_CHECK int device_book_see(const char *body, const struct device_sighting *sighting,
	char **ret, int *ret_new);

/* Takes one out. -REASON_NOT_FOUND when it is not in it. The caller frees *ret. */
MUST_CHECK int device_book_forget(const char *body, const char *device_id, char **ret);
/* Whether this one is in it. */
int device_book_has(const char *body, const char *device_id);
/* When the last of them was let in; 0: never. */
int64_t device_book_last_ms(const char *body);

/* When this device last showed a one-time code; 0: never. */
int64_t device_book_proved_ms(const char *body, const char *device_id);

#endif
