/* Probes of records and stored data: whose question it is, stands in checksheet.def. */
#include <stdlib.h>
#include <string.h>

#include "admin/checkup.h"
#include "alert/alerts.h"
#include "base/clock.h"
#include "base/reason.h"
#include "vault/vault.h"
#include "vault/vault_backups.h"

#define DAY_MS INT64_C(86400000)
#define YEAR_DAYS 365
#define ROWS_LOOKED_AT 1000
#define TENANTS_LOOKED_AT 20
#define DOCUMENTS_LOOKED_AT 50

static int64_t retention_days(const struct checkup *checkup)
{
	return checkup_setting_days(checkup, "journal.retention");
}

int checkup_data_logs(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	json_t *kinds = json_array();

	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		json_array_append_new(kinds,
			json_string(journal_kind_name((enum journal_kind)kind)));
	json_object_set_new(values, "kinds", kinds);
	checkup_number(values, "days", retention_days(checkup));
	*ret = retention_days(checkup) >= YEAR_DAYS;
	return 0;
}

int checkup_data_records(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	checkup_number(values, "days", retention_days(checkup));
	*ret = retention_days(checkup) >= YEAR_DAYS;
	return 0;
}

int checkup_data_room(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	int64_t free_bytes, percent;

	alerts_disk(checkup->call->admin->parts.alerts, &free_bytes, &percent);
	checkup_number(values, "days", retention_days(checkup));
	checkup_number(values, "free_mb", free_bytes / (1024 * 1024));
	checkup_number(values, "free_percent", percent);
	*ret = retention_days(checkup) >= YEAR_DAYS && percent >= 5;
	return 0;
}

/* The newest audit rows, until `see` has enough (not 0). */
static int look_at_audit(struct checkup *checkup, const char *tenant, int64_t from_ms,
	int (*see)(const struct journal_row *row, const json_t *body, void *ctx),
	void *ctx)
{
	struct journal_query query = {.kind = JOURNAL_AUDIT,
		.tenant = tenant,
		.from_ms = from_ms,
		.limit = ROWS_LOOKED_AT,
		.order = JOURNAL_NEWEST_FIRST};
	struct store_rows rows = {0};
	int enough = 0;
	int status = store_wait_query(call_store(checkup->call)->journal, &query, &rows);

	for (size_t i = 0; !status && !enough && i < rows.count; i++) {
		json_t *body = json_loads(rows.rows[i].body, 0, NULL);
		enough = see(&rows.rows[i], body, ctx);
		json_decref(body);
	}
	store_rows_free(&rows);
	return status;
}

static int is_event(const json_t *body, const char *name)
{
	const char *event = json_string_value(json_object_get(body, "event"));
	return event && !strcmp(event, name);
}

struct review {
	json_t *values;
	int64_t reads;
};

static int see_reading(const struct journal_row *row, const json_t *body, void *ctx)
{
	struct review *review = ctx;

	if (!is_event(body, "JOURNAL_READ") && !is_event(body, "JOURNAL_EXPORTED"))
		return 0;
	if (!review->reads++) {
		checkup_time(review->values, "last", row->at_ms);
		checkup_text(review->values, "by",
			json_string_value(json_object_get(body, "by")));
	}
	return 0;
}

int checkup_data_review(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct review review = {.values = values};
	int status = look_at_audit(checkup, *checkup->tenant ? checkup->tenant : NULL,
		clock_wall_ms() - 31 * DAY_MS, see_reading, &review);

	if (status)
		return status;
	checkup_number(values, "reads", review.reads);
	*ret = review.reads > 0;
	return 0;
}

static int see_verdict(const struct journal_row *row, const json_t *body, void *ctx)
{
	json_t *values = ctx;
	const char *fault = json_string_value(json_object_get(body, "fault"));

	if (!is_event(body, "JOURNAL_VERIFIED"))
		return 0;
	checkup_time(values, "verified", row->at_ms);
	json_object_set(values, "checked", json_object_get(body, "checked"));
	checkup_text(values, "result", fault ? fault : "good");
	return 1;
}

static int verify_now(struct checkup *checkup, json_t *values)
{
	struct store_rows rows = {0};
	int status =
		store_wait_verify(call_store(checkup->call)->journal, NULL, 0, &rows);

	if (status)
		return status;
	checkup_time(values, "verified", clock_wall_ms());
	checkup_number(values, "checked", (int64_t)rows.checked);
	checkup_text(values, "result", rows.fault ? rows.fault : "good");
	store_rows_free(&rows);
	return 0;
}

int checkup_data_chain(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	int status = checkup->depth == CHECKUP_THOROUGH
			     ? verify_now(checkup, values)
			     : look_at_audit(checkup, "", 0, see_verdict, values);
	const char *result = json_string_value(json_object_get(values, "result"));

	if (status)
		return status;
	*ret = result ? !strcmp(result, "good") : CHECKUP_UNKNOWN;
	return 0;
}

/* keys */

struct keys {
	int64_t count, oldest_ms;
};

static void see_key(const struct state_doc *doc UNUSED, const json_t *body, void *ctx)
{
	struct keys *keys = ctx;
	int64_t created_ms = json_integer_value(json_object_get(body, "created_ms"));

	if (json_integer_value(json_object_get(body, "destroyed_ms")))
		return;
	keys->count++;
	if (created_ms && (!keys->oldest_ms || created_ms < keys->oldest_ms))
		keys->oldest_ms = created_ms;
}

int checkup_data_sealed(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct keys keys = {0};
	int status = checkup_documents(checkup, STATE_KEY, see_key, &keys);

	if (status)
		return status;
	checkup_text(values, "algorithm", "AES-256-GCM");
	checkup_number(values, "keys", keys.count);
	checkup_number(values, "oldest_days",
		keys.oldest_ms ? (clock_wall_ms() - keys.oldest_ms) / DAY_MS : 0);
	*ret = keys.count > 0     ? CHECKUP_GOOD
	       : *checkup->tenant ? CHECKUP_UNKNOWN
				  : CHECKUP_BAD;
	return 0;
}

static void count_one(const struct state_doc *doc UNUSED, const json_t *body UNUSED,
	void *ctx)
{
	(*(int64_t *)ctx)++;
}

int checkup_data_tenant_keys(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct keys keys = {0};
	int64_t tenants = 0;
	int status = checkup_documents(checkup, STATE_KEY, see_key, &keys);

	if (!status)
		status = checkup_documents(checkup, STATE_TENANT, count_one, &tenants);
	if (status)
		return status;
	checkup_number(values, "keys", keys.count);
	checkup_number(values, "tenants", tenants);
	*ret = keys.count > 0     ? CHECKUP_GOOD
	       : *checkup->tenant ? CHECKUP_UNKNOWN
				  : CHECKUP_BAD;
	return 0;
}

/* isolation */

/* What the store hands out for one company must be all its own. */
static int look_at_tenant(struct checkup *checkup, const char *tenant, int64_t *documents,
	int64_t *foreign)
{
	static const enum state_kind kinds[] = {STATE_LICENSE, STATE_HOST, STATE_DEVICE,
		STATE_ACCOUNT, STATE_TOKEN, STATE_GROUP, STATE_ALERT, STATE_ALARM};
	int status = 0;

	for (size_t k = 0; !status && k < ARRAY_LEN(kinds); k++) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(checkup->call)->state, kinds[k],
			tenant, NULL, DOCUMENTS_LOOKED_AT, &docs);
		for (size_t i = 0; !status && i < docs.count; i++) {
			(*documents)++;
			*foreign += strcmp(docs.docs[i].tenant, tenant) != 0;
		}
		store_docs_free(&docs);
	}
	return status;
}

int checkup_data_isolation(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	int64_t documents = 0, foreign = 0;
	struct store_docs docs = {0};
	int status = store_wait_list(call_store(checkup->call)->state, STATE_TENANT,
		*checkup->tenant ? checkup->tenant : NULL, NULL, TENANTS_LOOKED_AT,
		&docs);

	for (size_t i = 0; !status && i < docs.count; i++)
		status = look_at_tenant(checkup, docs.docs[i].id, &documents, &foreign);
	checkup_number(values, "tenants", (int64_t)docs.count);
	checkup_number(values, "documents", documents);
	checkup_number(values, "foreign", foreign);
	checkup_time(values, "at", clock_wall_ms());
	store_docs_free(&docs);
	*ret = !foreign;
	return status;
}

/* backups */

struct backups {
	int64_t count, last_ms, drill_ms;
	int drill_good;
};

static void see_backup(struct backups *backups, const json_t *record)
{
	const char *state = json_string_value(json_object_get(record, "state"));
	const json_t *drill = json_object_get(record, "drill");
	const char *result = json_string_value(json_object_get(drill, "state"));
	int64_t made_ms = json_integer_value(json_object_get(record, "made_ms"));
	int is_over = result && (!strcmp(result, "good") || !strcmp(result, "failed"));
	int64_t drill_ms =
		is_over ? json_integer_value(json_object_get(drill, "at_ms")) : 0;

	if (!state || strcmp(state, "done"))
		return;
	backups->count++;
	if (made_ms > backups->last_ms)
		backups->last_ms = made_ms;
	if (drill_ms > backups->drill_ms) {
		backups->drill_ms = drill_ms;
		backups->drill_good = !strcmp(result, "good");
	}
}

/* Backups are the operator's: of the whole service, whoever asks. */
static int look_at_backups(struct checkup *checkup, struct backups *ret)
{
	json_t *records, *record;
	size_t i;
	int status = vault_backups_list(checkup->call->admin->parts.vault, &records);

	*ret = (struct backups){0};
	if (status)
		return status;
	json_array_foreach(records, i, record) see_backup(ret, record);
	json_decref(records);
	return 0;
}

static int is_recent(const struct checkup *checkup, const struct backups *backups)
{
	int64_t every_ms = checkup_setting_ms(checkup, "backup.every");

	return every_ms && backups->count &&
	       clock_wall_ms() - backups->last_ms < 2 * every_ms;
}

int checkup_data_backup(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct backups backups;
	int status = look_at_backups(checkup, &backups);

	if (status)
		return status;
	checkup_text(values, "every", checkup_setting(checkup, "backup.every"));
	checkup_number(values, "generations",
		checkup_setting_number(checkup, "backup.generations"));
	checkup_number(values, "backups", backups.count);
	checkup_time(values, "last", backups.last_ms);
	*ret = is_recent(checkup, &backups);
	return 0;
}

int checkup_data_recovery(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct backups backups;
	struct store_docs nodes = {0};
	int status = look_at_backups(checkup, &backups);

	if (!status)
		status = store_wait_list(call_store(checkup->call)->state, STATE_NODE,
			NULL, NULL, 1000, &nodes);
	if (status)
		return status;
	checkup_number(values, "backups", backups.count);
	checkup_number(values, "nodes", (int64_t)nodes.count);
	checkup_time(values, "last", backups.last_ms);
	checkup_time(values, "drill", backups.drill_ms);
	checkup_text(values, "drill_result",
		!backups.drill_ms    ? NULL
		: backups.drill_good ? "good"
				     : "failed");
	store_docs_free(&nodes);
	*ret = is_recent(checkup, &backups) && (!backups.drill_ms || backups.drill_good);
	return 0;
}

int checkup_data_contract_end(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	const char *purge = checkup_setting(checkup, "tenant.purge_after");

	checkup_text(values, "purge", purge);
	*ret = purge ? CHECKUP_GOOD : CHECKUP_UNKNOWN;
	return 0;
}

/* What only the operator can say, with its date. */
int checkup_data_statement(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	static const char *const missing[] = {"missing", "未記入"};
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(checkup->call)->state, STATE_STATEMENT,
		checkup->row->row, &docs);

	if (!status) {
		json_t *body = call_body(&docs.docs[0]);
		json_object_set(values, "text", json_object_get(body, "text"));
		checkup_time(values, "written",
			json_integer_value(json_object_get(body, "written_ms")));
		json_decref(body);
	} else {
		json_object_set_new(values, "text",
			json_pack("{s:s, s:s}", "en", missing[0], "ja", missing[1]));
	}
	store_docs_free(&docs);
	*ret = status ? CHECKUP_BAD : CHECKUP_GOOD;
	return status == -REASON_NOT_FOUND ? 0 : status;
}
