#include "metrics/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/reason.h"

enum kind { COUNTER, GAUGE, HISTOGRAM, REASONS };

/* Upper bounds in us: from a round trip in the house to a login that waits. */
static const int64_t bounds[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000};
#define BOUNDS ARRAY_LEN(bounds)

enum {
#define R(number, symbol, exit_code, en, en_hint, ja, ja_hint) REASON_AT_##symbol,
#include "base/reason.def"
#undef R
	REASON_AT_OTHER,
	REASON_SLOTS,
};

/* One slot per counter and gauge, BOUNDS + 2 per histogram (buckets, overflow, sum), one per
 * reason. */
#define SLOTS_COUNTER 1
#define SLOTS_GAUGE 1
#define SLOTS_HISTOGRAM (BOUNDS + 2)
#define SLOTS_REASONS REASON_SLOTS

struct slots {
#define METRIC(NAME, name, kind, help) _Atomic int64_t name[SLOTS_##kind];
#include "metrics/metrics.def"
#undef METRIC
};
#define SLOTS (sizeof(struct slots) / sizeof(_Atomic int64_t))

static const struct {
	const char *name, *help;
	enum kind kind;
	size_t at;
} table[METRICS] = {
#define METRIC(NAME, name, kind, help)                                                   \
	{#name, help, kind, offsetof(struct slots, name) / sizeof(_Atomic int64_t)},
#include "metrics/metrics.def"
#undef METRIC
};

struct block {
	struct list node;
	_Atomic int64_t slots[SLOTS];
};

static struct block shared;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list blocks = {&blocks, &blocks};
static _Thread_local struct block *mine;

void metrics_attach(void)
{
	if (mine)
		return;
	struct block *block = calloc(1, sizeof(*block));
	if (!block)
		return; /* the shared block serves, only slower */
	pthread_mutex_lock(&blocks_lock);
	list_add_tail(&blocks, &block->node);
	pthread_mutex_unlock(&blocks_lock);
	mine = block;
}

void metrics_detach(void)
{
	struct block *block = mine;
	if (!block)
		return;
	mine = NULL;
	pthread_mutex_lock(&blocks_lock);
	list_remove(&block->node);
	for (size_t i = 0; i < SLOTS; i++)
		atomic_fetch_add_explicit(&shared.slots[i],
			atomic_load_explicit(&block->slots[i], memory_order_relaxed),
			memory_order_relaxed);
	pthread_mutex_unlock(&blocks_lock);
	free(block);
}

/* The block's only writer is this thread: a load and a store suffice, no bus lock. */
static void add(size_t slot, int64_t n)
{
	if (!mine) {
		atomic_fetch_add_explicit(&shared.slots[slot], n, memory_order_relaxed);
		return;
	}
	int64_t value = atomic_load_explicit(&mine->slots[slot], memory_order_relaxed);
	atomic_store_explicit(&mine->slots[slot], value + n, memory_order_relaxed);
}

void metrics_add(enum metric metric, int64_t n)
{
	CHECK(metric < METRICS && table[metric].kind <= GAUGE);
	add(table[metric].at, n);
}

void metrics_set(enum metric metric, int64_t value)
{
	CHECK(metric < METRICS && table[metric].kind == GAUGE);
	atomic_store_explicit(&shared.slots[table[metric].at], value,
		memory_order_relaxed);
}

void metrics_time(enum metric metric, int64_t us)
{
	CHECK(metric < METRICS && table[metric].kind == HISTOGRAM);
	size_t bucket = 0;
	while (bucket < BOUNDS && us > bounds[bucket])
		bucket++;
	add(table[metric].at + bucket, 1);
	add(table[metric].at + BOUNDS + 1, us);
}

static size_t reason_slot(int reason)
{
	switch (reason < 0 ? -reason : reason) {
#define R(number, symbol, exit_code, en, en_hint, ja, ja_hint)                           \
	case number:                                                                     \
		return REASON_AT_##symbol;
#include "base/reason.def"
#undef R
	default:
		return REASON_AT_OTHER;
	}
}

void metrics_reason(enum metric metric, int reason)
{
	CHECK(metric < METRICS && table[metric].kind == REASONS);
	add(table[metric].at + reason_slot(reason), 1);
}

static void sum(int64_t ret[static SLOTS])
{
	pthread_mutex_lock(&blocks_lock);
	for (size_t i = 0; i < SLOTS; i++)
		ret[i] = atomic_load_explicit(&shared.slots[i], memory_order_relaxed);
	LIST_EACH(node, &blocks)
	{
		struct block *block = LIST_ENTRY(node, struct block, node);
		for (size_t i = 0; i < SLOTS; i++)
			ret[i] += atomic_load_explicit(&block->slots[i],
				memory_order_relaxed);
	}
	pthread_mutex_unlock(&blocks_lock);
}

int64_t metrics_value(enum metric metric)
{
	CHECK(metric < METRICS);
	int64_t slots[SLOTS], value = 0;
	sum(slots);
	static const size_t counted[] = {1, 1, BOUNDS + 1, REASON_SLOTS};
	for (size_t i = 0; i < counted[table[metric].kind]; i++)
		value += slots[table[metric].at + i];
	return value;
}

PRINTF_LIKE(2, 3) static int put(struct buf *out, const char *format, ...)
{
	char line[400];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	CHECK(len >= 0 && (size_t)len < sizeof(line));
	return buf_append(out, line, (size_t)len);
}

static int put_histogram(struct buf *out, const char *name, const int64_t *slots)
{
	int64_t count = 0;
	int rc = 0;
	for (size_t i = 0; !rc && i < BOUNDS; i++) {
		count += slots[i];
		rc = put(out, "engawa_%s_bucket{le=\"%g\"} %" PRId64 "\n", name,
			(double)bounds[i] / 1e6, count);
	}
	count += slots[BOUNDS];
	if (!rc)
		rc = put(out, "engawa_%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count);
	if (!rc)
		rc = put(out, "engawa_%s_sum %.6f\nengawa_%s_count %" PRId64 "\n", name,
			(double)slots[BOUNDS + 1] / 1e6, name, count);
	return rc;
}

/* Only reasons that occurred: a label per reason of the table would drown the page. */
static int put_reasons(struct buf *out, const char *name, const int64_t *slots)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < REASON_SLOTS; i++) {
		if (!slots[i])
			continue;
		const char *symbol = i < REASON_AT_OTHER ? reason_at(i, NULL) : "OTHER";
		rc = put(out, "engawa_%s{reason=\"%s\"} %" PRId64 "\n", name, symbol,
			slots[i]);
	}
	return rc;
}

int metrics_text(struct buf *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram", "counter"};
	int64_t slots[SLOTS];
	int rc = 0;
	sum(slots);
	for (size_t i = 0; !rc && i < METRICS; i++) {
		const int64_t *at = slots + table[i].at;
		rc = put(out, "# HELP engawa_%s %s\n# TYPE engawa_%s %s\n", table[i].name,
			table[i].help, table[i].name, types[table[i].kind]);
		if (rc)
			break;
		if (table[i].kind == HISTOGRAM)
			rc = put_histogram(out, table[i].name, at);
		else if (table[i].kind == REASONS)
			rc = put_reasons(out, table[i].name, at);
		else
			rc = put(out, "engawa_%s %" PRId64 "\n", table[i].name, at[0]);
	}
	return rc;
}
