/* journal_purger: removes what is past its time, once a day and once for all nodes: journal rows by class and
 * by tenant (rules/retention.h), sums of usage, checkpoints. That it does so is recorded before.
 *
 * Thread: one that may block. Errors: those of the store; what was left is done at the next day.
 */
#ifndef KEEPER_JOURNAL_PURGER_H
#define KEEPER_JOURNAL_PURGER_H

#include <stdint.h>

#include "base/check.h"
#include "keeper/checkpoint_maker.h"
#include "keeper/usage_roller.h"

struct journal_purger {
	struct store *store;
	struct checkpoint_maker *maker;
	struct usage_roller *roller;
	int64_t done_day; /* since 1970, UTC; 0: not yet in this run */
};

struct journal_purger_times {
	int64_t records_days, counts_days;
};

/* Nothing but a look at the clock when this day's turn is over. */
MUST_CHECK int journal_purger_run(struct journal_purger *purger,
	const struct journal_purger_times *times, int64_t now_ms);

#endif
