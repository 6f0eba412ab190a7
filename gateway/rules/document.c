#include "rules/document.h"

#include "base/reason.h"
#include "rules/field.h"

int document_open(const char *before, json_t **ret)
{
	struct field_error error;
	*ret = NULL;
	if (before && field_parse(before, ret, &error))
		return -REASON_STATE_DAMAGED;
	if (!*ret)
		*ret = json_object();
	return *ret ? 0 : -REASON_NO_MEMORY;
}

int document_set(json_t *object, json_t *fields)
{
	int r = !fields || json_object_update(object, fields) ? -REASON_NO_MEMORY : 0;
	json_decref(fields);
	return r;
}

int document_close(json_t *object, int status, char **ret)
{
	int r = status ? status : field_print(object, ret);
	json_decref(object);
	return r;
}
