#include "gateway_page.h"

#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "setup/ca_sign.h"
#include "web/viewer_web.h"

/* Where pages of this node may open sessions, itself apart. */
static size_t find_nodes(const struct gateway_page_plan *plan,
	const char *ret[static GATEWAY_PLAN_LIST + 1])
{
	const struct gateway_plan_list *nodes = &plan->addresses->nodes;
	const char *own = plan->config->address;
	size_t count = 0;

	if (*own)
		ret[count++] = own;
	for (size_t i = 0; i < nodes->count; i++)
		if (strcmp(nodes->items[i], own) != 0)
			ret[count++] = nodes->items[i];
	return count;
}

int gateway_page_new(const struct gateway_page_plan *plan, struct gateway_web **ret,
	char *error, size_t error_size)
{
	const struct assets_file *offline =
		assets_find(&viewer_web_assets, PAGE_ASSETS_OFFLINE);
	const char *nodes[GATEWAY_PLAN_LIST + 1];
	struct ca_sign_signature signature = {.len = 0};
	char more[DATA_DIR_ERROR] = "web.nodes: too many";
	int status = 0;

	if (offline)
		status = ca_sign(plan->data, offline->forms[ASSETS_PLAIN].bytes,
			offline->forms[ASSETS_PLAIN].len, &signature, more);
	const struct gateway_web_settings settings = {.assets = &viewer_web_assets,
		.origins = plan->addresses->origins.items,
		.origin_count = plan->addresses->origins.count,
		.more = {nodes, find_nodes(plan, nodes), offline ? signature.bytes : NULL,
			signature.len}};
	if (!status)
		status = gateway_web_new(&settings, ret);
	if (status)
		text_clip(error, error_size, more);
	return status;
}
