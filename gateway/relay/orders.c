#include "relay/orders.h"

#include <jansson.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

static const struct {
	const char *name;
	enum order_kind kind;
} kinds[] = {
	{"disconnect", ORDER_DISCONNECT},
	{"revoke", ORDER_REVOKE},
	{"drain", ORDER_DRAIN},
	{"undrain", ORDER_UNDRAIN},
	{"policy", ORDER_POLICY},
	{"notices", ORDER_NOTICES},
};

/* An absent member is ""; what does not fit is refused, not cut: half an id is another's. */
static int take_text(const json_t *json, const char *name, char *ret, size_t size)
{
	const json_t *value = json_object_get(json, name);
	if (!value)
		return 0;
	return json_is_string(value) ? text_copy(ret, size, json_string_value(value))
				     : -REASON_BAD_MESSAGE;
}

static int take_kind(const json_t *json, struct order *order)
{
	const char *name = json_string_value(json_object_get(json, "order"));
	for (size_t i = 0; name && i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name)) {
			order->kind = kinds[i].kind;
			return 0;
		}
	return -REASON_BAD_MESSAGE;
}

/* An order without its object would fall on everybody or on nobody. */
static int is_complete(const struct order *order)
{
	switch (order->kind) {
	case ORDER_DISCONNECT:
		return order->session[0] || order->license[0];
	case ORDER_REVOKE:
		return order->license[0] || order->tenant[0];
	case ORDER_POLICY: /* looking at everybody again does no harm */
	case ORDER_NOTICES:
		return 1;
	default:
		return order->node[0] != 0;
	}
}

static int take_order(const json_t *json, struct order *order)
{
	char reason[41] = "";
	const json_t *within = json_object_get(json, "within_ms");
	if (!json_is_object(json) || take_kind(json, order) ||
		take_text(json, "session", order->session, sizeof(order->session)) ||
		take_text(json, "license", order->license, sizeof(order->license)) ||
		take_text(json, "tenant", order->tenant, sizeof(order->tenant)) ||
		take_text(json, "node", order->node, sizeof(order->node)) ||
		take_text(json, "by", order->by, sizeof(order->by)) ||
		take_text(json, "reason", reason, sizeof(reason)) || !is_complete(order))
		return -REASON_BAD_MESSAGE;
	order->reason = reason[0] ? (int)reason_parse(reason) : REASON_ADMIN_DISCONNECT;
	if (order->reason == REASON_NONE)
		return -REASON_BAD_MESSAGE;
	if (within && (!json_is_integer(within) || json_integer_value(within) < 0))
		return -REASON_BAD_MESSAGE;
	order->within_ms = within ? json_integer_value(within) : -1;
	return 0;
}

int orders_parse(const char *json, struct order *ret)
{
	struct order order = {0};
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	int rc = root ? take_order(root, &order) : -REASON_BAD_MESSAGE;
	json_decref(root);
	if (!rc)
		*ret = order;
	return rc;
}
