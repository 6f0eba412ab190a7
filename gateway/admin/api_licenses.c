#include "admin/api_licenses.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "http/csv.h"
#include "rules/host_binding.h"
#include "rules/license.h"
#include "rules/lockout.h"
#include "rules/tenant.h"

#define TRIES 5 /* against others who change the same license at the same moment */

/* A license as it was read, to be changed and written back. */
struct holding {
	struct store_docs docs;
	struct license license;
};

static int fail_field(struct call *call, const struct field_error *error)
{
	char detail[240];

	snprintf(detail, sizeof(detail), "%s%s%s", error->field,
		*error->field ? ": " : "", error->message);
	return call_fail(call, -REASON_BAD_VALUE, detail);
}

static int load(struct call *call, struct holding *ret)
{
	struct field_error error;
	char public_id[LICENSE_KEY_PUBLIC_SIZE], id[LICENSE_KEY_ID_SIZE];
	const char *text = exchange_param(call->exchange, "id");

	if (license_key_id_parse(text, public_id))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	license_key_id(public_id, id);
	int status = call_get(call, STATE_LICENSE, id, &ret->docs);
	if (status)
		return status;
	if (license_read(ret->docs.docs[0].body, &ret->license, &error)) {
		store_docs_free(&ret->docs);
		return call_fail(call, -REASON_STATE_DAMAGED, id);
	}
	return 0;
}

static void unload(struct holding *holding)
{
	secret_wipe(&holding->license, sizeof(holding->license));
	store_docs_free(&holding->docs);
}

static json_t *show(const struct license *license)
{
	char *text;

	if (license_show(license, &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	if (object) {
		json_object_set_new(object, "expired",
			json_boolean(license->expires_ms &&
				     license->expires_ms <= clock_wall_ms()));
		call_add_times(object);
	}
	return object;
}

/* Writes what was changed; -REASON_CONFLICT when somebody was faster. Nothing is answered. */
static int put_back(struct call *call, const struct holding *holding)
{
	const struct state_doc *before = &holding->docs.docs[0];
	struct state_doc doc = *before;
	uint64_t version;
	char *body;
	int status = license_write(&holding->license, before->body, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	secret_wipe(body, strlen(body));
	free(body);
	return status;
}

static int order_revoke(struct call *call, const char *license, const char *reason)
{
	return call_order(call, json_pack("{s:s, s:s, s:s}", "order", "revoke", "license",
					license, "reason", reason));
}

/* scrypt takes 32 MiB: only a few at once, however many ask. */
static int hash_password(struct call *call, char ret[static PASSWORD_GENERATED],
	char ret_record[static PASSWORD_RECORD])
{
	int status = password_generate(ret);

	if (status)
		return status;
	while (sem_wait(&call->admin->scrypts)) {
		/* a signal; the wait goes on */
	}
	status = password_hash(ret, ret_record);
	sem_post(&call->admin->scrypts);
	return status;
}

/* create */

static int take_tenant(struct call *call, json_t *object, struct license *license)
{
	json_t *given = json_object_get(object, "tenant");
	const char *tenant = given ? json_string_value(given) : call->by.tenant;

	if (!tenant || (*tenant && !tenant_id_good(tenant)))
		return call_fail(call, -REASON_BAD_VALUE,
			"tenant: small letters, digits, - and _");
	if (!call_may_see(call, tenant))
		return call_fail(call, -REASON_FORBIDDEN, "tenant: not yours");
	snprintf(license->tenant, sizeof(license->tenant), "%s", tenant);
	json_object_del(object, "tenant");
	return 0;
}

static int fill(struct call *call, json_t *object, struct license *license)
{
	struct field_error error;
	int status = take_tenant(call, object, license);

	if (status)
		return status;
	if (license_change(license, object, &error))
		return fail_field(call, &error);
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

/* The one answer that has key and password. */
static json_t *secrets_of(const struct license *license, const struct license_key *key,
	const char *password)
{
	char text[LICENSE_KEY_TEXT_SIZE];
	json_t *object = show(license);

	if (key) {
		license_key_print(key, text);
		json_object_set_new(object, "key", json_string(text));
		secret_wipe(text, sizeof(text));
	}
	if (password)
		json_object_set_new(object, "password", json_string(password));
	return object;
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
		status = hash_password(call, password, license.password);
	if (status) {
		call_fail(call, status, NULL);
		goto out;
	}
	status = record_creation(call, &license);
	if (!status)
		status = store_new(call, &license);
	if (!status)
		*ret = secrets_of(&license, &key, password);
out:
	secret_wipe(&license, sizeof(license));
	secret_wipe(&key, sizeof(key));
	secret_wipe(password, sizeof(password));
	return status;
}

static void answer_created(struct call *call, const char *text)
{
	exchange_whole(call->exchange, 201, "application/json", text, strlen(text));
}

static void create_once(struct call *call, const char *key, json_t *object)
{
	const struct request *request = call->exchange->request;
	struct once *once = call->admin->once;
	char before[ONCE_ANSWER];
	json_t *answer = NULL;
	int status = once_begin(once, call->by.id, key, request->body, request->body_len,
		before);

	if (status < 0) {
		call_fail(call, status, "Idempotency-Key");
		return;
	}
	if (status == 1) {
		answer_created(call, before);
		secret_wipe(before, sizeof(before));
		return;
	}
	status = create(call, object, &answer);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	if (text) {
		once_keep(once, call->by.id, key, text);
		answer_created(call, text);
		secret_wipe(text, strlen(text));
	} else {
		once_drop(once, call->by.id, key);
	}
	free(text);
	json_decref(answer);
}

void api_licenses_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *key = request_header(exchange->request, "Idempotency-Key");
	struct body body;
	json_t *answer = NULL;

	if (body_parse(&body, exchange))
		return;
	if (key && (strlen(key) < 8 || strlen(key) > 128))
		call_fail(call, -REASON_BAD_VALUE,
			"Idempotency-Key: 8 to 128 characters");
	else if (key)
		create_once(call, key, body.object);
	else if (!create(call, body.object, &answer))
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
	return read_passing(call, doc, &license) ? show(&license) : NULL;
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
	int status = csv_end(csv);
	if (!status)
		status = exchange_put(call->exchange, buf_head(&csv->line),
			buf_len(&csv->line));
	return status;
}

static void export(struct call *call)
{
	static const char head[] =
		"id,tenant,holder,group,state,expires,created,note\r\n";
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
	struct holding holding;

	if (load(call, &holding))
		return;
	json_t *object = show(&holding.license);
	if (object) {
		add_host(call, holding.license.id, object);
		add_lock(call, holding.license.id, object);
		call_add_times(object);
	}
	exchange_json(exchange, 200, object);
	unload(&holding);
}

/* change */

static enum audit_event event_of(const struct license *before,
	const struct license *after, const json_t *changes)
{
	if (json_object_size(changes) != 1 || before->state == after->state)
		return AUDIT_LICENSE_CHANGED;
	return after->state == LICENSE_ENABLED ? AUDIT_LICENSE_ENABLED
					       : AUDIT_LICENSE_DISABLED;
}

static int record_change(struct call *call, enum audit_event event,
	const struct license *license, json_t *changes)
{
	json_t *fields = json_pack("{s:s}", "license", license->id);

	if (event == AUDIT_LICENSE_CHANGED)
		json_object_set(fields, "changes", changes);
	return call_audit(call, event, license->tenant, license->id, fields);
}

/* Narrower rights count at once: who may no longer come in must not stay in either. */
static int revoke_if_needed(struct call *call, const struct license *license)
{
	int status = license_admit(license, clock_wall_ms());
	return status ? order_revoke(call, license->id, reason_symbol(status)) : 0;
}

/* To a license null is "not given"; to whoever sends it, it is "never". */
static void never_expires(json_t *changes)
{
	if (json_is_null(json_object_get(changes, "expires"))) {
		json_object_del(changes, "expires");
		json_object_set_new(changes, "expires_ms", json_integer(0));
	}
}

static int change(struct call *call, json_t *changes, struct license *ret)
{
	struct holding holding;
	struct field_error error;
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < TRIES; i++) {
		status = load(call, &holding);
		if (status)
			return status;
		struct license before = holding.license;
		if (license_change(&holding.license, changes, &error)) {
			unload(&holding);
			return fail_field(call, &error);
		}
		enum audit_event event = event_of(&before, &holding.license, changes);
		holding.license.changed_ms = clock_wall_ms();
		status = recorded ? 0
				  : record_change(call, event, &holding.license, changes);
		if (status) {
			unload(&holding);
			return status;
		}
		recorded = 1;
		status = put_back(call, &holding);
		*ret = holding.license;
		unload(&holding);
	}
	if (status)
		return call_undone(call, AUDIT_LICENSE_CHANGED, ret->tenant, ret->id,
			status);
	return 0;
}

void api_licenses_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license license;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	never_expires(body.object);
	if (!json_object_size(body.object))
		call_fail(call, -REASON_BAD_VALUE, "nothing to change");
	else if (!change(call, body.object, &license) &&
		 !revoke_if_needed(call, &license))
		exchange_json(exchange, 200, show(&license));
	body_done(&body);
}

/* delete */

static int remove_belongings(struct call *call, const char *license)
{
	char lock[LOCKOUT_ID_SIZE];
	const struct {
		enum state_kind kind;
		const char *id;
	} documents[] = {
		{STATE_HOST, license}, {STATE_DEVICE, license}, {STATE_ATTEMPTS, lock}};
	int status = lockout_id(lock, "license", license);

	for (size_t i = 0; !status && i < ARRAY_LEN(documents); i++) {
		status = store_wait_remove(call_store(call)->state, documents[i].kind,
			documents[i].id, 0);
		if (status == -REASON_NOT_FOUND)
			status = 0;
	}
	return status;
}

void api_licenses_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct holding holding;

	if (load(call, &holding))
		return;
	const struct license *license = &holding.license;
	int status = call_audit(call, AUDIT_LICENSE_DELETED, license->tenant, license->id,
		json_pack("{s:s, s:s}", "license", license->id, "holder",
			license->holder));
	if (status)
		goto out;
	status =
		store_wait_remove(call_store(call)->state, STATE_LICENSE, license->id, 0);
	if (!status)
		status = remove_belongings(call, license->id);
	if (status)
		call_undone(call, AUDIT_LICENSE_DELETED, license->tenant, license->id,
			status);
	else if (!order_revoke(call, license->id, "LICENSE_UNKNOWN"))
		exchange_empty(exchange);
out:
	unload(&holding);
}

/* rotate, password */

/* Records and writes a license whose secrets were renewed by `renew`. */
typedef int (*renewal)(struct call *call, struct license *license, void *ctx);

static int renew(struct call *call, enum audit_event event, renewal act, void *ctx,
	struct license *ret)
{
	struct holding holding;
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < TRIES; i++) {
		status = load(call, &holding);
		if (status)
			return status;
		status = act(call, &holding.license, ctx);
		holding.license.changed_ms = clock_wall_ms();
		if (status)
			call_fail(call, status, NULL);
		else if (!recorded)
			status = call_audit(call, event, holding.license.tenant,
				holding.license.id,
				json_pack("{s:s}", "license", holding.license.id));
		if (status) {
			unload(&holding);
			return status;
		}
		recorded = 1;
		status = put_back(call, &holding);
		*ret = holding.license;
		unload(&holding);
	}
	return status ? call_undone(call, event, ret->tenant, ret->id, status) : 0;
}

static int renew_key(struct call *call UNUSED, struct license *license, void *ctx)
{
	return license_rotate(license, ctx);
}

static int renew_password(struct call *call, struct license *license, void *ctx)
{
	return hash_password(call, ctx, license->password);
}

void api_licenses_rotate(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_key key = {0};
	struct license license;

	if (!renew(call, AUDIT_LICENSE_ROTATED, renew_key, &key, &license) &&
		!order_revoke(call, license.id, "LICENSE_UNKNOWN"))
		exchange_json(exchange, 200, secrets_of(&license, &key, NULL));
	secret_wipe(&key, sizeof(key));
}

void api_licenses_password(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char password[PASSWORD_GENERATED] = "";
	struct license license;

	if (!renew(call, AUDIT_LICENSE_PASSWORD_RESET, renew_password, password,
		    &license))
		exchange_json(exchange, 200, secrets_of(&license, NULL, password));
	secret_wipe(password, sizeof(password));
}

/* unlock, unbind */

static int forget(struct call *call, enum state_kind kind, const char *id,
	enum audit_event event, const struct license *license, json_t *fields)
{
	int status = call_audit(call, event, license->tenant, license->id, fields);

	if (status)
		return status;
	status = store_wait_remove(call_store(call)->state, kind, id, 0);
	if (status && status != -REASON_NOT_FOUND)
		return call_undone(call, event, license->tenant, license->id, status);
	return 0;
}

void api_licenses_unlock(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct holding holding;
	char id[LOCKOUT_ID_SIZE];

	if (load(call, &holding))
		return;
	if (lockout_id(id, "license", holding.license.id))
		call_fail(call, -REASON_INTERNAL, NULL);
	else if (!forget(call, STATE_ATTEMPTS, id, AUDIT_LICENSE_UNLOCKED,
			 &holding.license,
			 json_pack("{s:s}", "license", holding.license.id)))
		exchange_empty(exchange);
	unload(&holding);
}

void api_licenses_unbind(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct holding holding;
	struct store_docs docs = {0};
	struct host_binding binding = {0};
	struct field_error error;

	if (load(call, &holding))
		return;
	const struct license *license = &holding.license;
	int status =
		store_wait_get(call_store(call)->state, STATE_HOST, license->id, &docs);
	if (status) {
		call_fail(call, status, "no PC is bound to this license");
		goto out;
	}
	if (host_binding_read(docs.docs[0].body, &binding, &error))
		strcpy(binding.device_id, "damaged");
	store_docs_free(&docs);
	if (!forget(call, STATE_HOST, license->id, AUDIT_HOST_UNBOUND, license,
		    json_pack("{s:s, s:s}", "license", license->id, "device",
			    binding.device_id)) &&
		!order_revoke(call, license->id, "HOST_NOT_BOUND"))
		exchange_empty(exchange);
out:
	unload(&holding);
}
