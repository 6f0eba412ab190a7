#include "admin/api_backups.h"

#include <string.h>

#include "admin/call.h"
#include "base/reason.h"
#include "vault/vault.h"
#include "vault/vault_backups.h"

static struct vault *vault_of(struct call *call)
{
	return call->admin->parts.vault;
}

static void answer(struct exchange *exchange, int status, json_t *record)
{
	if (record) {
		call_add_times(record);
		call_add_times(json_object_get(record, "drill"));
	}
	exchange_json(exchange, status, record);
}

void api_backups_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	json_t *array, *record;
	size_t i;
	int status = vault_backups_list(vault_of(call), &array);

	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	json_array_foreach(array, i, record)
	{
		call_add_times(record);
		call_add_times(json_object_get(record, "drill"));
	}
	/* There are never more than the generations of each node: one page. */
	exchange_json(exchange, 200, json_pack("{s:o, s:n}", "items", array, "next"));
}

void api_backups_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char id[VAULT_ID];
	json_t *record;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	const char *note = body_text(&body, "note", 500, BODY_MAY);
	if (!body_check(&body, exchange)) {
		int status = vault_backups_order(vault_of(call), note ? note : "",
			call->by.name, id);
		if (!status)
			status = vault_backups_show(vault_of(call), id, &record);
		if (status)
			call_fail(call, status, NULL);
		else
			answer(exchange, 202, record);
	}
	body_done(&body);
}

void api_backups_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	json_t *record;
	int status = vault_backups_show(vault_of(call), exchange_param(exchange, "id"),
		&record);

	if (status)
		call_fail(call, status, NULL);
	else
		answer(exchange, 200, record);
}

void api_backups_drill(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "id");
	json_t *record;
	int status = vault_backups_drill(vault_of(call), id, call->by.name);

	if (!status)
		status = vault_backups_show(vault_of(call), id, &record);
	if (status)
		call_fail(call, status,
			status == -REASON_CONFLICT
				? "only a finished backup of this node can be tried"
				: NULL);
	else
		answer(exchange, 202, record);
}

void api_backups_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "id");
	json_t *record;
	int status = vault_backups_show(vault_of(call), id, &record);

	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	json_decref(record);
	if (call_audit(call, AUDIT_BACKUP_DELETED, "", "",
		    json_pack("{s:s}", "backup", id)))
		return;
	status = vault_backups_remove(vault_of(call), id);
	if (status)
		call_undone(call, AUDIT_BACKUP_DELETED, "", "", status);
	else
		exchange_empty(exchange);
}
