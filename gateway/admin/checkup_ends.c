/* Probes of office PCs and viewer devices: whose question it is, stands in checksheet.def. */
#include <string.h>

#include "admin/checkup.h"
#include "base/reason.h"

struct inventory {
	struct checkup *checkup;
	int asks_presence; /* a question to the store for each host: only where it is shown */
	int64_t hosts, online, with_inventory, behind, devices;
};

/* "engawa-host/0.1.0" or "engawa-host 0.1.0": the version is what comes last. */
static int is_behind(const char *program)
{
	const char *at = program + strlen(program);

	while (at > program && at[-1] != '/' && at[-1] != ' ')
		at--;
	return *at && strcmp(at, ENGAWA_VERSION) != 0;
}

static void see_host(const struct state_doc *doc, const json_t *body, void *ctx)
{
	struct inventory *inventory = ctx;
	const char *program = json_string_value(json_object_get(body, "program"));
	struct store_docs place = {0};

	inventory->hosts++;
	inventory->with_inventory +=
		json_object_size(json_object_get(body, "inventory")) > 0;
	inventory->behind += program && is_behind(program);
	inventory->online +=
		!store_wait_locate(call_store(inventory->checkup->call)->state, doc->id,
			&place);
	store_docs_free(&place);
}

static void see_devices(const struct state_doc *doc UNUSED, const json_t *body, void *ctx)
{
	((struct inventory *)ctx)->devices +=
		(int64_t)json_array_size(json_object_get(body, "devices"));
}

static int look(struct checkup *checkup, struct inventory *ret)
{
	*ret = (struct inventory){.checkup = checkup,
		.asks_presence = !strncmp(checkup->row->row, "B-", 2)};
	int status = checkup_documents(checkup, STATE_HOST, see_host, ret);
	return status ? status
		      : checkup_documents(checkup, STATE_DEVICE, see_devices, ret);
}

int checkup_ends_hosts(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	struct inventory inventory;
	int status = look(checkup, &inventory);

	if (status)
		return status;
	checkup_number(values, "hosts", inventory.hosts);
	checkup_number(values, "online", inventory.online);
	checkup_number(values, "inventory", inventory.with_inventory);
	checkup_number(values, "devices", inventory.devices);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_ends_devices(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct inventory inventory;
	struct policy policy;
	int status = look(checkup, &inventory);

	if (!status)
		status = checkup_policy(checkup, &policy);
	if (status)
		return status;
	checkup_number(values, "devices", inventory.devices);
	checkup_number(values, "most", policy.devices_max);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_ends_kinds(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	struct policy policy;
	int status = checkup_policy(checkup, &policy);

	if (status)
		return status;
	json_t *kinds = json_array();
	if (policy.viewer_kinds & POLICY_NATIVE)
		json_array_append_new(kinds, json_string("engawa-viewer"));
	if (policy.viewer_kinds & POLICY_WEB)
		json_array_append_new(kinds, json_string("browser"));
	json_object_set_new(values, "kinds", kinds);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_ends_versions(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct inventory inventory;
	int status = look(checkup, &inventory);

	if (status)
		return status;
	checkup_text(values, "newest", ENGAWA_VERSION);
	checkup_number(values, "hosts", inventory.hosts);
	checkup_number(values, "behind", inventory.behind);
	*ret = !inventory.behind;
	return 0;
}

int checkup_ends_media(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	struct policy policy;
	int status = checkup_policy(checkup, &policy);

	if (status)
		return status;
	checkup_flag(values, "files", (policy.rights & POLICY_FILE_TO_VIEWER) != 0);
	checkup_flag(values, "clipboard", (policy.rights & POLICY_CLIP_TO_VIEWER) != 0);
	*ret = !(policy.rights & POLICY_FILE_TO_VIEWER);
	return 0;
}

int checkup_ends_lost(struct checkup *checkup, json_t *values, enum checkup_verdict *ret)
{
	struct inventory inventory;
	int status = look(checkup, &inventory);

	if (status)
		return status;
	checkup_number(values, "devices", inventory.devices);
	*ret = CHECKUP_GOOD;
	return 0;
}
