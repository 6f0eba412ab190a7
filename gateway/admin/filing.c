#include "admin/filing.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

int filing_id(struct call *call, const char *prefix, char *ret, size_t size)
{
	uint8_t bytes[8];
	char hex[TEXT_HEX_SIZE(sizeof(bytes))];
	int status = secret_random(bytes, sizeof(bytes));

	if (status)
		return call_fail(call, status, NULL);
	text_hex(hex, bytes, sizeof(bytes));
	snprintf(ret, size, "%s%s", prefix, hex);
	return 0;
}

int filing_fail(struct call *call, const struct field_error *error)
{
	return call_wrong(call, error->field, error->message);
}

int filing_tenant(struct call *call, json_t *object,
	char ret[static STATE_TENANT_MAX + 1])
{
	struct field_error error;
	char given[STATE_TENANT_MAX + 1] = "";
	int is_given = json_is_string(json_object_get(object, "tenant"));

	if (field_text(object, "tenant", FIELD_MAY, given, sizeof(given), &error))
		return filing_fail(call, &error);
	json_object_del(object, "tenant");
	return call_tenant_of_new(call, is_given ? given : NULL, ret);
}

static json_t *without_secrets(const json_t *changes)
{
	static const char *const secrets[] = {"secret", "password"};
	json_t *copy = json_copy((json_t *)changes);

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (json_object_get(copy, secrets[i]))
			json_object_set_new(copy, secrets[i], json_string("***"));
	return copy;
}

static int record(struct call *call, const struct filing *filing,
	const struct state_doc *doc, json_t *changes)
{
	return call_audit(call, filing->event, doc->tenant, "",
		json_pack("{s:s, s:o}", filing->field, doc->id, "changes", changes));
}

int filing_put(struct call *call, const struct filing *filing,
	const struct state_doc *doc, const json_t *changes)
{
	int status = record(call, filing, doc, without_secrets(changes));

	if (!status)
		status = call_put(call, filing->event, doc);
	if (!status)
		call_changed(call, filing->field, doc->id, doc->tenant,
			doc->version ? "changed" : "created");
	return status;
}

int filing_remove(struct call *call, const struct filing *filing,
	const struct state_doc *doc)
{
	int status = record(call, filing, doc, json_pack("{s:b}", "removed", 1));

	if (!status)
		status = call_remove(call, filing->event, filing->kind, doc->id,
			doc->tenant);
	if (status)
		return status;
	call_changed(call, filing->field, doc->id, doc->tenant, "deleted");
	exchange_empty(call->exchange);
	return 0;
}
