#include "pair_guard.h"

#include <stdbool.h>

#include "base/reason.h"

static int64_t failure(const struct pair_guard *guard, unsigned back)
{
	return guard->failed_ms[(guard->next + PAIR_GUARD_FAILURES - back) %
				PAIR_GUARD_FAILURES];
}

/* The oldest of the last ten failures is younger than ten minutes. */
static bool locked(const struct pair_guard *guard, int64_t now_ms)
{
	int64_t oldest = failure(guard, PAIR_GUARD_FAILURES);
	return oldest && now_ms - oldest < PAIR_GUARD_WINDOW_MS;
}

int pair_guard_permits(const struct pair_guard *guard, int64_t now_ms)
{
	if (locked(guard, now_ms))
		return -REASON_LOCKED_OUT;
	if (!guard->row)
		return 0;
	unsigned doublings = guard->row - 1 < 6 ? guard->row - 1 : 6;
	int64_t delay_ms = INT64_C(1000) << doublings;
	if (delay_ms > PAIR_GUARD_DELAY_MAX_MS)
		delay_ms = PAIR_GUARD_DELAY_MAX_MS;
	return now_ms - failure(guard, 1) < delay_ms ? -REASON_THROTTLED : 0;
}

int pair_guard_failed(struct pair_guard *guard, int64_t now_ms)
{
	bool before = locked(guard, now_ms);
	guard->failed_ms[guard->next] = now_ms ? now_ms : 1;
	guard->next = (guard->next + 1) % PAIR_GUARD_FAILURES;
	guard->row++;
	return !before && locked(guard, now_ms);
}

void pair_guard_succeeded(struct pair_guard *guard)
{
	guard->row = 0;
}
