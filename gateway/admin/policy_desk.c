#include "admin/policy_desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/group.h"
#include "rules/tenant.h"

/* which */

static int must_exist(struct call *call, enum state_kind kind, const char *id)
{
	struct store_docs docs = {0};
	int status = call_get(call, kind, id, &docs);

	if (!status)
		store_docs_free(&docs);
	return status;
}

static int of_tenant(struct call *call, struct policy_desk *desk)
{
	const char *tenant = exchange_param(call->exchange, "id");

	if (!tenant_id_good(tenant))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	snprintf(desk->tenant, sizeof(desk->tenant), "%s", tenant);
	int status = must_exist(call, STATE_TENANT, tenant);
	return status ? status : policy_id_tenant(desk->id, tenant);
}

static int of_group(struct call *call, struct policy_desk *desk)
{
	const char *group = exchange_param(call->exchange, "name"), *tenant;
	char id[GROUP_ID_SIZE];
	int status = call_tenant_named(call, &tenant);

	if (status)
		return status;
	if (group_id(id, tenant, group))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	snprintf(desk->tenant, sizeof(desk->tenant), "%s", tenant);
	snprintf(desk->group, sizeof(desk->group), "%s", group);
	status = must_exist(call, STATE_GROUP, id);
	return status ? status : policy_id_group(desk->id, tenant, group);
}

int policy_desk_of_route(struct call *call, enum policy_desk_kind kind,
	struct policy_desk *ret)
{
	*ret = (struct policy_desk){.kind = kind};
	if (kind == POLICY_DESK_TENANT)
		return of_tenant(call, ret);
	if (kind == POLICY_DESK_GROUP)
		return of_group(call, ret);
	return text_copy(ret->id, sizeof(ret->id), POLICY_ID_DEFAULT);
}

int policy_desk_of_id(const char *id, struct policy_desk *ret)
{
	struct policy_desk desk = {0};
	const char *at = strchr(id, '/'), *group = at ? strchr(at + 1, '/') : NULL;
	int status = text_copy(desk.id, sizeof(desk.id), id);

	if (!strncmp(id, "tenant/", 7)) {
		desk.kind = POLICY_DESK_TENANT;
		status |= text_copy(desk.tenant, sizeof(desk.tenant), at + 1);
	} else if (!strncmp(id, "group/", 6) && group &&
		   (size_t)(group - at - 1) < sizeof(desk.tenant)) {
		desk.kind = POLICY_DESK_GROUP;
		memcpy(desk.tenant, at + 1, (size_t)(group - at - 1));
		status |= text_copy(desk.group, sizeof(desk.group), group + 1);
	} else if (strcmp(id, POLICY_ID_DEFAULT)) {
		return -REASON_STATE_DAMAGED;
	}
	if (status)
		return -REASON_STATE_DAMAGED;
	*ret = desk;
	return 0;
}

json_t *policy_desk_show(const struct policy_desk *desk, const char *body)
{
	static const char *const names[] = {"default", "tenant", "group"};
	json_t *policy = body ? json_loads(body, 0, NULL) : NULL;

	if (!policy)
		policy = json_object();
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "id", desk->id, "level",
		names[desk->kind], "tenant", desk->tenant, "group", desk->group, "set",
		body != NULL, "policy", policy);
}

int policy_desk_order(struct call *call, const char *tenant, const char *license)
{
	return call_order(call,
		json_pack("{s:s, s:s, s:s}", "order", "policy", "tenant",
			tenant ? tenant : "", "license", license ? license : ""));
}

/* all of them together */

struct putting {
	struct policy policy;
	json_t *levels, *hours, *addresses;
	int status;
};

static void add_level(struct putting *putting, const char *from, const char *body)
{
	struct field_error error;
	struct policy level;
	json_t *object = json_loads(body, 0, NULL);
	int top = !strcmp(from, POLICY_ID_DEFAULT);

	if (top ? policy_parse_top(body, &putting->policy, &error)
		: policy_parse(body, &level, &error))
		putting->status = -REASON_STATE_DAMAGED;
	else if (!top)
		putting->status = policy_narrow(&putting->policy, &level);
	json_array_append_new(putting->levels,
		json_pack("{s:s, s:O?}", "from", from, "policy", object));
	/* Of these every level has to permit: they stand side by side, not as one. */
	if (json_array_size(json_object_get(object, "hours")))
		json_array_append_new(putting->hours,
			json_pack("{s:s, s:O, s:O*, s:O*}", "from", from, "ranges",
				json_object_get(object, "hours"), "zone",
				json_object_get(object, "zone"), "offset",
				json_object_get(object, "offset")));
	if (json_array_size(json_object_get(object, "addresses")))
		json_array_append_new(putting->addresses,
			json_pack("{s:s, s:O}", "from", from, "networks",
				json_object_get(object, "addresses")));
	json_decref(object);
}

static void add_document(struct call *call, struct putting *putting, const char *id)
{
	struct store_docs docs = {0};

	if (putting->status)
		return;
	int status = store_wait_get(call_store(call)->state, STATE_POLICY, id, &docs);
	if (!status) {
		add_level(putting, id, docs.docs[0].body);
		store_docs_free(&docs);
	} else if (status != -REASON_NOT_FOUND) {
		putting->status = status;
	}
}

static void add_all(struct call *call, const struct license *license,
	struct putting *putting)
{
	char id[POLICY_ID_SIZE];

	policy_default(&putting->policy);
	add_document(call, putting, POLICY_ID_DEFAULT);
	if (*license->tenant && !policy_id_tenant(id, license->tenant))
		add_document(call, putting, id);
	if (*license->group && !policy_id_group(id, license->tenant, license->group))
		add_document(call, putting, id);
	if (!putting->status && *license->policy && strcmp(license->policy, "{}"))
		add_level(putting, "license", license->policy);
}

static json_t *right_names(unsigned rights)
{
	json_t *names = json_array();

	for (size_t i = 0; policy_right_name(i); i++)
		if (rights & 1u << i)
			json_array_append_new(names, json_string(policy_right_name(i)));
	return names;
}

static json_t *kind_names(unsigned kinds)
{
	json_t *names = json_array();

	if (kinds & POLICY_NATIVE)
		json_array_append_new(names, json_string("native"));
	if (kinds & POLICY_WEB)
		json_array_append_new(names, json_string("web"));
	return names;
}

/* What the ends are told, with names instead of bits, and what only the door looks at. */
static json_t *effective(const struct putting *putting)
{
	char *text;

	if (policy_print_open(&putting->policy, clock_wall_ms(), &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	json_object_set_new(object, "rights", right_names(putting->policy.rights));
	json_object_set_new(object, "viewer_kinds",
		kind_names(putting->policy.viewer_kinds));
	json_object_set(object, "hours", putting->hours);
	json_object_set(object, "addresses", putting->addresses);
	if (object)
		call_add_times(object);
	return object;
}

json_t *policy_desk_effective(struct call *call, const struct license *license)
{
	struct putting putting = {
		.levels = json_array(), .hours = json_array(), .addresses = json_array()};
	json_t *made = NULL;

	add_all(call, license, &putting);
	if (!putting.status)
		made = json_pack("{s:o, s:O}", "effective", effective(&putting), "levels",
			putting.levels);
	if (!made)
		call_fail(call, putting.status ? putting.status : -REASON_NO_MEMORY,
			NULL);
	json_decref(putting.levels);
	json_decref(putting.hours);
	json_decref(putting.addresses);
	return made;
}
