#include "admin/api_keys.h"

#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/reason.h"
#include "vault/vault.h"
#include "vault/vault_reseal.h"

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	json_t *object = call_body(doc);
	const char *tenant = json_string_value(json_object_get(object, "tenant"));

	/* What ids are made with is no company's key and is never renewed. */
	if (!tenant || *tenant == '#') {
		json_decref(object);
		return NULL;
	}
	json_object_del(object, "wrapped");
	json_object_set_new(object, "id", json_string(doc->id));
	json_object_set_new(object, "tenant",
		json_string(*tenant ? tenant : API_KEYS_OPERATOR));
	call_add_times(object);
	return object;
}

void api_keys_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_KEY, list_item);
}

void api_keys_rotate(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "tenant");
	const char *tenant = strcmp(id, API_KEYS_OPERATOR) ? id : "";
	struct store_docs docs = {0};
	uint32_t generation;

	if (*tenant && call_get(call, STATE_TENANT, tenant, &docs))
		return;
	store_docs_free(&docs);
	if (call_audit(call, AUDIT_KEY_ROTATED, "", "", json_pack("{s:s}", "tenant", id)))
		return;
	int status = vault_reseal_rotate(call->admin->parts.vault, tenant, &generation);
	if (status)
		call_undone(call, AUDIT_KEY_ROTATED, "", "", status);
	else
		exchange_json(exchange, 202,
			json_pack("{s:s, s:I}", "tenant", id, "generation",
				(json_int_t)generation));
}
