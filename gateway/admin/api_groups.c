#include "admin/api_groups.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/group.h"
#include "rules/policy.h"

static long count_of(struct call *call, const char *tenant, const char *group)
{
	const struct license_filter own = {
		.tenant = tenant, .group = group, .online = -1};
	return license_index_count(call->admin->licenses, &own);
}

static json_t *show(struct call *call, const struct state_doc *doc)
{
	json_t *object = call_body(doc);
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *tenant = json_string_value(json_object_get(object, "tenant"));
	long count = name && tenant ? count_of(call, tenant, name) : -1;

	if (count >= 0)
		json_object_set_new(object, "licenses", json_integer(count));
	call_add_times(object);
	return object;
}

static void answer(struct exchange *exchange, int status, const char *body)
{
	struct state_doc doc = {.id = "", .tenant = "", .body = body};
	exchange_json(exchange, status, show(call_of(exchange), &doc));
}

static int record(struct call *call, const struct group *group, json_t *changes)
{
	return call_audit(call, AUDIT_GROUP_CHANGED, group->tenant, "",
		json_pack("{s:s, s:o}", "group", group->name, "changes", changes));
}

static int store(struct call *call, const struct group *group,
	const struct state_doc *before, char **ret_body)
{
	char id[GROUP_ID_SIZE], *body;
	struct state_doc doc = {.kind = STATE_GROUP,
		.id = id,
		.tenant = group->tenant,
		.version = before ? before->version : 0};
	int status = group_id(id, group->tenant, group->name);

	if (!status)
		status = group_write(group, before ? before->body : NULL, &body);
	if (status)
		return call_undone(call, AUDIT_GROUP_CHANGED, group->tenant, "", status);
	doc.body = body;
	status = call_put(call, AUDIT_GROUP_CHANGED, &doc);
	if (status) {
		free(body);
		return status;
	}
	call_changed(call, "group", group->name, group->tenant,
		before ? "changed" : "created");
	*ret_body = body;
	return 0;
}

/* create */

static int is_free(struct call *call, const struct group *group)
{
	char id[GROUP_ID_SIZE];
	struct store_docs docs = {0};
	int status = group_id(id, group->tenant, group->name);

	if (!status)
		status = store_wait_get(call_store(call)->state, STATE_GROUP, id, &docs);
	if (status == -REASON_NOT_FOUND)
		return 0;
	if (!status)
		store_docs_free(&docs);
	return call_fail(call, status ? status : -REASON_CONFLICT,
		"name: exists already");
}

static int fill(struct call *call, json_t *object, struct group *group)
{
	struct field_error error;
	json_t *tenant = json_object_get(object, "tenant");

	if (tenant && !json_is_string(tenant))
		return call_wrong(call, "tenant", "text is expected");
	int status = call_tenant_of_new(call, json_string_value(tenant), group->tenant);
	if (status)
		return status;
	json_object_del(object, "tenant");
	if (group_create(group, object, &error))
		return call_wrong(call, error.field, error.message);
	group->created_ms = group->changed_ms = clock_wall_ms();
	return is_free(call, group);
}

void api_groups_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct group group = {0};
	struct body body;
	char *made = NULL;

	if (body_parse(&body, exchange))
		return;
	if (!fill(call, body.object, &group) &&
		!record(call, &group,
			json_pack("{s:s, s:s}", "act", "created", "note", group.note)) &&
		!store(call, &group, NULL, &made))
		answer(exchange, 201, made);
	free(made);
	body_done(&body);
}

/* list, show */

void api_groups_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_GROUP, show);
}

/* The group of the route's {name}, in the company that the caller means. */
static int load(struct call *call, struct store_docs *ret, struct group *ret_group)
{
	struct field_error error;
	char id[GROUP_ID_SIZE];
	const char *tenant;
	int status = call_tenant_named(call, &tenant);

	if (status)
		return status;
	if (group_id(id, tenant, exchange_param(call->exchange, "name")))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	status = call_get(call, STATE_GROUP, id, ret);
	if (status)
		return status;
	if (group_read(ret->docs[0].body, ret_group, &error)) {
		store_docs_free(ret);
		return call_fail(call, -REASON_STATE_DAMAGED, id);
	}
	return 0;
}

void api_groups_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};
	struct group group;

	if (load(call, &docs, &group))
		return;
	exchange_json(exchange, 200, show(call, &docs.docs[0]));
	store_docs_free(&docs);
}

/* change, delete */

static int change(struct call *call, struct group *group, json_t *changes)
{
	struct field_error error;

	if (!json_object_size(changes))
		return call_wrong(call, "", "nothing to change");
	if (group_change(group, changes, &error))
		return call_wrong(call, error.field, error.message);
	group->changed_ms = clock_wall_ms();
	return record(call, group, json_incref(changes));
}

void api_groups_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};
	struct group group;
	struct body body;
	char *changed = NULL;

	if (load(call, &docs, &group))
		return;
	if (body_parse(&body, exchange))
		goto out;
	if (!change(call, &group, body.object) &&
		!store(call, &group, &docs.docs[0], &changed))
		answer(exchange, 200, changed);
	free(changed);
	body_done(&body);
out:
	store_docs_free(&docs);
}

static int must_be_empty(struct call *call, const struct group *group)
{
	char detail[64];
	long count = count_of(call, group->tenant, group->name);

	if (count <= 0)
		return count ? call_fail(call, (int)count, NULL) : 0;
	snprintf(detail, sizeof(detail), "%ld licenses are in it", count);
	return call_fail(call, -REASON_CONFLICT, detail);
}

void api_groups_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};
	struct group group;
	char policy[POLICY_ID_SIZE];

	if (load(call, &docs, &group))
		return;
	int status = must_be_empty(call, &group);
	if (!status)
		status = policy_id_group(policy, group.tenant, group.name);
	if (!status)
		status = record(call, &group, json_pack("{s:s}", "act", "deleted"));
	if (!status)
		status = call_remove(call, AUDIT_GROUP_CHANGED, STATE_GROUP,
			docs.docs[0].id, group.tenant);
	if (!status)
		status = call_remove(call, AUDIT_GROUP_CHANGED, STATE_POLICY, policy,
			group.tenant);
	if (!status) {
		call_changed(call, "group", group.name, group.tenant, "deleted");
		exchange_empty(exchange);
	}
	store_docs_free(&docs);
}
