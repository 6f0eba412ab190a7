#include "admin/api_directories.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/directory_desk.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "directory/directories.h"
#include "rules/directory_address.h"

static const char *kind_of(const struct directory *directory)
{
	return directory_kind_name(directory->kind);
}

/* What belongs to the machine the gateway runs on is the operator's; and nobody lets others in who may
 * more than himself. -REASON_*: answered. */
static int check_reach(struct call *call, const struct directory *directory)
{
	const struct directory_oidc *oidc = &directory->oidc;

	if (!call_may_see(call, directory->tenant))
		return call_fail(call, -REASON_FORBIDDEN, "tenant: not yours");
	if (*call->by.tenant && directory->kind == DIRECTORY_LDAP &&
		directory_address_is_local(directory->ldap.url))
		return call_fail(call, -REASON_FORBIDDEN,
			"ldap.url: only operators may name this machine");
	if (oidc->provision &&
		(!call_may_see(call, oidc->provision_tenant) ||
			!role_covers(call->by.roles, ROLE_BIT(oidc->provision_role),
				oidc->provision_tenant)))
		return call_fail(call, -REASON_FORBIDDEN,
			"oidc.provision: more than you have yourself");
	return 0;
}

/* Whose secret is among the changes is told, not the secret. */
static json_t *changes_of(const char *act, const struct directory *directory,
	const json_t *given)
{
	json_t *names = json_array();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)given, name, value)
	{
		json_array_append_new(names, json_string(name));
	}
	json_t *inner = json_object_get(given, kind_of(directory));
	json_object_foreach(inner, name, value)
	{
		char path[64];
		snprintf(path, sizeof(path), "%s.%.50s", kind_of(directory), name);
		json_array_append_new(names, json_string(path));
	}
	return json_pack("{s:s, s:{s:s, s:o}}", "directory", directory->id, "changes",
		"act", act, "members", names);
}

static int record(struct call *call, const char *act, const struct directory *directory,
	const json_t *given)
{
	return call_audit(call, AUDIT_DIRECTORY_CHANGED, directory->tenant, "",
		changes_of(act, directory, given));
}

/* Recorded before it is done. */
static void store(struct call *call, const char *act, struct directory_desk *desk,
	const json_t *given, int http)
{
	struct directory *directory = desk->directory;

	directory->changed_ms = clock_wall_ms();
	if (!directory->created_ms)
		directory->created_ms = directory->changed_ms;
	if (check_reach(call, directory) || record(call, act, directory, given))
		return;
	int status = directory_desk_put(call, desk);
	if (status) {
		call_undone(call, AUDIT_DIRECTORY_CHANGED, directory->tenant, "", status);
		return;
	}
	call_changed(call, "directory", directory->id, directory->tenant, act);
	exchange_json(call->exchange, http, directory_desk_show(directory));
}

/* create */

static int read_new(struct call *call, json_t *object, struct directory *ret)
{
	static const char *const known[] = {
		"id", "name", "kind", "tenant", "state", "use", "ldap", "oidc", NULL};
	const char *given = json_string_value(json_object_get(object, "tenant"));
	char tenant[STATE_TENANT_MAX + 1], *text = NULL;
	struct field_error error;
	int status = field_known(object, known, &error);

	if (!status && call_tenant_of_new(call, given, tenant))
		return -REASON_BAD_VALUE;
	if (!status && json_object_set_new(object, "tenant", json_string(tenant)))
		status = -REASON_NO_MEMORY;
	if (!status)
		status = field_print(object, &text);
	if (!status)
		status = directory_read(text, ret, &error);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	if (status == -REASON_BAD_VALUE)
		return call_fail_field(call, status, &error);
	return status ? call_fail(call, status, NULL) : 0;
}

/* Else its making would be recorded before it fails. -REASON_*: answered. */
static int is_new(struct call *call, const char *id)
{
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(call)->state, STATE_DIRECTORY, id, &docs);

	store_docs_free(&docs);
	if (status == -REASON_NOT_FOUND)
		return 0;
	return call_fail(call, status ? status : -REASON_CONFLICT, "id: exists already");
}

void api_directories_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct directory_desk desk;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!directory_desk_blank(call, &desk)) {
		if (!read_new(call, body.object, desk.directory) &&
			!is_new(call, desk.directory->id))
			store(call, "created", &desk, body.object, 201);
		directory_desk_unload(&desk);
	}
	body_done(&body);
}

/* list and show */

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	struct directory *directory = secret_alloc(sizeof(*directory));
	struct field_error error;
	json_t *item = NULL;

	if (directory && !directory_read(doc->body, directory, &error))
		item = directory_desk_show(directory);
	secret_free(directory, sizeof(*directory));
	return item;
}

void api_directories_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_DIRECTORY, list_item);
}

void api_directories_show(void *admin UNUSED, struct exchange *exchange)
{
	struct directory_desk desk;

	if (directory_desk_load(call_of(exchange), &desk))
		return;
	exchange_json(exchange, 200, directory_desk_show(desk.directory));
	directory_desk_unload(&desk);
}

/* change and delete */

static int apply(struct call *call, const json_t *changes, struct directory *directory)
{
	struct field_error error;
	int status = directory_change(directory, changes, &error);

	if (status == -REASON_BAD_VALUE)
		return call_fail_field(call, status, &error);
	return status ? call_fail(call, status, NULL) : 0;
}

void api_directories_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct directory_desk desk;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!directory_desk_load(call, &desk)) {
		if (!apply(call, body.object, desk.directory))
			store(call, "changed", &desk, body.object, 200);
		directory_desk_unload(&desk);
	}
	body_done(&body);
}

void api_directories_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct directory_desk desk;

	if (directory_desk_load(call, &desk))
		return;
	if (!record(call, "deleted", desk.directory, NULL)) {
		const struct directory *directory = desk.directory;
		if (!call_remove(call, AUDIT_DIRECTORY_CHANGED, STATE_DIRECTORY,
			    directory->id, directory->tenant)) {
			call_changed(call, "directory", directory->id, directory->tenant,
				"deleted");
			exchange_empty(exchange);
		}
	}
	directory_desk_unload(&desk);
}

/* test */

static void answer_test(struct call *call, const struct directory *directory,
	const char *user, const char *password)
{
	char detail[FETCH_DETAIL] = "";
	int status = directories_test(call->admin->parts.directories, directory, user,
		password, detail);

	exchange_json(call->exchange, 200,
		json_pack("{s:b, s:s, s:s}", "good", status == 0, "code",
			status ? reason_symbol(status) : "", "detail", detail));
}

void api_directories_test(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct directory_desk desk;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	const char *user = body_text(&body, "user", DIRECTORY_USER_SIZE - 1, BODY_MAY);
	const char *password = body_text(&body, "password", 256, BODY_MAY);
	if (user && !password)
		body_wrong(&body, "password", "is needed with a user");
	if (!body_check(&body, exchange) && !directory_desk_load(call, &desk)) {
		const char *tried = desk.directory->kind == DIRECTORY_LDAP ? user : NULL;
		if (!call_audit(call, AUDIT_DIRECTORY_TESTED, desk.directory->tenant, "",
			    json_pack("{s:s, s:s*}", "directory", desk.directory->id,
				    "user", tried)))
			answer_test(call, desk.directory, tried, password);
		directory_desk_unload(&desk);
	}
	body_done(&body);
}
