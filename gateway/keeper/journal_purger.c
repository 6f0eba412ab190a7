#include "keeper/journal_purger.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reason.h"
#include "rules/retention.h"
#include "rules/tenant.h"
#include "setup/chronicle.h"
#include "store/journal_chain.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define DAY_MS INT64_C(86400000)
#define TURN "purge"

/* A rule with room for what it points to. */
struct rule {
	struct journal_purge purge;
	struct journal_keep *keeps;
	size_t room;
	int64_t now_ms;
};

static int add_tenant(struct rule *rule, const struct state_doc *doc)
{
	struct tenant tenant;
	struct field_error error;
	/* One that cannot be read keeps what all keep. */
	if (tenant_read(doc->body, &tenant, &error) || !tenant.retention_days)
		return 0;
	if (rule->purge.count == rule->room) {
		size_t room = rule->room ? 2 * rule->room : 16;
		struct journal_keep *more = realloc(rule->keeps, room * sizeof(*more));
		if (!more)
			return -REASON_NO_MEMORY;
		rule->keeps = more;
		rule->room = room;
	}
	char *name = strdup(doc->id);
	if (!name)
		return -REASON_NO_MEMORY;
	rule->keeps[rule->purge.count++] = (struct journal_keep){
		name, retention_before_ms(tenant.retention_days, rule->now_ms)};
	return 0;
}

static int add_tenants(struct rule *rule, struct store *store)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t got = 1000;
	int r = 0;
	while (r == 0 && got == 1000) {
		struct store_docs docs = {0};
		r = store_wait_list(store->state, STATE_TENANT, NULL,
			*after ? after : NULL, 1000, &docs);
		got = docs.count;
		for (size_t i = 0; r == 0 && i < docs.count; i++)
			r = add_tenant(rule, &docs.docs[i]);
		if (got)
			snprintf(after, sizeof(after), "%s", docs.docs[got - 1].id);
		store_docs_free(&docs);
	}
	rule->purge.tenants = rule->keeps;
	return r;
}

static void rule_done(struct rule *rule)
{
	for (size_t i = 0; i < rule->purge.count; i++)
		free((char *)rule->keeps[i].tenant);
	free(rule->keeps);
}

/* 1: there is a row of this kind that may go. */
static int has_old_row(const struct rule *rule, struct store *store,
	enum journal_kind kind)
{
	struct journal_query query = {.kind = kind,
		.to_ms = journal_purge_latest(&rule->purge, kind),
		.limit = JOURNAL_QUERY_MAX};
	size_t got = query.to_ms > 0 ? query.limit : 0;
	int found = 0;
	while (!found && got == query.limit) {
		struct store_rows rows = {0};
		int r = store_wait_query(store->journal, &query, &rows);
		if (r)
			return r;
		got = rows.count;
		for (size_t i = 0; !found && i < got; i++)
			found = rows.rows[i].at_ms < journal_purge_before(&rule->purge,
							     kind, rows.rows[i].tenant);
		if (got)
			query.after_seq = rows.rows[got - 1].seq;
		store_rows_free(&rows);
	}
	return found;
}

static int purge_rows(const struct rule *rule, struct store *store)
{
	struct store_rows gone = {0};
	int r = 0;
	for (int kind = 0; kind < JOURNAL_KINDS && r == 0; kind++)
		r = has_old_row(rule, store, (enum journal_kind)kind);
	if (r < 0)
		return r;
	if (r > 0) {
		r = chronicle_write(store, AUDIT_JOURNAL_PURGED,
			json_pack("{s:I, s:I}", "before_ms",
				(json_int_t)rule->purge.before_ms[JOURNAL_RECORDS],
				"counts_before_ms",
				(json_int_t)rule->purge.before_ms[JOURNAL_COUNTS]));
		if (r)
			return r;
	}
	/* Also without rows: stubs grow old as well. */
	r = store_wait_purge(store->journal, &rule->purge, &gone);
	if (r == 0 && gone.checked)
		log_line(LOG_INFO, "old journal rows removed",
			LOG_U("rows", gone.checked));
	return r;
}

/* 1: this node's turn. Whoever writes the day first does the work. */
static int take_turn(struct store *store, int64_t day)
{
	struct store_docs docs = {0};
	uint64_t version = 0;
	json_int_t last = 0;
	int r = store_wait_get(store->state, STATE_META, TURN, &docs);
	if (r == 0) {
		json_t *body = json_loads(docs.docs[0].body, 0, NULL);
		last = json_integer_value(json_object_get(body, "day"));
		version = docs.docs[0].version;
		json_decref(body);
		store_docs_free(&docs);
	}
	if (r && r != -REASON_NOT_FOUND)
		return r;
	/* A clock that went back must not stop the removal for ever. */
	if (last == day)
		return 0;
	char body[48];
	snprintf(body, sizeof(body), "{\"day\":%lld}", (long long)day);
	struct state_doc doc = {STATE_META, TURN, "", version, body};
	r = store_wait_put(store->state, &doc, NULL);
	return r == -REASON_CONFLICT ? 0 : r ? r : 1;
}

static int purge_all(struct journal_purger *purger,
	const struct journal_purger_times *times, int64_t now_ms)
{
	struct rule rule = {.now_ms = now_ms};
	int64_t records_ms = retention_before_ms(times->records_days, now_ms);
	rule.purge.before_ms[JOURNAL_RECORDS] = records_ms;
	rule.purge.before_ms[JOURNAL_COUNTS] =
		retention_counts_before_ms(times->counts_days, now_ms);
	rule.purge.stubs_before_ms = now_ms - JOURNAL_CHAIN_STUB_DAYS * DAY_MS;
	int r = add_tenants(&rule, purger->store);
	if (r == 0)
		r = purge_rows(&rule, purger->store);
	if (r == 0)
		r = usage_roller_prune(purger->roller, records_ms, now_ms);
	if (r == 0)
		r = checkpoint_maker_prune(purger->maker, now_ms);
	rule_done(&rule);
	return r;
}

int journal_purger_run(struct journal_purger *purger,
	const struct journal_purger_times *times, int64_t now_ms)
{
	int64_t day = now_ms / DAY_MS;
	if (day == purger->done_day)
		return 0;
	int r = take_turn(purger->store, day);
	if (r > 0)
		r = purge_all(purger, times, now_ms);
	if (r == 0)
		purger->done_day = day;
	return r;
}
