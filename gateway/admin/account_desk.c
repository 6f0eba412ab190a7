#include "admin/account_desk.h"

#include <stdlib.h>
#include <string.h>

#include "admin/guess.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/tenant.h"

int account_desk_read(struct call *call, const char *name, struct account_desk *ret)
{
	struct field_error error;
	int status;

	*ret = (struct account_desk){0};
	if (!account_name_good(name))
		return -REASON_NOT_FOUND;
	status = store_wait_get(call_store(call)->state, STATE_ACCOUNT, name, &ret->docs);
	if (!status && account_read(ret->docs.docs[0].body, &ret->account, &error)) {
		account_desk_unload(ret);
		status = -REASON_STATE_DAMAGED;
	}
	return status;
}

int account_desk_load(struct call *call, struct account_desk *ret)
{
	int status = account_desk_read(call, exchange_param(call->exchange, "id"), ret);

	if (!status && !call_may_see(call, ret->account.tenant)) {
		account_desk_unload(ret);
		status = -REASON_NOT_FOUND;
	}
	return status ? call_fail(call, status, NULL) : 0;
}

int account_desk_create(struct call *call, const struct account *account)
{
	struct state_doc doc = {
		.kind = STATE_ACCOUNT, .id = account->name, .tenant = account->tenant};
	uint64_t version;
	char *body;
	int status = account_write(account, NULL, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	secret_wipe(body, strlen(body));
	free(body);
	return status;
}

int account_desk_put(struct call *call, struct account_desk *desk)
{
	struct state_doc *before = &desk->docs.docs[0], doc = *before;
	uint64_t version;
	char *body;
	int status = account_write(&desk->account, before->body, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	secret_wipe(body, strlen(body));
	free(body);
	if (!status)
		before->version = version;
	return status;
}

void account_desk_unload(struct account_desk *desk)
{
	for (size_t i = 0; i < desk->docs.count; i++)
		secret_wipe((char *)desk->docs.docs[i].body,
			strlen(desk->docs.docs[i].body));
	store_docs_free(&desk->docs);
	secret_wipe(desk, sizeof(*desk));
}

json_t *account_desk_show(struct call *call, const struct account *account)
{
	int64_t locked = guess_locked_until(call, account->name);
	char *text;

	if (account_show(account, &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	if (object) {
		json_object_set_new(object, "locked_until_ms", json_integer(locked));
		json_object_set_new(object, "password_changed_ms",
			json_integer(account->password_ms));
		json_object_del(object, "password_ms");
		call_add_times(object);
	}
	return object;
}

int account_desk_security(struct call *call, const char *tenant,
	struct account_security *ret)
{
	char id[ACCOUNT_SECURITY_ID];
	struct store_docs docs = {0};
	struct field_error error;

	account_security_id(tenant, id);
	int status = store_wait_get(call_store(call)->state, STATE_META, id, &docs);
	if (status == -REASON_NOT_FOUND) {
		account_security_default(ret);
		return 0;
	}
	if (!status && account_security_read(docs.docs[0].body, ret, &error))
		status = -REASON_STATE_DAMAGED;
	store_docs_free(&docs);
	return status;
}

int account_desk_tenant(struct call *call, const char *id)
{
	struct store_docs docs = {0};
	struct field_error error;
	struct tenant tenant;

	if (!*id)
		return 0;
	int status = store_wait_get(call_store(call)->state, STATE_TENANT, id, &docs);
	if (status)
		return status == -REASON_NOT_FOUND ? 0 : status;
	if (tenant_read(docs.docs[0].body, &tenant, &error))
		status = -REASON_STATE_DAMAGED;
	else if (tenant.state != TENANT_ENABLED)
		status = -REASON_TENANT_DISABLED;
	store_docs_free(&docs);
	return status;
}
