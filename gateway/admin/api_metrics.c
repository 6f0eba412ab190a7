#include "admin/api_metrics.h"

#include "admin/call.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "metrics/metrics_process.h"

#define TEXT_LIMIT (1024 * 1024)

/* What is not counted but so: looked at when somebody asks. */
static void look(const struct admin *admin)
{
	const struct admin_parts *parts = &admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	int good = facts.journal_good && facts.disk_good;
	metrics_set(METRIC_READY,
		facts.ready && !facts.draining && good && metrics_value(METRIC_STORE_UP));
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

/* Alive means that the store answers: without it this node decides nothing new. */
static int store_answers(const struct admin *admin)
{
	struct store_docs docs = {0};
	int status = store_wait_get(admin->parts.store->state, STATE_NODE,
		admin->parts.node, &docs);

	if (!status)
		store_docs_free(&docs);
	return !status || status == -REASON_NOT_FOUND;
}

void api_metrics_healthz(void *admin, struct exchange *exchange)
{
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	int store = store_answers(admin);
	int good = store && facts.journal_good && facts.disk_good;
	exchange_json(exchange, good ? 200 : 503,
		json_pack("{s:s, s:b, s:b, s:b}", "status", good ? "ok" : "degraded",
			"store", store, "journal", facts.journal_good, "disk",
			facts.disk_good));
}

void api_metrics_readyz(void *admin, struct exchange *exchange)
{
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	/* What cannot be recorded is not done: nobody new could be let in. */
	int good = facts.journal_good && facts.disk_good;
	int ready = facts.ready && !facts.draining && good && store_answers(admin);
	exchange_json(exchange, ready ? 200 : 503,
		json_pack("{s:s}", "status",
			ready            ? "ready"
			: facts.draining ? "draining"
			: !good          ? "degraded"
					 : "not ready"));
}
