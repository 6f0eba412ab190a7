#include "net/throttle.h"

#define NS INT64_C(1000000000)
#define US_NS 1000

void throttle_set(struct throttle *throttle, int64_t rate)
{
	CHECK(!rate || (rate >= THROTTLE_RATE_LEAST && rate <= THROTTLE_RATE_MOST));
	atomic_store_explicit(&throttle->rate, rate, memory_order_relaxed);
}

/* How far the sum may lie behind: what was saved up. */
static int64_t saved_ns(int64_t rate)
{
	int64_t least = THROTTLE_BURST * NS / rate;
	int64_t usual = THROTTLE_BURST_MS * (NS / 1000);
	return least > usual ? least : usual;
}

int64_t throttle_take(struct throttle *throttle, size_t bytes, int64_t now_us)
{
	int64_t rate = atomic_load_explicit(&throttle->rate, memory_order_relaxed);
	if (!rate)
		return 0;
	int64_t now_ns = now_us * US_NS, earliest = now_ns - saved_ns(rate);
	int64_t latest = now_ns + THROTTLE_REST_MOST_US * US_NS, due;
	/* Rounded up: many small pieces must not pass for nothing. */
	int64_t cost = ((int64_t)bytes * NS + rate - 1) / rate;
	int64_t before = atomic_load_explicit(&throttle->due_ns, memory_order_relaxed);
	do {
		due = (before > earliest ? before : earliest) + cost;
		if (due > latest)
			due = latest;
	} while (!atomic_compare_exchange_weak_explicit(&throttle->due_ns, &before, due,
		memory_order_relaxed, memory_order_relaxed));
	return due > now_ns ? (due - now_ns + US_NS - 1) / US_NS : 0;
}
