#include "store/state.h"

#include <string.h>

#include "base/reason.h"

const char *state_kind_name(enum state_kind kind)
{
	static const char *const names[] = {"tenant", "account", "token", "license",
		"host", "device", "group", "policy", "attempts", "session", "node",
		"meta", "sign_in", "key", "alert", "route", "alarm", "notice", "usage",
		"directory", "statement", "outage", "join"};
	_Static_assert(ARRAY_LEN(names) == STATE_KINDS, "every kind has a name");
	return (unsigned)kind < STATE_KINDS ? names[kind] : "unknown";
}

int state_is_boxed(const char *body)
{
	static const char head[] = "{\"sealed\":1,";
	return strncmp(body, head, sizeof(head) - 1) == 0;
}

int state_doc_check(const struct state_doc *doc)
{
	CHECK((unsigned)doc->kind < STATE_KINDS);
	size_t id = strnlen(doc->id, STATE_ID_MAX + 1);
	size_t body = state_is_boxed(doc->body) ? STATE_BOX_MAX : STATE_BODY_MAX;
	if (id == 0 || id > STATE_ID_MAX ||
		strnlen(doc->tenant, STATE_TENANT_MAX + 1) > STATE_TENANT_MAX ||
		strnlen(doc->body, body + 1) > body)
		return -REASON_LIMIT;
	return 0;
}
