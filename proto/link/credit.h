/* credit: how many bytes of a bulk lane may be in flight, so that the line is full and nothing more:
 * a key typed now must not wait behind a second of picture.
 *
 *   budget = delivery rate x (lowest round trip + 20 ms)
 *
 * Delivery rate: as in BBR (draft-cheng-iccrg-delivery-rate-estimation): bytes acknowledged between
 * a record's leaving and its acknowledgement, by the time that took; the largest of the last
 * second. Samples taken while there was nothing more to send say nothing about the line and only
 * count when they are larger; the first ones, when nothing is known yet, when they are larger than
 * what is assumed of a line (2.5 MB/s): the few bytes with which a stream begins would else make
 * every line a slow one. Round trips are those of picture records up to "consumed", so a
 * decoder's own constant delay is part of the lowest one; it is kept for 10 s. Then, unless the line
 * has been idle, the budget is lowered for a moment (probe), since a line that we keep full
 * ourselves never shows its true round trip.
 * A line that is not full although we fill the budget (no queue: the round trip is near the lowest)
 * gets twice the budget at the start, and a quarter more later: so a start, and a line that becomes
 * faster, take a few round trips.
 *
 * Until a rate is known: 128 KiB, about a first picture, in front of which nobody types yet.
 * Floor: 64 KiB on lines that carry it within 50 ms; on slower lines what they carry in 50 ms, but at
 * least 16 KiB: 64 KiB would be half a second of delay at 1 Mbit/s.
 *
 * Thread: any; a value. Pure: time is an argument, in microseconds. Positions are those of the lane.
 */
#ifndef LINK_CREDIT_H
#define LINK_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CREDIT_START (128 * 1024)
#define CREDIT_FLOOR (64 * 1024)
#define CREDIT_FLOOR_SLOW (16 * 1024)
#define CREDIT_FLOOR_US 50000
#define CREDIT_ASSUMED 2500000 /* bytes per second, as in rfb/pacer */
#define CREDIT_MAX (4 * 1024 * 1024)
#define CREDIT_SLACK_US 20000
#define CREDIT_RTT_WINDOW_US 10000000
#define CREDIT_RECORDS 128
#define CREDIT_RATES 8 /* buckets of the rate window */

enum credit_more { CREDIT_NO_MORE, CREDIT_MORE_WAITS };

struct credit_record {
	int64_t end; /* position behind its last byte */
	int64_t sent_us;
	int64_t delivered, delivered_us; /* as known when it left */
	int64_t first_sent_us;           /* when what was acknowledged then had left */
	bool app_limited;
};

struct credit {
	struct credit_record records[CREDIT_RECORDS]; /* ring */
	unsigned first, count;
	int64_t delivered, delivered_us; /* acknowledged bytes, counted as positions */
	int64_t end;                     /* position behind the last byte sent */
	int64_t first_sent_us;
	int64_t limited_until; /* records that left before this was delivered prove no limit */
	/* Windowed maximum of the rate: one bucket per eighth of the window. */
	int64_t rates[CREDIT_RATES], rate_slot_us;
	unsigned rate_slot;
	int64_t rtt_us; /* the last one */
	int64_t rtt_min_us, rtt_min_at_us;
	int64_t second_min_us, second_at_us; /* lowest of the present second */
	int64_t probed_us;                   /* when the last probe began */
	bool probing;
	/* A round ends when a record that left after its beginning is acknowledged. */
	int64_t round_end, round_min_us;
	int rounds_held; /* rounds without a boost after a probe */
	bool full;       /* the budget was used up in this round */
	bool started;    /* the line was full once */
	int64_t boost;   /* quarters: 4 is none */
};

/* A fresh leg: `position` is where the lane goes on. What was learnt about the last leg's line is
 * forgotten, since this may be another line. */
void credit_init(struct credit *credit, uint64_t position, int64_t now_us);
/* `len` bytes were sealed and handed down. */
void credit_sent(struct credit *credit, size_t len, enum credit_more more,
	int64_t now_us);
/* Everything before `position` is consumed. Earlier positions than before are ignored. */
void credit_acked(struct credit *credit, uint64_t position, int64_t now_us);
/* Bytes that may be in flight now. */
int64_t credit_budget(const struct credit *credit);
/* Bytes per second, 0: not known yet. */
int64_t credit_rate(const struct credit *credit);

#endif
