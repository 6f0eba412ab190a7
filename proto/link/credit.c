#include "link/credit.h"

#define RATE_WINDOW_US 1000000
#define NOT_FULL_US (CREDIT_SLACK_US / 2) /* a queue shorter than this is none */
#define SUSPECT_US (CREDIT_SLACK_US + 10000)
#define PROBE_EVERY_US 2000000
#define PROBE_EARLY_US 1000000 /* refreshes the lowest round trip before it is too old */
#define PROBE_LEAST 4096
#define PROBE_IDLE_US 10000
#define SECOND_US 1000000
#define BOOST_NONE 4 /* quarters */
#define BOOST_START 8
#define BOOST_LATER 5

static int64_t largest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smallest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void credit_init(struct credit *credit, uint64_t position, int64_t now_us)
{
	*credit = (struct credit){
		.delivered = (int64_t)position,
		.end = (int64_t)position,
		.delivered_us = now_us,
		.first_sent_us = now_us,
		.round_min_us = INT64_MAX,
		.second_min_us = INT64_MAX,
		.second_at_us = now_us,
		.rate_slot_us = now_us,
		.boost = BOOST_START,
	};
}

int64_t credit_rate(const struct credit *credit)
{
	int64_t rate = 0;
	for (int i = 0; i < CREDIT_RATES; i++)
		rate = largest(rate, credit->rates[i]);
	return rate;
}

/* What the line carries in `us`. */
static int64_t carried(int64_t rate, int64_t us)
{
	return (int64_t)((double)rate * (double)us / 1e6);
}

static int64_t floor_of(int64_t rate)
{
	if (!rate)
		return CREDIT_START;
	return smallest(CREDIT_FLOOR,
		largest(CREDIT_FLOOR_SLOW, carried(rate, CREDIT_FLOOR_US)));
}

/* Three quarters of what fits on the line: the queue runs empty within a round trip. With nothing in
 * flight there is no queue, and only what is sent now can end the probe: the encoder waits for room
 * for half an update (rfb/pacer: 7.5 ms of the line, at most 32 KiB) and must get it. */
static int64_t probe_budget(const struct credit *credit, int64_t rate)
{
	int64_t budget = largest(PROBE_LEAST, carried(rate, credit->rtt_min_us) * 3 / 4);
	if (credit->end > credit->delivered)
		return budget;
	return largest(budget, smallest(floor_of(rate), carried(rate, PROBE_IDLE_US)));
}

int64_t credit_budget(const struct credit *credit)
{
	int64_t rate = credit_rate(credit);
	if (credit->probing)
		return probe_budget(credit, rate);
	int64_t budget = credit->boost *
			 carried(rate, credit->rtt_min_us + CREDIT_SLACK_US) / BOOST_NONE;
	return smallest(CREDIT_MAX, largest(floor_of(rate), budget));
}

static struct credit_record *record_new(struct credit *credit)
{
	/* Full: the newest one grows; its round trip is then overstated, never understated. */
	if (credit->count == CREDIT_RECORDS)
		return NULL;
	return &credit->records[(credit->first + credit->count++) % CREDIT_RECORDS];
}

void credit_sent(struct credit *credit, size_t len, enum credit_more more, int64_t now_us)
{
	int64_t flight = credit->end - credit->delivered;
	if (!flight) {
		credit->first_sent_us = now_us;
		credit->delivered_us = now_us;
	}
	credit->end += (int64_t)len;
	flight += (int64_t)len;
	/* An encoder fills the last quarter in jumps; that is no lack of data. */
	bool ample = flight >= credit_budget(credit) * 3 / 4;
	if (more == CREDIT_NO_MORE && !ample)
		credit->limited_until = credit->end;
	if (ample)
		credit->full = true;
	struct credit_record *record = record_new(credit);
	if (!record) {
		unsigned last = (credit->first + credit->count - 1) % CREDIT_RECORDS;
		credit->records[last].end = credit->end;
		return;
	}
	*record = (struct credit_record){
		.end = credit->end,
		.sent_us = now_us,
		.delivered = credit->delivered,
		.delivered_us = credit->delivered_us,
		.first_sent_us = credit->first_sent_us,
		.app_limited = credit->limited_until > credit->delivered,
	};
}

static void rate_sample(struct credit *credit, int64_t rate, bool app_limited,
	int64_t now_us)
{
	int64_t known = credit_rate(credit);
	if (app_limited && rate <= (known ? known : CREDIT_ASSUMED))
		return;
	int64_t slot_us = largest(RATE_WINDOW_US, 4 * credit->rtt_min_us) / CREDIT_RATES;
	for (int i = 0; i < CREDIT_RATES && now_us - credit->rate_slot_us >= slot_us;
		i++) {
		credit->rate_slot = (credit->rate_slot + 1) % CREDIT_RATES;
		credit->rates[credit->rate_slot] = 0;
		credit->rate_slot_us += slot_us;
	}
	if (now_us - credit->rate_slot_us >= slot_us)
		credit->rate_slot_us = now_us;
	int64_t *slot = &credit->rates[credit->rate_slot];
	*slot = largest(*slot, rate);
}

static void probe_begin(struct credit *credit, int64_t now_us)
{
	credit->probing = true;
	credit->probed_us = now_us;
}

/* Records that left under the probe's budget met no queue of ours: what they say is the line. */
static void probe_sample(struct credit *credit, int64_t rtt_us, int64_t now_us)
{
	if (now_us - rtt_us < credit->probed_us)
		return;
	credit->probing = false;
	credit->rtt_min_us = largest(1, rtt_us);
	credit->rtt_min_at_us = now_us;
	/* The line is empty because we made it so: no reason to push. */
	credit->rounds_held = 2;
	credit->boost = BOOST_NONE;
}

/* The round trip stays high although the budget follows the rate: either the line has become longer
 * or the decoder slower. Left alone, the budget would shrink with every second. */
static bool suspicious(struct credit *credit, int64_t now_us)
{
	if (now_us - credit->second_at_us < SECOND_US)
		return false;
	int64_t lowest = credit->second_min_us;
	credit->second_at_us = now_us;
	credit->second_min_us = INT64_MAX;
	int64_t rate = credit_rate(credit);
	bool at_floor =
		carried(rate, credit->rtt_min_us + CREDIT_SLACK_US) <= floor_of(rate);
	return !at_floor && lowest != INT64_MAX &&
	       lowest > credit->rtt_min_us + SUSPECT_US &&
	       now_us - credit->probed_us >= PROBE_EVERY_US;
}

static void rtt_sample(struct credit *credit, int64_t rtt_us, int64_t now_us)
{
	credit->rtt_us = rtt_us;
	credit->second_min_us = smallest(credit->second_min_us, rtt_us);
	if (!credit->rtt_min_us || rtt_us <= credit->rtt_min_us) {
		credit->rtt_min_us = largest(1, rtt_us);
		credit->rtt_min_at_us = now_us;
	}
	if (credit->probing) {
		probe_sample(credit, rtt_us, now_us);
		return;
	}
	int64_t age = now_us - credit->rtt_min_at_us;
	if (suspicious(credit, now_us) || age >= CREDIT_RTT_WINDOW_US - PROBE_EARLY_US)
		probe_begin(credit, now_us);
}

/* Jitter hides an empty line from single records, not from the best one of a round. */
static void round_sample(struct credit *credit, int64_t end)
{
	credit->round_min_us = smallest(credit->round_min_us, credit->rtt_us);
	if (credit->rtt_us > credit->rtt_min_us + 2 * CREDIT_SLACK_US)
		credit->boost = BOOST_NONE;
	if (end <= credit->round_end)
		return;
	bool empty = credit->round_min_us < credit->rtt_min_us + NOT_FULL_US;
	if (credit->full && !empty)
		credit->started = true;
	if (credit->rounds_held > 0)
		credit->rounds_held--;
	else if (credit->full && empty && !credit->probing)
		credit->boost = credit->started ? BOOST_LATER : BOOST_START;
	else
		credit->boost = BOOST_NONE;
	credit->round_end = credit->end;
	credit->round_min_us = INT64_MAX;
	credit->full = false;
}

void credit_acked(struct credit *credit, uint64_t position, int64_t now_us)
{
	int64_t acked = (int64_t)position;
	if (acked <= credit->delivered || acked > credit->end)
		return;
	credit->delivered = acked;
	credit->delivered_us = now_us;
	struct credit_record last = {0};
	while (credit->count && credit->records[credit->first].end <= acked) {
		last = credit->records[credit->first];
		credit->first = (credit->first + 1) % CREDIT_RECORDS;
		credit->count--;
	}
	if (!last.end)
		return;
	credit->first_sent_us = last.sent_us;
	rtt_sample(credit, largest(1, now_us - last.sent_us), now_us);
	/* Acknowledgements that come in heaps would show a faster line than there is: the longer
	 * of both intervals counts, and none is shorter than a round trip. */
	int64_t interval =
		largest(last.sent_us - last.first_sent_us, now_us - last.delivered_us);
	interval = largest(interval, credit->rtt_min_us);
	rate_sample(credit,
		(int64_t)((double)(acked - last.delivered) * 1e6 / (double)interval),
		last.app_limited, now_us);
	round_sample(credit, last.end);
}
