#include "admin/api_journal_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "store/journal_audit.h"

#define DAY_MS INT64_C(86400000)
/* A checkpoint is due each hour; somewhat later it is missing. */
#define FRESH_MS INT64_C(3900000)
#define VERDICT "verdict"

/* ---- verification ------------------------------------------------------------------------ */

static int run_audit(struct call *call, struct journal_audit *ret)
{
	const struct admin_parts *parts = &call->admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	const char *const files[] = {parts->checkpoints, facts.checkpoint_copy};
	return journal_audit_run(parts->store, parts->signer, files,
		*facts.checkpoint_copy ? 2 : 1, ret);
}

/* The newest verdict stays, for pages and check sheets; that it cannot be kept is no reason to withhold it. */
static void keep_verdict(struct call *call, json_t *verdict)
{
	struct store_docs docs = {0};
	struct state *state = call_store(call)->state;
	struct state_doc doc = {STATE_META, VERDICT, "", 0, NULL};
	char *body;

	if (!store_wait_get(state, STATE_META, VERDICT, &docs))
		doc.version = docs.docs[0].version;
	store_docs_free(&docs);
	json_object_set_new(verdict, "by", json_string(call->by.name));
	body = json_dumps(verdict, JSON_COMPACT);
	doc.body = body;
	if (body && store_wait_put(state, &doc, NULL))
		log_line(LOG_WARN, "verdict not kept", LOG_S("by", call->by.name));
	free(body);
}

void api_journal_state_verify(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct journal_audit audit;
	int status = run_audit(call, &audit);

	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	json_t *fields = json_pack("{s:I, s:s*}", "checked", (json_int_t)audit.checked,
		"fault", audit.fault);
	if (audit.first_bad)
		json_object_set_new(fields, "first_bad",
			json_integer((json_int_t)audit.first_bad));
	if (call_audit(call, AUDIT_JOURNAL_VERIFIED, "", "", fields))
		return;
	json_t *verdict = journal_audit_json(&audit, call->admin->parts.signer);
	if (verdict)
		keep_verdict(call, verdict);
	exchange_json(exchange, 200, verdict);
}

/* ---- state ------------------------------------------------------------------------------- */

static json_t *kept(struct call *call, const char *id)
{
	struct store_docs docs = {0};
	json_t *object = NULL;

	if (!store_wait_get(call_store(call)->state, STATE_META, id, &docs))
		object = json_loads(docs.docs[0].body, 0, NULL);
	store_docs_free(&docs);
	return object ? object : json_null();
}

static json_t *checkpoint_state(struct call *call, uint64_t head)
{
	struct journal_checkpoint newest = {.rows = 0};
	json_t *object = kept(call, JOURNAL_CHECKPOINT_NEWEST);
	char *text = json_is_object(object) ? json_dumps(object, JSON_COMPACT) : NULL;
	int good = text && !journal_checkpoint_read(text, &newest) &&
		   !journal_checkpoint_check(call->admin->parts.signer, &newest) &&
		   newest.point.seq <= head &&
		   (newest.point.seq == head ||
			   clock_wall_ms() - newest.point.at_ms < FRESH_MS);

	free(text);
	json_decref(object);
	if (!newest.point.seq)
		return json_null();
	json_t *state = json_pack("{s:I, s:I, s:s, s:b, s:I}", "seq",
		(json_int_t)newest.point.seq, "at_ms", (json_int_t)newest.point.at_ms,
		"node", newest.node, "good", good, "unsigned_rows",
		(json_int_t)(head > newest.point.seq ? head - newest.point.seq : 0));
	call_add_times(state);
	return state;
}

/* By what a day has taken until now; null while there is no day to tell from. */
static json_t *days_left(const struct journal_facts *facts, uint64_t free_bytes)
{
	int64_t days = facts->first_ms ? (clock_wall_ms() - facts->first_ms) / DAY_MS : 0;
	uint64_t a_day = days > 0 ? facts->bytes / (uint64_t)days : 0;

	return a_day ? json_integer((json_int_t)(free_bytes / a_day)) : json_null();
}

/* What concerns the whole store is not for people of one company. */
static void add_sizes(const struct store_rows *rows, const struct admin_facts *facts,
	json_t *state)
{
	json_t *counts = json_object();

	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		json_object_set_new(counts, journal_kind_name((enum journal_kind)kind),
			json_integer((json_int_t)rows->facts.rows[kind]));
	json_object_set_new(state, "rows", counts);
	json_object_set_new(state, "stubs", json_integer((json_int_t)rows->facts.stubs));
	json_object_set_new(state, "bytes", json_integer((json_int_t)rows->facts.bytes));
	json_object_set_new(state, "free_bytes",
		json_integer((json_int_t)facts->free_bytes));
	json_object_set_new(state, "days_left",
		days_left(&rows->facts, facts->free_bytes));
}

void api_journal_state_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const struct admin_parts *parts = &call->admin->parts;
	struct store_rows rows = {0};
	struct admin_facts facts;
	int status = store_wait_look(call_store(call)->journal, &rows);

	parts->facts(parts->ctx, &facts);
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	json_t *state = json_pack("{s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "first_ms",
		(json_int_t)rows.facts.first_ms, "last_seq", (json_int_t)rows.last_seq,
		"retention_days", (json_int_t)facts.records_days, "retention_counts_days",
		(json_int_t)facts.counts_days, "writable",
		facts.journal_good && facts.disk_good, "checkpoint",
		checkpoint_state(call, rows.last_seq), "last_verify",
		kept(call, VERDICT));
	if (state && !*call->by.tenant)
		add_sizes(&rows, &facts, state);
	call_add_times(state);
	exchange_json(exchange, 200, state);
}
