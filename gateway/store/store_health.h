/* store_health: how a store that is elsewhere is doing: for /readyz, for metrics, for people.
 *
 * Thread: any; it never blocks and asks nobody.
 */
#ifndef STORE_STORE_HEALTH_H
#define STORE_STORE_HEALTH_H

#include <stdint.h>

#define STORE_HEALTH_TEXT 256
#define STORE_HEALTH_SKEW_MS 2000     /* said */
#define STORE_HEALTH_UNREADY_MS 30000 /* a node whose clock is so wrong is not ready */

struct store;

/* All 0: it answers and nothing waits, as a store of one node always does. */
struct store_health {
	int fault;                    /* -REASON_*: it does not answer */
	char text[STORE_HEALTH_TEXT]; /* why */
	char notes
		[STORE_HEALTH_TEXT]; /* what of it is not as it should be, and was accepted */
	int64_t since_ms;            /* wall: it has not answered since */
	int64_t clock_ms; /* this clock is so much ahead of that of the store */
	uint64_t spool_rows, spool_bytes, spool_max;
	int spool_full;     /* the last row had no room */
	unsigned emptied;   /* times that it was found without what it had held, */
	int64_t emptied_ms; /* wall: the last time */
};

void store_health(struct store *store, struct store_health *ret);
/* Only the count of store_health: cheap, for those who put back what is theirs. */
unsigned store_health_emptied(const struct store *store);

#endif
