/* pair_guard: slows down who guesses. After a failed handshake the next is refused for 1, 2, 4 … 60 s; ten
 * failures within ten minutes lock pairing for the rest of them.
 *
 * Pure: time is an argument (clock_mono_ms()). Thread: main. Sessions of paired devices are not slowed
 * by the failures of strangers: they are counted apart.
 */
#ifndef AGENT_PAIR_GUARD_H
#define AGENT_PAIR_GUARD_H

#include <stdint.h>

#include "base/check.h"

#define PAIR_GUARD_FAILURES 10
#define PAIR_GUARD_WINDOW_MS (10 * 60 * INT64_C(1000))
#define PAIR_GUARD_DELAY_MAX_MS 60000

struct pair_guard {
	int64_t failed_ms[PAIR_GUARD_FAILURES]; /* the newest at `next` - 1 */
	unsigned next, row;                     /* row: failures since the last success */
};

/* 0, or -REASON_THROTTLED (wait a little), -REASON_LOCKED_OUT (ten failures). */
MUST_CHECK int pair_guard_permits(const struct pair_guard *guard, int64_t now_ms);
/* Returns 1 when this failure is the one that locks: the moment to tell people. */
int pair_guard_failed(struct pair_guard *guard, int64_t now_ms);
void pair_guard_succeeded(struct pair_guard *guard);

#endif
