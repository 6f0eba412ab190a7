#include "admin/api_licenses.h"

#include <stdlib.h>
#include <string.h>

#include "admin/directory_desk.h"
#include "admin/license_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
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
	return status ? status : license_desk_room(call, license->tenant, 1);
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
	return directory_desk_permits(call, license->directory, license->tenant,
		DIRECTORY_HOLDERS);
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
	if (!status) {
		call_changed(call, "license", license.id, license.tenant, "created");
		*ret = license_desk_secrets(&license, &key, password);
	}
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
