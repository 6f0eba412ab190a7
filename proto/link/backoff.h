/* backoff: how long to wait before the next attempt to reach a gateway. Pure: time is an argument
 * and chance comes from a seed.
 *
 *   BACKOFF_IDLE      a host without a session, a viewer that starts: 0.5-4.5 s, growing to 30 s,
 *                     so that thousands of hosts do not all come back in the same second
 *   BACKOFF_SESSION   a session waits for us: the first attempt at once (0-100 ms), then every
 *                     0.25-1 s, so that a lost session is back within 2 s of a node being there
 *
 * Every wait is drawn from its whole range (full jitter). A leg that lived 1 s starts the row anew: nodes can
 * die one after the other. One that dies sooner goes on where it was, so a flapping line or a node that accepts
 * and drops is not hammered.
 * Thread: any; a value. Units: ms.
 */
#ifndef LINK_BACKOFF_H
#define LINK_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MIN_MS 500
#define BACKOFF_FIRST_MAX_MS 4500
#define BACKOFF_MAX_MS 30000
#define BACKOFF_SESSION_FIRST_MS 100
#define BACKOFF_SESSION_MIN_MS 250
#define BACKOFF_SESSION_MAX_MS 1000
#define BACKOFF_STEADY_MS 1000

enum backoff_pace { BACKOFF_IDLE, BACKOFF_SESSION };

struct backoff {
	uint64_t random;   /* state of the generator */
	unsigned attempts; /* in this row */
	int64_t up_ms;     /* when the present leg came up, -1: none */
};

/* Equal seeds give equal waits: programs take secret_random(), tests a number. */
void backoff_init(struct backoff *backoff, uint64_t seed);
/* The wait before the next attempt. `retry_ms` is what the node asked for in REFUSED or CLOSE (0:
 * nothing): never sooner than that, and up to a quarter later. */
int64_t backoff_next_ms(struct backoff *backoff, enum backoff_pace pace,
	int64_t retry_ms);
/* A moment within this time, so that many who were told the same thing do it one after the other. */
int64_t backoff_spread_ms(struct backoff *backoff, int64_t within_ms);
/* A leg is welcome, a leg is lost. */
void backoff_up(struct backoff *backoff, int64_t now_ms);
void backoff_down(struct backoff *backoff, int64_t now_ms);
/* The user, or a NOTICE of drain, wants it now: the row starts anew. */
void backoff_reset(struct backoff *backoff);

#endif
