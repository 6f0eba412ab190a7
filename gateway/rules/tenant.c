#include "rules/tenant.h"

#include <string.h>

#include "base/reason.h"
#include "rules/document.h"
#include "rules/policy.h"
#include "rules/retention.h"

#define DAY_MS INT64_C(86400000)

static const char *const states[] = {"enabled", "disabled", "ended", NULL};

int tenant_id_good(const char *id)
{
	size_t len = strlen(id);
	return len && len < TENANT_ID_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static int read_open_fields(const json_t *object, struct tenant *tenant,
	struct field_error *error)
{
	int r = field_text(object, "name", FIELD_MAY, tenant->name, sizeof(tenant->name),
		error);
	if (r == 0)
		r = field_text(object, "note", FIELD_MAY, tenant->note,
			sizeof(tenant->note), error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &tenant->state, error);
	if (r == 0)
		r = field_integer(object, "retention_days", FIELD_MAY, 0,
			RETENTION_MAX_DAYS, &tenant->retention_days, error);
	if (r == 0)
		r = field_integer(object, "licenses_max", FIELD_MAY, 0, TENANT_COUNT_MAX,
			&tenant->licenses_max, error);
	if (r == 0)
		r = field_integer(object, "sessions_max", FIELD_MAY, 0, TENANT_COUNT_MAX,
			&tenant->sessions_max, error);
	if (r == 0)
		r = policy_read_rate(object, "rate_max_bytes", &tenant->rate_max_bytes,
			error);
	const json_t *days = json_object_get(object, "purge_days");
	if (r == 0 && days) {
		tenant->has_purge_days = !json_is_null(days);
		tenant->purge_days = 0;
	}
	if (r == 0 && tenant->has_purge_days)
		r = field_integer(object, "purge_days", FIELD_MAY, 0,
			TENANT_PURGE_DAYS_MAX, &tenant->purge_days, error);
	if (r == 0 && tenant->retention_days &&
		tenant->retention_days < RETENTION_MIN_DAYS)
		r = field_fail(error, "retention_days", "at least %d days are kept",
			RETENTION_MIN_DAYS);
	return r;
}

static int read_all(const json_t *object, struct tenant *tenant,
	struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, tenant->id, sizeof(tenant->id),
		error);
	if (r == 0 && !tenant_id_good(tenant->id))
		r = field_fail(error, "id",
			"1 to 40 small letters, digits, - or _ are expected");
	if (r == 0)
		r = field_time(object, "created_ms", &tenant->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &tenant->changed_ms, error);
	if (r == 0)
		r = field_time(object, "ended_ms", &tenant->ended_ms, error);
	if (r == 0)
		r = field_time(object, "purge_after_ms", &tenant->purge_after_ms, error);
	return r ? r : read_open_fields(object, tenant, error);
}

int tenant_read(const char *body, struct tenant *ret, struct field_error *error)
{
	struct tenant tenant = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &tenant, error);
	json_decref(object);
	if (r == 0)
		*ret = tenant;
	return r;
}

int tenant_change(struct tenant *tenant, const json_t *changes, struct field_error *error)
{
	static const char *const known[] = {"name", "state", "note", "retention_days",
		"licenses_max", "sessions_max", "rate_max_bytes", "purge_days", NULL};
	struct tenant changed = *tenant;
	if (!json_is_object(changes))
		return field_fail(error, "", "a JSON object is expected");
	int r = field_known(changes, known, error);
	if (r == 0)
		r = read_open_fields(changes, &changed, error);
	if (r == 0 && changed.state == TENANT_ENDED && tenant->state != TENANT_ENDED)
		r = field_fail(error, "state",
			"a contract is ended by deleting the company");
	if (r)
		return r;
	if (changed.state != TENANT_ENDED)
		changed.ended_ms = changed.purge_after_ms = 0;
	*tenant = changed;
	return 0;
}

void tenant_end(struct tenant *tenant, int64_t now_ms, int64_t purge_after_ms)
{
	if (tenant->state == TENANT_ENDED)
		return;
	tenant->state = TENANT_ENDED;
	tenant->ended_ms = tenant->changed_ms = now_ms;
	tenant->purge_after_ms =
		now_ms +
		(tenant->has_purge_days ? tenant->purge_days * DAY_MS : purge_after_ms);
}

int tenant_write(const struct tenant *tenant, const char *before, char **ret)
{
	json_t *object;
	int r = document_open(before, &object);
	if (r)
		return document_close(object, r, ret);
	json_t *fields = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
		"id", tenant->id, "name", tenant->name, "note", tenant->note, "state",
		states[tenant->state], "created_ms", (json_int_t)tenant->created_ms,
		"changed_ms", (json_int_t)tenant->changed_ms, "retention_days",
		(json_int_t)tenant->retention_days, "licenses_max",
		(json_int_t)tenant->licenses_max, "sessions_max",
		(json_int_t)tenant->sessions_max, "rate_max_bytes",
		(json_int_t)tenant->rate_max_bytes);
	if (fields && tenant->has_purge_days)
		json_object_set_new(fields, "purge_days",
			json_integer(tenant->purge_days));
	else if (fields)
		json_object_set_new(fields, "purge_days", json_null());
	if (fields && tenant->state == TENANT_ENDED) {
		json_object_set_new(fields, "ended_ms", json_integer(tenant->ended_ms));
		json_object_set_new(fields, "purge_after_ms",
			json_integer(tenant->purge_after_ms));
	} else {
		json_object_del(object, "ended_ms");
		json_object_del(object, "purge_after_ms");
	}
	return document_close(object, document_set(object, fields), ret);
}
