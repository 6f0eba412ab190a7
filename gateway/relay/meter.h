/* meter: how many bytes of DATA payload a session carried each way, exactly: what the ends count in
 * their receipts, and what the journal's bandwidth rows add up to.
 *
 * Path 08/15: counted here.
 * Thread: the worker that owns the session. A value inside the session.
 */
#ifndef RELAY_METER_H
#define RELAY_METER_H

#include <stdint.h>

struct meter_count {
	uint64_t to_viewer, to_host;
};

struct meter {
	struct meter_count carried;
	struct meter_count
		written; /* already in bandwidth rows that were given to the journal */
	uint64_t frames;
};

/* What is not in a row yet. */
static inline struct meter_count meter_due(const struct meter *meter)
{
	return (struct meter_count){meter->carried.to_viewer - meter->written.to_viewer,
		meter->carried.to_host - meter->written.to_host};
}

/* The row with this delta was given to the journal, or (take back) was not taken by it. */
static inline void meter_wrote(struct meter *meter, struct meter_count delta)
{
	meter->written.to_viewer += delta.to_viewer;
	meter->written.to_host += delta.to_host;
}

static inline void meter_take_back(struct meter *meter, struct meter_count delta)
{
	meter->written.to_viewer -= delta.to_viewer;
	meter->written.to_host -= delta.to_host;
}

#endif
