#include "admin/api_metrics.h"

#include <stdio.h>
#include <string.h>

#include "admin/call.h"
#include "base/clock.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "metrics/metrics_process.h"
#include "store/store_health.h"

#define TEXT_LIMIT (1024 * 1024)

static int store_answers(const struct admin *admin)
{
	struct store_docs docs = {0};
	int status = store_wait_get(admin->parts.store->state, STATE_NODE,
		admin->parts.node, &docs);

	if (!status)
		store_docs_free(&docs);
	return !status || status == -REASON_NOT_FOUND;
}

static void add(json_t *why, const char *what)
{
	if (why)
		json_array_append_new(why, json_string(what));
}

static void add_since(json_t *why, const char *what, int64_t at_ms)
{
	char text[160], at[CLOCK_TEXT];

	clock_text(at_ms, at);
	snprintf(text, sizeof(text), "%s %s", what, at);
	add(why, text);
}

/* Who may come in meanwhile; what was read last is never newer than when the store went away. */
static void add_mode(json_t *why, const struct admin_facts *facts, int64_t since_ms)
{
	int64_t until_ms = since_ms + facts->cache_ms;

	if (!facts->cache_ms)
		add(why, "degraded mode: strict, nobody new comes in");
	else
		add_since(why,
			clock_wall_ms() < until_ms
				? "degraded mode: cache, known viewers come in until"
				: "degraded mode: cache, nobody new comes in since",
			until_ms);
}

/* Of a store that is shared: what keeps ends from being let in. What else is to be known of it is said too.
 * No more than that: who asks needs no token. */
static int store_is_fit(const struct admin *admin, const struct admin_facts *facts,
	json_t *why)
{
	struct store_health health;

	store_health(admin->parts.store, &health);
	int64_t apart = health.clock_ms < 0 ? -health.clock_ms : health.clock_ms;
	int skewed = apart > STORE_HEALTH_UNREADY_MS;
	if (health.fault == -REASON_CONFIG)
		add_since(why, "store: refuses us or is not fit, since", health.since_ms);
	else if (health.fault)
		add_since(why, "store: does not answer since", health.since_ms);
	if (health.fault)
		add_mode(why, facts, health.since_ms);
	if (health.spool_full)
		add(why, "spool: full, nothing more can be recorded");
	else if (health.spool_rows)
		add(why, "spool: rows wait for the store");
	if (skewed)
		add(why, "clock: more than 30 s from that of the store");
	else if (apart > STORE_HEALTH_SKEW_MS)
		add(why, "clock: more than 2 s from that of the store");
	if (health.emptied)
		add_since(why,
			"store: was emptied, to be restored and all nodes started anew, "
			"since",
			health.emptied_ms);
	return !health.fault && !health.spool_full && !skewed && !health.emptied;
}

/* What cannot be recorded is not done: nobody new could be let in. `why` may be NULL. */
static const char *readiness(const struct admin *admin, const struct admin_facts *facts,
	json_t *why)
{
	int fit = store_is_fit(admin, facts, why);

	if (!facts->journal_good)
		add(why, "journal: takes no rows");
	if (!facts->disk_good)
		add(why, "disk: full");
	if (facts->draining)
		return "draining";
	if (!fit || !facts->journal_good || !facts->disk_good)
		return "degraded";
	return facts->ready && store_answers(admin) ? "ready" : "not ready";
}

/* What is not counted but so: looked at when somebody asks. */
static void look(const struct admin *admin)
{
	const struct admin_parts *parts = &admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	metrics_set(METRIC_READY, !strcmp(readiness(admin, &facts, NULL), "ready"));
	metrics_set(METRIC_DRAINING, facts.draining);
	metrics_set(METRIC_JOURNAL_GOOD, facts.journal_good);
	metrics_set(METRIC_DISK_GOOD, facts.disk_good);
	metrics_set(METRIC_DISK_FREE, (int64_t)facts.free_bytes);
	metrics_set(METRIC_STARTED, facts.started_ms / 1000);
	metrics_set(METRIC_CERTIFICATE_ENDS, facts.certificate_expires_ms / 1000);
	metrics_process_look();
}

void api_metrics_text(void *admin, struct exchange *exchange)
{
	struct buf text;

	look(admin);
	buf_init(&text, TEXT_LIMIT);
	int status = metrics_text(&text);
	if (status)
		exchange_problem(exchange, status, NULL);
	else
		exchange_whole(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_head(&text), buf_len(&text));
	buf_done(&text);
}

void api_metrics_healthz(void *admin, struct exchange *exchange)
{
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	int store = store_answers(admin);
	/* A shared store that is away is no fault of this node: its sessions go on, and starting it anew would
	 * end them. */
	int shared = parts->store->health != NULL;
	int good = facts.disk_good && (shared || (store && facts.journal_good));
	exchange_json(exchange, good ? 200 : 503,
		json_pack("{s:s, s:b, s:b, s:b}", "status", good ? "ok" : "degraded",
			"store", store, "journal", facts.journal_good, "disk",
			facts.disk_good));
}

void api_metrics_readyz(void *admin, struct exchange *exchange)
{
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	struct admin_facts facts;
	json_t *why = json_array();

	parts->facts(parts->ctx, &facts);
	const char *status = readiness(admin, &facts, why);
	exchange_json(exchange, strcmp(status, "ready") ? 503 : 200,
		json_pack("{s:s, s:o}", "status", status, "why", why));
}
