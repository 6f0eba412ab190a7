#include "rules/audit.h"

#include <string.h>

#include "base/reason.h"
#include "rules/field.h"

static const struct audit_entry entries[] = {
#define A(number, name, severity, fields, en, ja)                                        \
	{number, #name, AUDIT_##severity, fields, en, ja},
#include "rules/audit.def"
#undef A
};

const struct audit_entry *audit_at(size_t index)
{
	return index < ARRAY_LEN(entries) ? &entries[index] : NULL;
}

const char *audit_severity_name(enum audit_severity severity)
{
	static const char *const names[] = {"info", "notice", "warning"};
	return (unsigned)severity < ARRAY_LEN(names) ? names[severity] : "unknown";
}

/* Walks over the words of `list`: 1 and the word without its '?'. */
static int next_word(const char **list, const char **ret_word, size_t *ret_len,
	int *ret_may)
{
	*list += strspn(*list, " ");
	size_t len = strcspn(*list, " ");
	if (!len)
		return 0;
	*ret_may = (*list)[len - 1] == '?';
	*ret_word = *list;
	*ret_len = len - (size_t)*ret_may;
	*list += len;
	return 1;
}

static int is_promised(const char *list, const char *name)
{
	const char *word;
	size_t len;
	int may;
	while (next_word(&list, &word, &len, &may))
		if (strlen(name) == len && memcmp(word, name, len) == 0)
			return 1;
	return 0;
}

static int check_fields(const char *list, const json_t *fields)
{
	const char *word, *name;
	json_t *value;
	size_t len;
	int may;
	json_object_foreach((json_t *)fields, name,
		value) if (!is_promised(list, name)) return -REASON_INTERNAL;
	while (next_word(&list, &word, &len, &may)) {
		char wanted[32];
		CHECK(len < sizeof(wanted));
		memcpy(wanted, word, len);
		wanted[len] = 0;
		if (!may && !json_object_get(fields, wanted))
			return -REASON_INTERNAL;
	}
	return 0;
}

int audit_body(enum audit_event event, const char *by, const char *address,
	json_t *fields, char **ret)
{
	CHECK((unsigned)event < AUDIT_EVENTS);
	const struct audit_entry *entry = &entries[event];
	if (!fields)
		return -REASON_NO_MEMORY;
	int r = check_fields(entry->fields, fields);
	json_t *object = r ? NULL
			   : json_pack("{s:s, s:i, s:s, s:s, s:s}", "event", entry->name,
				     "number", entry->number, "severity",
				     audit_severity_name(entry->severity), "by", by,
				     "address", address);
	if (r == 0 && (!object || json_object_update(object, fields)))
		r = -REASON_NO_MEMORY;
	if (r == 0)
		r = field_print(object, ret);
	json_decref(object);
	json_decref(fields);
	return r;
}
