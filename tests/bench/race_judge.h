/* race_judge: whether there was more than one pair. Both ends of a race write down when they were in which session; a
 * pair lives while both its ends are in the session of one fence. A file of it has a line for each fence:
 *   LICENSE FENCE VIEWER HOSTS VIEWERS HOST-FROM HOST-TO VIEWER-FROM VIEWER-TO     (monotonic us; 0: never)
 *
 * Thread: one at a time.
 */
#ifndef BENCH_RACE_JUDGE_H
#define BENCH_RACE_JUDGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the two ends wrote down of one fence. */
struct race_span {
	uint64_t fence;
	int64_t host_from, host_to, viewer_from, viewer_to; /* monotonic us */
	int viewer, hosts, viewers;
};

struct race_verdict {
	long pairs;    /* that lived */
	long overlaps; /* of them, while another of the same license lived */
	long doubled;  /* fences that were given to more than one host or viewer */
};

/* All spans of one license, which get into another order; adds to the verdict, and says on stderr what is wrong. */
void race_judge_spans(const char *license, struct race_span *spans, size_t count,
	struct race_verdict *verdict);
void race_judge_write(FILE *file, const char *license, const struct race_span *spans,
	size_t count);
/* A file in which each license has its lines together. -1: it is none. */
int race_judge_read(FILE *file, struct race_verdict *verdict);

#endif
