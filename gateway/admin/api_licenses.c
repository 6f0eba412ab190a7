#include "admin/api_licenses.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "http/csv.h"
#include "rules/host_binding.h"
#include "rules/lockout.h"

/* create */

static int take_tenant(struct call *call, json_t *object, struct license *license)
{
	json_t *given = json_object_get(object, "tenant");

	if (given && !json_is_string(given))
		return call_wrong(call, "tenant", "text is expected");
	int status = call_tenant_of_new(call, json_string_value(given), license->tenant);
	json_object_del(object, "tenant");
	return status;
}

static int fill(struct call *call, json_t *object, struct license *license)
{
	struct field_error error;
	int status = take_tenant(call, object, license);

	if (status)
		return status;
	if (license_change(license, object, &error))
		return license_desk_fail(call, &error);
	license->created_ms = license->changed_ms = clock_wall_ms();
	return 0;
}

static int record_creation(struct call *call, const struct license *license)
{
	json_t *fields = json_pack("{s:s, s:s, s:s*}", "license", license->id, "holder",
		license->holder, "group", *license->group ? license->group : NULL);

	if (license->expires_ms)
		json_object_set_new(fields, "expires_ms",
			json_integer(license->expires_ms));
	return call_audit(call, AUDIT_LICENSE_CREATED, license->tenant, license->id,
		fields);
}

static int store_new(struct call *call, const struct license *license)
{
	struct state_doc doc = {
		.kind = STATE_LICENSE, .id = license->id, .tenant = license->tenant};
	uint64_t version;
	char *body;
	int status = license_write(license, NULL, &body);

	if (status)
		return call_fail(call, status, NULL);
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	secret_wipe(body, strlen(body));
	free(body);
	if (status)
		return call_undone(call, AUDIT_LICENSE_CREATED, license->tenant,
			license->id, status);
	return 0;
}

static int create(struct call *call, json_t *object, json_t **ret)
{
	struct license license = {0};
	struct license_key key = {0};
	char password[PASSWORD_GENERATED];
	int status = fill(call, object, &license);

	if (status)
		goto out;
	status = license_issue(&license, &key);
	if (!status)
		status = license_desk_password(password, license.password);
	if (status) {
		call_fail(call, status, NULL);
		goto out;
	}
	status = record_creation(call, &license);
	if (!status)
		status = store_new(call, &license);
	if (!status)
		*ret = license_desk_secrets(&license, &key, password);
out:
	secret_wipe(&license, sizeof(license));
	secret_wipe(&key, sizeof(key));
	secret_wipe(password, sizeof(password));
	return status;
}

void api_licenses_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct body body;
	json_t *answer = NULL;

	if (body_parse(&body, exchange))
		return;
	if (!create(call, body.object, &answer))
		exchange_json(exchange, 201, answer);
	body_done(&body);
}

/* list */

static int has_label(const struct license *license, const char *wanted)
{
	size_t name = strcspn(wanted, "=");

	for (size_t i = 0; i < license->label_count; i++) {
		const struct license_label *label = &license->labels[i];
		if (strlen(label->name) == name && !strncmp(label->name, wanted, name) &&
			(!wanted[name] || !strcmp(label->value, wanted + name + 1)))
			return 1;
	}
	return 0;
}

static int in_state(const struct license *license, const char *state)
{
	int expired = license->expires_ms && license->expires_ms <= clock_wall_ms();

	if (!strcmp(state, "expired"))
		return expired;
	if (!strcmp(state, "disabled"))
		return license->state == LICENSE_DISABLED;
	return license->state == LICENSE_ENABLED && !expired;
}

static int passes(const struct call *call, const struct license *license)
{
	const struct request *request = call->exchange->request;
	const char *state = request_query(request, "state");
	const char *group = request_query(request, "group");
	const char *holder = request_query(request, "holder");
	const char *label = request_query(request, "label");

	return (!state || in_state(license, state)) &&
	       (!group || !strcmp(group, license->group)) &&
	       (!holder || strcasestr(license->holder, holder)) &&
	       (!label || has_label(license, label));
}

static int read_passing(struct call *call, const struct state_doc *doc,
	struct license *ret)
{
	struct field_error error;
	return !license_read(doc->body, ret, &error) && passes(call, ret);
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	struct license license;
	return read_passing(call, doc, &license) ? license_desk_show(&license) : NULL;
}

/* A JSON object, as license import takes it; nothing when there are none. */
static char *labels_text(const struct license *license)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < license->label_count; i++)
		json_object_set_new(labels, license->labels[i].name,
			json_string(license->labels[i].value));
	char *text = license->label_count ? json_dumps(labels, JSON_COMPACT) : NULL;
	json_decref(labels);
	return text;
}

static int csv_license(struct call *call, const struct state_doc *doc, void *ctx)
{
	struct csv *csv = ctx;
	struct license license;
	char expires[CLOCK_TEXT] = "", created[CLOCK_TEXT];

	if (!read_passing(call, doc, &license))
		return 0;
	if (license.expires_ms)
		clock_text(license.expires_ms, expires);
	clock_text(license.created_ms, created);
	csv_text(csv, license.id);
	csv_text(csv, license.tenant);
	csv_text(csv, license.holder);
	csv_text(csv, license.group);
	csv_text(csv, license.state == LICENSE_ENABLED ? "enabled" : "disabled");
	csv_text(csv, expires);
	csv_text(csv, created);
	csv_text(csv, license.note);
	char *labels = labels_text(&license);
	csv_text(csv, labels ? labels : "");
	free(labels);
	int status = csv_end(csv);
	if (!status)
		status = exchange_put(call->exchange, buf_head(&csv->line),
			buf_len(&csv->line));
	return status;
}

static void export(struct call *call)
{
	static const char head[] =
		"id,tenant,holder,group,state,expires,created,note,labels\r\n";
	struct csv csv;
	int status;

	csv_init(&csv);
	exchange_header(call->exchange, "Content-Disposition",
		"attachment; filename=licenses.csv");
	status = exchange_begin(call->exchange, "text/csv; charset=utf-8");
	if (!status)
		status = exchange_put(call->exchange, head, sizeof(head) - 1);
	if (!status)
		status = page_each(call, STATE_LICENSE, call_tenant(call), csv_license,
			&csv);
	if (!status)
		status = exchange_end(call->exchange);
	if (status)
		call_fail(call, status, NULL);
	csv_done(&csv);
}

void api_licenses_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *state = request_query(exchange->request, "state");
	const char *format = request_query(exchange->request, "format");

	if (state && strcmp(state, "enabled") && strcmp(state, "disabled") &&
		strcmp(state, "expired"))
		call_fail(call, -REASON_BAD_VALUE, "state: enabled, disabled or expired");
	else if (!format || !strcmp(format, "json"))
		page_documents(call, STATE_LICENSE, list_item);
	else if (strcmp(format, "csv"))
		call_fail(call, -REASON_BAD_VALUE, "format: json or csv");
	else
		export(call);
}

/* show */

static void add_host(struct call *call, const char *license, json_t *object)
{
	struct store_docs docs = {0};
	struct host_binding binding;
	struct field_error error;

	if (!store_wait_get(call_store(call)->state, STATE_HOST, license, &docs)) {
		if (docs.count && !host_binding_read(docs.docs[0].body, &binding, &error))
			json_object_set_new(object, "host", json_string(binding.name));
		store_docs_free(&docs);
	}
	memset(&docs, 0, sizeof(docs));
	int online = !store_wait_locate(call_store(call)->state, license, &docs);
	if (online)
		store_docs_free(&docs);
	json_object_set_new(object, "online", json_boolean(online));
}

static void add_lock(struct call *call, const char *license, json_t *object)
{
	struct store_docs docs = {0};
	struct lockout_book book;
	char id[LOCKOUT_ID_SIZE];
	int64_t until = 0;

	if (lockout_id(id, "license", license) ||
		store_wait_get(call_store(call)->state, STATE_ATTEMPTS, id, &docs))
		return;
	lockout_read(docs.count ? docs.docs[0].body : NULL, &book);
	until = book.whole.until_ms;
	for (size_t i = 0; i < book.count; i++)
		if (book.prefixes[i].at.until_ms > until)
			until = book.prefixes[i].at.until_ms;
	if (until > clock_wall_ms())
		json_object_set_new(object, "locked_until_ms", json_integer(until));
	store_docs_free(&docs);
}

void api_licenses_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;

	if (license_desk_load(call, &holding))
		return;
	json_t *object = license_desk_show(&holding.license);
	if (object) {
		add_host(call, holding.license.id, object);
		add_lock(call, holding.license.id, object);
		call_add_times(object);
	}
	exchange_json(exchange, 200, object);
	license_desk_unload(&holding);
}
