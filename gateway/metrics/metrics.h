/* metrics: what the node counts, for /metrics. One table (metrics.def); every worker counts into a
 * block of its own without locks or atomic read-modify-write; a scrape sums the blocks.
 *
 * Thread: any. A thread that counts often calls metrics_attach() at its start and metrics_detach()
 * at its end (its counts are kept); others share one block with atomic additions.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"

enum metric {
#define METRIC(NAME, name, kind, help) METRIC_##NAME,
#include "metrics/metrics.def"
#undef METRIC
	METRICS,
};

void metrics_attach(void);
void metrics_detach(void);

/* COUNTER, GAUGE. */
void metrics_add(enum metric metric, int64_t n);
/* GAUGE that nobody adds to. */
void metrics_set(enum metric metric, int64_t value);
/* HISTOGRAM. */
void metrics_time(enum metric metric, int64_t us);
/* REASONS: one more for REASON_* or -REASON_*. */
void metrics_reason(enum metric metric, int reason);

/* The sum over all threads; of a histogram its count, of REASONS all reasons together. */
int64_t metrics_value(enum metric metric);
/* Prometheus text exposition format 0.0.4. -REASON_LIMIT, -REASON_NO_MEMORY. */
MUST_CHECK int metrics_text(struct buf *out);

#endif
