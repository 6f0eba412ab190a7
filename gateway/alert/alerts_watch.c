/* The watch itself: rules, events of the journal, states, and the lease. */
#include <stdio.h>
#include <string.h>

#include "alert/alert_seed.h"
#include "alert/alerts_inside.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "store/store_wait.h"

#define RULES_MS 30000
#define SWEEP_MS 5000
#define STEP 500
#define OPEN_LOOKED_AT 10000
#define DAY_MS INT64_C(86400000)
#define LONGEST_AGAIN_MS DAY_MS
#define KEPT_MS (400 * DAY_MS)

/* rules */

static int add_rules(struct alerts *alerts)
{
	char last[STATE_ID_MAX + 1] = "";
	size_t count = STEP;
	int status = 0;

	alert_book_forget_rules(alerts->book);
	while (!status && count == STEP) {
		struct store_docs docs = {0};
		struct field_error error;
		struct alert alert;
		status = store_wait_list(alerts->parts.store->state, STATE_ALERT, NULL,
			*last ? last : NULL, STEP, &docs);
		count = docs.count;
		for (size_t i = 0; !status && i < count; i++)
			if (!alert_read(docs.docs[i].body, &alert, &error))
				status = alert_book_add_rule(alerts->book, &alert);
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static int seed_tenants(struct alerts *alerts)
{
	struct state *state = alerts->parts.store->state;
	char last[STATE_ID_MAX + 1] = "";
	size_t count = STEP;
	int status = alert_seed(state, "");

	while (!status && count == STEP) {
		struct store_docs docs = {0};
		status = store_wait_list(state, STATE_TENANT, NULL, *last ? last : NULL,
			STEP, &docs);
		count = docs.count;
		for (size_t i = 0; !status && i < count; i++)
			status = alert_seed(state, docs.docs[i].id);
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static int read_rules(struct alerts *alerts)
{
	int status = seed_tenants(alerts);

	if (!status)
		status = add_rules(alerts);
	if (!status) {
		memset(alerts->absent, 0, sizeof(alerts->absent));
		alerts->rules_stale = 0;
		alerts->rules_due_ms = clock_mono_ms() + RULES_MS;
	}
	return status;
}

/* Companies that removed their rules of a kind: no use in reading them again for every row. */
static int is_absent(const struct alerts *alerts, const struct alert_event *event)
{
	for (size_t i = 0; i < ARRAY_LEN(alerts->absent); i++)
		if (alerts->absent[i].known && alerts->absent[i].when == event->when &&
			!strcmp(alerts->absent[i].tenant, event->tenant))
			return 1;
	return 0;
}

static void note_absent(struct alerts *alerts, const struct alert_event *event)
{
	size_t i = alerts->absent_next++ % ARRAY_LEN(alerts->absent);

	alerts->absent[i].known = 1;
	alerts->absent[i].when = event->when;
	memcpy(alerts->absent[i].tenant, event->tenant, sizeof(event->tenant));
}

/* A company that nobody made a document for has rules too, from its first row on; another node may have
 * made them since ours were read. */
static int ensure_rules(struct alerts *alerts, const struct alert_event *event)
{
	size_t at = 0;

	if (alert_book_rule(alerts->book, event->when, event->tenant, &at) ||
		is_absent(alerts, event))
		return 0;
	int status = alert_seed(alerts->parts.store->state, event->tenant);
	if (!status)
		status = add_rules(alerts);
	at = 0;
	if (!status && !alert_book_rule(alerts->book, event->when, event->tenant, &at))
		note_absent(alerts, event);
	return status;
}

/* events */

static int on_event(void *ctx, const struct alert_event *event)
{
	struct alerts *alerts = ctx;
	const struct alert *rule;
	size_t at = 0;
	int64_t value;
	int status = ensure_rules(alerts, event);

	while (!status &&
		(rule = alert_book_rule(alerts->book, event->when, event->tenant, &at))) {
		const struct alert_case what = {
			event->subject, event->license, event->at_ms, 0};
		struct alert_case counted = what;
		struct alarm alarm;
		if (!alert_book_count(alerts->book, rule, event, &value))
			continue;
		counted.value = value;
		status = alert_raise(&alerts->raise, rule, &counted, &alarm);
		if (!status)
			alert_book_raised(alerts->book, rule, &alarm);
	}
	return status;
}

/* Raised before, or not enough: counting is all that is needed. */
static int on_old_event(void *ctx, const struct alert_event *event)
{
	struct alerts *alerts = ctx;
	const struct alert *rule;
	size_t at = 0;
	int64_t value;

	while ((rule = alert_book_rule(alerts->book, event->when, event->tenant, &at)))
		(void)alert_book_count(alerts->book, rule, event, &value);
	return 0;
}

static int is_local(const struct alerts *alerts, const struct alarm *alarm)
{
	int is_here = alarm->when == ALERT_DISK || alarm->when == ALERT_CERTIFICATE ||
		      alarm->when == ALERT_OUTAGE;

	return is_here && !strcmp(alarm->node, alerts->parts.node);
}

/* What this node is responsible for: its own states, and with the lease everything that is no other
 * node's own. */
static int is_ours(const struct alerts *alerts, const struct alarm *alarm)
{
	if (alarm->when == ALERT_DISK || alarm->when == ALERT_CERTIFICATE ||
		alarm->when == ALERT_OUTAGE)
		return is_local(alerts, alarm);
	return alerts->rows.holds;
}

/* Letters of a node that is gone would never be sent. */
static int adopt_letters(struct alerts *alerts, const struct alarm *alarm)
{
	struct store_docs docs = {0};

	if (strcmp(alarm->node, alerts->parts.node)) {
		int status = store_wait_get(alerts->parts.store->state, STATE_NODE,
			alarm->node, &docs);
		store_docs_free(&docs);
		if (status != -REASON_NOT_FOUND)
			return status;
	}
	return deliver_put(alerts->deliver, alarm);
}

static int adopt(struct alerts *alerts, const struct state_doc *doc)
{
	struct field_error error;
	struct alarm alarm;
	int status = 0;

	if (alarm_read(doc->body, &alarm, &error) || !is_ours(alerts, &alarm))
		return 0;
	if (!alarm.over_ms)
		status = alert_book_open(alerts->book, &alarm);
	if (clock_wall_ms() - alarm.made_ms < DAY_MS && !status)
		status = adopt_letters(alerts, &alarm);
	return status == -REASON_LIMIT || status == -REASON_NO_MEMORY ? 0 : status;
}

static int read_open(struct alerts *alerts)
{
	char last[STATE_ID_MAX + 1] = "";
	size_t count = STEP, seen = 0;
	int status = 0;

	while (!status && count == STEP && seen < OPEN_LOOKED_AT) {
		struct store_docs docs = {0};
		status = store_wait_list(alerts->parts.store->state, STATE_ALARM, NULL,
			*last ? last : NULL, STEP, &docs);
		count = docs.count;
		seen += count;
		for (size_t i = 0; !status && i < count; i++)
			status = adopt(alerts, &docs.docs[i]);
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static int64_t longest_window(const struct alerts *alerts)
{
	int64_t longest = 0;

	for (int when = 0; when < ALERT_WHENS; when++) {
		const struct alert *rule;
		size_t at = 0;
		if (alert_kind_at((size_t)when)->measure == ALERT_MEASURE_STATE)
			continue;
		while ((rule = alert_book_rule(alerts->book, (enum alert_when)when, NULL,
				&at)))
			if (rule->window_ms > longest)
				longest = rule->window_ms;
	}
	return longest < LONGEST_AGAIN_MS ? longest : LONGEST_AGAIN_MS;
}

/* What was counted under an older lease is counted again from the rows. */
static int fresh_book(struct alerts *alerts)
{
	struct alert_book *fresh;
	int status = alert_book_new(&fresh);

	if (status)
		return status;
	alert_book_free(alerts->book);
	alerts->book = alerts->states.book = fresh;
	return add_rules(alerts);
}

static int take_over(struct alerts *alerts)
{
	int status = fresh_book(alerts);

	if (!status)
		status = read_open(alerts);

	if (!status)
		status = alert_rows_find(&alerts->rows);
	if (!status)
		status = alert_rows_again(&alerts->rows,
			clock_wall_ms() - longest_window(alerts), on_old_event, alerts);
	if (!status)
		log_line(LOG_INFO, "this node watches for alerts");
	return status;
}

static int watch_rows(struct alerts *alerts)
{
	int status = alert_rows_lease(&alerts->rows);

	if (status == 1)
		status = take_over(alerts);
	if (!status)
		status = alert_rows_read(&alerts->rows, on_event, alerts);
	if (!status)
		status = alert_rows_save(&alerts->rows);
	return status == -REASON_LICENSE_IN_USE ? 0 : status;
}

/* states */

static int watch_probe(struct alerts *alerts)
{
	struct probe_facts facts;
	int status = 0;

	probe_facts(alerts->probe, &facts);
	for (int i = 0; !status && i < PROBE_TARGETS; i++)
		status = alert_states_outage(&alerts->states,
			probe_target_name((enum probe_target)i),
			facts.failing_since_ms[i]);
	if (!status)
		alert_states_end(&alerts->states, ALERT_OUTAGE);
	return status;
}

static int watch_states(struct alerts *alerts)
{
	int64_t ends_ms = alerts->parts.certificate_ends_ms(alerts->parts.ctx);
	int status = alert_states_disk(&alerts->states);

	if (!status)
		status = watch_probe(alerts);
	if (!status)
		status = alert_states_low(&alerts->states, ALERT_CERTIFICATE,
			(ends_ms - clock_wall_ms()) / DAY_MS);
	if (!status && alerts->rows.holds)
		status = alert_states_nodes(&alerts->states);
	if (!status && alerts->rows.holds)
		status = alert_states_hosts(&alerts->states);
	return status;
}

static void end_one(void *ctx, const char *alarm)
{
	alert_raise_over(ctx, alarm, clock_wall_ms());
}

static int is_due(int64_t *due_ms, int64_t every_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms < *due_ms)
		return 0;
	*due_ms = now_ms + every_ms;
	return 1;
}

/* Alarms live as long as the journal does by default; the oldest are last in the list. */
static int purge(struct alerts *alerts)
{
	struct state *state = alerts->parts.store->state;
	char after[STATE_ID_MAX];
	struct store_docs docs = {0};
	int64_t oldest_ms = clock_wall_ms() - KEPT_MS;

	snprintf(after, sizeof(after), "alm_%012llx",
		(unsigned long long)(0xffffffffffff - (uint64_t)oldest_ms));
	int status = store_wait_list(state, STATE_ALARM, NULL, after, STEP, &docs);
	for (size_t i = 0; !status && i < docs.count; i++)
		status = store_wait_remove(state, STATE_ALARM, docs.docs[i].id, 0);
	store_docs_free(&docs);
	return status;
}

static int tick(struct alerts *alerts)
{
	int status = 0;

	if (alerts->rules_stale || clock_mono_ms() >= alerts->rules_due_ms)
		status = read_rules(alerts);
	if (!status)
		status = watch_rows(alerts);
	if (!status && is_due(&alerts->scan_due_ms, atomic_load(&alerts->scan_ms)))
		status = watch_states(alerts);
	if (!status && is_due(&alerts->sweep_due_ms, SWEEP_MS) && alerts->rows.holds)
		alert_book_sweep(alerts->book, clock_wall_ms(), end_one, &alerts->raise);
	if (!status && alerts->rows.holds && is_due(&alerts->purge_due_ms, 3600000))
		status = purge(alerts);
	return status;
}

/* Half a tick was done: what was counted cannot be trusted. Everything is read again. */
static void start_over(struct alerts *alerts, int status)
{
	if (!alerts->troubled++)
		log_line(LOG_WARN, "alerts are held up",
			LOG_S("reason", reason_symbol(status)));
	alerts->rules_stale = 1;
	/* With the lease taken anew comes a new book. */
	alert_rows_release(&alerts->rows);
}

void alerts_watch_news(void *ctx, const char *topic UNUSED, const char *json)
{
	struct alerts *alerts = ctx;

	/* A new company gets its rules. */
	if (strstr(json, "\"type\":\"alert\"") || strstr(json, "\"type\":\"tenant\""))
		alerts->rules_stale = 1;
}

void alerts_watch_begin(struct alerts *alerts)
{
	if (read_rules(alerts) || read_open(alerts))
		alerts->rules_stale = 1;
}

void alerts_watch_tick(struct alerts *alerts)
{
	int status = tick(alerts);

	if (status)
		start_over(alerts, status);
	else
		alerts->troubled = 0;
}
