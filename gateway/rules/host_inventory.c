#include "rules/host_inventory.h"

#include <string.h>

#include "base/reason.h"
#include "rules/field.h"

static int is_name(const char *name)
{
	size_t len = strlen(name);
	return len && len <= 32 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static json_t *clean(const json_t *value, int depth, int *left);

static json_t *clean_object(const json_t *object, int depth, int *left)
{
	json_t *ret = json_object(), *value;
	const char *name;
	json_object_foreach((json_t *)object, name, value)
	{
		if (!is_name(name))
			continue;
		json_t *kept = clean(value, depth + 1, left);
		/* Short of memory one member is missing; nothing else depends on it. */
		if (kept && json_object_set_new(ret, name, kept))
			break;
	}
	return ret;
}

static json_t *clean_array(const json_t *array, int depth, int *left)
{
	json_t *ret = json_array(), *value;
	size_t i;
	json_array_foreach(array, i, value)
	{
		json_t *kept = clean(value, depth + 1, left);
		if (kept && json_array_append_new(ret, kept))
			break;
	}
	return ret;
}

/* NULL: dropped. */
static json_t *clean(const json_t *value, int depth, int *left)
{
	char text[HOST_INVENTORY_TEXT + 1];
	if (depth > HOST_INVENTORY_DEPTH || --*left < 0)
		return NULL;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return clean_object(value, depth, left);
	case JSON_ARRAY:
		return clean_array(value, depth, left);
	case JSON_STRING:
		field_plain(text, sizeof(text), json_string_value(value));
		return json_string(text);
	case JSON_NULL:
		return NULL;
	default:
		return json_deep_copy(value);
	}
}

int host_inventory_clean(const char *text, char **ret)
{
	struct field_error error;
	json_t *object = NULL;
	/* The object itself is no member. */
	int left = HOST_INVENTORY_MEMBERS + 1;
	if (*text && field_parse(text, &object, &error))
		object = NULL;
	json_t *kept = object ? clean(object, 0, &left) : json_object();
	json_decref(object);
	if (!kept)
		return -REASON_NO_MEMORY;
	int r = field_print(kept, ret);
	json_decref(kept);
	return r;
}
