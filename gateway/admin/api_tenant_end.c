#include "admin/api_tenant_end.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/tenant_export.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "rules/tenant.h"
#include "vault/tenant_end.h"
#include "vault/vault.h"

/* The company whose id stands in the path, and in "confirm" where that is asked for: nobody ends the
 * wrong one by a slip. */
struct subject {
	struct store_docs docs;
	struct tenant tenant;
};

static int load(struct call *call, struct subject *ret)
{
	struct field_error error;
	const char *id = exchange_param(call->exchange, "id");

	*ret = (struct subject){0};
	if (call_operators_only(call))
		return -REASON_FORBIDDEN;
	int status = call_get(call, STATE_TENANT, id, &ret->docs);
	if (status)
		return status;
	if (tenant_read(ret->docs.docs[0].body, &ret->tenant, &error)) {
		store_docs_free(&ret->docs);
		return call_fail(call, -REASON_STATE_DAMAGED, id);
	}
	return 0;
}

static int load_confirmed(struct call *call, struct subject *ret)
{
	struct body body;

	if (body_parse(&body, call->exchange))
		return -REASON_BAD_VALUE;
	const char *confirm = body_text(&body, "confirm", TENANT_ID_SIZE - 1, BODY_NEED);
	if (confirm && strcmp(confirm, exchange_param(call->exchange, "id")))
		body_wrong(&body, "confirm", "the company's id is expected");
	int status = body_check(&body, call->exchange);
	body_done(&body);
	return status ? status : load(call, ret);
}

static int write(struct call *call, struct subject *subject)
{
	const struct state_doc *before = &subject->docs.docs[0];
	struct state_doc doc = *before;
	char *text;
	int status = tenant_write(&subject->tenant, before->body, &text);

	if (status)
		return call_undone(call, AUDIT_TENANT_ENDED, before->id, "", status);
	doc.body = text;
	status = call_put(call, AUDIT_TENANT_ENDED, &doc);
	if (!status) {
		json_t *object = call_body(&doc);
		call_changed(call, "tenant", doc.id, doc.id, "changed");
		/* Who may no longer come in must not stay in either. */
		status = call_order(call,
			json_pack("{s:s, s:s, s:s}", "order", "revoke", "tenant", doc.id,
				"reason", "TENANT_DISABLED"));
		call_add_times(object);
		if (status)
			json_decref(object);
		else
			exchange_json(call->exchange, 200, object);
	}
	free(text);
	return status;
}

void api_tenant_end_contract(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct subject subject;

	if (load_confirmed(call, &subject))
		return;
	struct tenant *tenant = &subject.tenant;
	tenant_end(tenant, clock_wall_ms(),
		vault_purge_after_ms(call->admin->parts.vault));
	if (!call_audit(call, AUDIT_TENANT_ENDED, tenant->id, "",
		    json_pack("{s:s, s:I}", "tenant", tenant->id, "purge_after_ms",
			    (json_int_t)tenant->purge_after_ms)) &&
		write(call, &subject))
		log_line(LOG_WARN, "contract not ended", LOG_S("tenant", tenant->id));
	store_docs_free(&subject.docs);
}

void api_tenant_end_purge(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct subject subject;
	json_t *proof;

	if (load_confirmed(call, &subject))
		return;
	if (subject.tenant.state != TENANT_ENDED) {
		call_fail(call, -REASON_CONFLICT, "its contract has not ended");
	} else {
		int status = tenant_end_purge(call_store(call), call->admin->parts.node,
			subject.tenant.id, call->by.name, &proof);
		if (status) {
			call_fail(call, status, NULL);
		} else {
			call_changed(call, "tenant", subject.tenant.id, "", "deleted");
			call_add_times(proof);
			exchange_json(exchange, 200, proof);
		}
	}
	store_docs_free(&subject.docs);
}

void api_tenant_end_proof(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "id");
	json_t *proof;

	if (call_operators_only(call))
		return;
	int status = tenant_id_good(id) ? tenant_end_proof(call_store(call), id, &proof)
					: -REASON_NOT_FOUND;
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	call_add_times(proof);
	exchange_json(exchange, 200, proof);
}

static int put_bytes(void *ctx, const void *bytes, size_t len)
{
	return exchange_put(ctx, bytes, len);
}

void api_tenant_end_export(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct subject subject;
	char name[80];

	if (load(call, &subject))
		return;
	const char *id = subject.tenant.id;
	if (call_audit(call, AUDIT_TENANT_EXPORTED, id, "",
		    json_pack("{s:s}", "tenant", id)))
		goto out;
	if (sem_trywait(&call->admin->streams)) {
		call_fail(call, -REASON_BUSY, "too many long answers run already");
		goto out;
	}
	snprintf(name, sizeof(name), "attachment; filename=\"engawa-%.41s.tar\"", id);
	exchange_header(exchange, "Content-Disposition", name);
	int status = exchange_begin(exchange, "application/x-tar");
	if (!status)
		status = tenant_export_run(call_store(call), id, put_bytes, exchange);
	/* One that is cut short is not ended: whoever takes it must see that. */
	if (!status)
		status = exchange_end(exchange);
	if (status)
		log_line(LOG_WARN, "export cut short", LOG_S("tenant", id),
			LOG_S("reason", reason_symbol(status)));
	sem_post(&call->admin->streams);
out:
	store_docs_free(&subject.docs);
}
