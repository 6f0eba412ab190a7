#include "admin/api_license_acts.h"

#include <stdlib.h>
#include <string.h>

#include "admin/directory_desk.h"
#include "admin/license_desk.h"
#include "admin/policy_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/host_binding.h"
#include "rules/lockout.h"

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
	return status ? license_desk_revoke(call, license->id, reason_symbol(status)) : 0;
}

/* A live session is looked at again when what it may do depends on what was changed. */
static int narrow_if_needed(struct call *call, const struct license *license,
	const json_t *changes)
{
	static const char *const members[] = {
		"policy", "group", "devices", "expires", "expires_ms"};
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_object_get(changes, members[i]))
			return policy_desk_order(call, license->tenant, license->id);
	return 0;
}

/* To a license null is "not given"; to whoever sends it, it is "never". */
static void never_expires(json_t *changes)
{
	if (json_is_null(json_object_get(changes, "expires"))) {
		json_object_del(changes, "expires");
		json_object_set_new(changes, "expires_ms", json_integer(0));
	}
}

/* Only a directory that is named now: one that was removed must not stand in the way of other changes.
 * -REASON_*: answered. */
static int check_directory(struct call *call, const json_t *changes,
	const struct license *license)
{
	return json_object_get(changes, "directory")
		       ? directory_desk_permits(call, license->directory, license->tenant,
				 DIRECTORY_HOLDERS)
		       : 0;
}

static int change(struct call *call, json_t *changes, struct license *ret)
{
	struct license_desk holding;
	struct field_error error;
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < LICENSE_DESK_TRIES; i++) {
		status = license_desk_load(call, &holding);
		if (status)
			return status;
		struct license before = holding.license;
		if (license_change(&holding.license, changes, &error)) {
			license_desk_unload(&holding);
			return license_desk_fail(call, &error);
		}
		enum audit_event event = event_of(&before, &holding.license, changes);
		holding.license.changed_ms = clock_wall_ms();
		status = check_directory(call, changes, &holding.license);
		if (!status && !recorded)
			status = record_change(call, event, &holding.license, changes);
		if (status) {
			license_desk_unload(&holding);
			return status;
		}
		recorded = 1;
		status = license_desk_put(call, &holding);
		*ret = holding.license;
		license_desk_unload(&holding);
	}
	if (status)
		return call_undone(call, AUDIT_LICENSE_CHANGED, ret->tenant, ret->id,
			status);
	return 0;
}

void api_license_acts_change(void *admin UNUSED, struct exchange *exchange)
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
		 !revoke_if_needed(call, &license) &&
		 !narrow_if_needed(call, &license, body.object))
		exchange_json(exchange, 200, license_desk_show(&license));
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

void api_license_acts_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;

	if (license_desk_load(call, &holding))
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
	call_changed(call, "license", license->id, license->tenant, "deleted");
	if (status)
		call_undone(call, AUDIT_LICENSE_DELETED, license->tenant, license->id,
			status);
	else if (!license_desk_revoke(call, license->id, "LICENSE_UNKNOWN"))
		exchange_empty(exchange);
out:
	license_desk_unload(&holding);
}

/* rotate, password */

static int renew_key(struct license *license, void *ctx)
{
	return license_rotate(license, ctx);
}

static int renew_password(struct license *license, void *ctx)
{
	return license_desk_password(ctx, license->password);
}

void api_license_acts_rotate(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_key key = {0};
	struct license license;

	if (!license_desk_act(call, AUDIT_LICENSE_ROTATED, renew_key, &key, &license) &&
		!license_desk_revoke(call, license.id, "LICENSE_UNKNOWN"))
		exchange_json(exchange, 200, license_desk_secrets(&license, &key, NULL));
	secret_wipe(&key, sizeof(key));
}

void api_license_acts_password(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char password[PASSWORD_GENERATED] = "";
	struct license license;

	if (!license_desk_act(call, AUDIT_LICENSE_PASSWORD_RESET, renew_password,
		    password, &license))
		exchange_json(exchange, 200,
			license_desk_secrets(&license, NULL, password));
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

void api_license_acts_unlock(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;
	char id[LOCKOUT_ID_SIZE];

	if (license_desk_load(call, &holding))
		return;
	if (lockout_id(id, "license", holding.license.id))
		call_fail(call, -REASON_INTERNAL, NULL);
	else if (!forget(call, STATE_ATTEMPTS, id, AUDIT_LICENSE_UNLOCKED,
			 &holding.license,
			 json_pack("{s:s}", "license", holding.license.id)))
		exchange_empty(exchange);
	license_desk_unload(&holding);
}

void api_license_acts_unbind(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;
	struct store_docs docs = {0};
	struct host_binding binding = {0};
	struct field_error error;

	if (license_desk_load(call, &holding))
		return;
	const struct license *license = &holding.license;
	int status =
		store_wait_get(call_store(call)->state, STATE_HOST, license->id, &docs);
	if (status) {
		call_fail(call, status, "no PC is bound to this license");
		goto out;
	}
	if (host_binding_read(docs.docs[0].body, &binding, &error))
		text_clip(binding.device_id, sizeof(binding.device_id), "damaged");
	store_docs_free(&docs);
	if (!forget(call, STATE_HOST, license->id, AUDIT_HOST_UNBOUND, license,
		    json_pack("{s:s, s:s}", "license", license->id, "device",
			    binding.device_id)) &&
		!license_desk_revoke(call, license->id, "HOST_NOT_BOUND"))
		exchange_empty(exchange);
out:
	license_desk_unload(&holding);
}
