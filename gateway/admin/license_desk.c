#include "admin/license_desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/tenant.h"

int license_desk_fail(struct call *call, const struct field_error *error)
{
	return call_wrong(call, error->field, error->message);
}

int license_desk_load(struct call *call, struct license_desk *ret)
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

int license_desk_limit(struct call *call, const char *id, long *ret)
{
	struct store_docs docs = {0};
	struct field_error error;
	struct tenant tenant;
	int status = store_wait_get(call_store(call)->state, STATE_TENANT, id, &docs);

	if (status)
		return status;
	status = tenant_read(docs.docs[0].body, &tenant, &error) ? -REASON_STATE_DAMAGED
								 : 0;
	store_docs_free(&docs);
	if (!status)
		*ret = (long)tenant.licenses_max;
	return status;
}

int license_desk_room(struct call *call, const char *tenant, long more)
{
	const struct license_filter all = {.tenant = tenant, .online = -1};
	char detail[80];
	long limit = 0;
	int status = *tenant ? license_desk_limit(call, tenant, &limit) : 0;

	if (status)
		return call_fail(call, status, NULL);
	if (!limit)
		return 0;
	long count = license_index_count(call->admin->licenses, &all);
	if (count < 0)
		return call_fail(call, (int)count, NULL);
	if (count + more <= limit)
		return 0;
	snprintf(detail, sizeof(detail), "the company has %ld of %ld licenses", count,
		limit);
	return call_fail(call, -REASON_LIMIT, detail);
}

void license_desk_unload(struct license_desk *holding)
{
	secret_wipe(&holding->license, sizeof(holding->license));
	store_docs_free(&holding->docs);
}

json_t *license_desk_show(const struct license *license)
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
int license_desk_put(struct call *call, const struct license_desk *holding)
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
	if (!status)
		call_changed(call, "license", holding->license.id,
			holding->license.tenant, "changed");
	return status;
}

int license_desk_act(struct call *call, enum audit_event event,
	license_desk_change change, void *ctx, struct license *ret)
{
	struct license_desk holding;
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < LICENSE_DESK_TRIES; i++) {
		status = license_desk_load(call, &holding);
		if (status)
			return status;
		status = change(&holding.license, ctx);
		holding.license.changed_ms = clock_wall_ms();
		if (status)
			call_fail(call, status, NULL);
		else if (!recorded)
			status = call_audit(call, event, holding.license.tenant,
				holding.license.id,
				json_pack("{s:s}", "license", holding.license.id));
		if (status) {
			license_desk_unload(&holding);
			return status;
		}
		recorded = 1;
		status = license_desk_put(call, &holding);
		*ret = holding.license;
		license_desk_unload(&holding);
	}
	return status ? call_undone(call, event, ret->tenant, ret->id, status) : 0;
}

int license_desk_revoke(struct call *call, const char *license, const char *reason)
{
	return call_order(call, json_pack("{s:s, s:s, s:s}", "order", "revoke", "license",
					license, "reason", reason));
}

int license_desk_password(char ret[static PASSWORD_GENERATED],
	char ret_record[static PASSWORD_RECORD])
{
	int status = password_generate(ret);
	return status ? status : password_hash_generated(ret, ret_record);
}

/* The one answer that has key and password. */
json_t *license_desk_secrets(const struct license *license, const struct license_key *key,
	const char *password)
{
	char text[LICENSE_KEY_TEXT_SIZE];
	json_t *object = license_desk_show(license);

	if (key) {
		license_key_print(key, text);
		json_object_set_new(object, "key", json_string(text));
		secret_wipe(text, sizeof(text));
	}
	if (password)
		json_object_set_new(object, "password", json_string(password));
	return object;
}
