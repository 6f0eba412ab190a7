#include "rules/host_binding.h"

#include <stdlib.h>

#include "base/reason.h"
#include "base/text.h"

static int read_inventory(const json_t *object, struct host_binding *ret,
	struct field_error *error)
{
	char *text;
	const json_t *inventory = json_object_get(object, "inventory");
	if (!json_is_object(inventory))
		return text_copy(ret->inventory, sizeof(ret->inventory), "{}");
	int r = field_print(inventory, &text);
	if (r)
		return r;
	r = text_copy(ret->inventory, sizeof(ret->inventory), text);
	free(text);
	return r ? field_fail(error, "inventory", "is too long") : 0;
}

static int read_all(const json_t *object, struct host_binding *ret,
	struct field_error *error)
{
	int r = field_hex(object, "device", FIELD_NEED, ret->device, sizeof(ret->device),
		error);
	if (r == 0)
		r = digest_device(ret->device, ret->device_id);
	if (r == 0)
		r = field_text(object, "name", FIELD_MAY, ret->name, sizeof(ret->name),
			error);
	if (r == 0)
		r = field_text(object, "program", FIELD_MAY, ret->program,
			sizeof(ret->program), error);
	if (r == 0)
		r = field_text(object, "address", FIELD_MAY, ret->address,
			sizeof(ret->address), error);
	if (r == 0)
		r = field_time(object, "bound_ms", &ret->bound_ms, error);
	if (r == 0)
		r = field_time(object, "seen_ms", &ret->seen_ms, error);
	return r ? r : read_inventory(object, ret, error);
}

int host_binding_read(const char *body, struct host_binding *ret,
	struct field_error *error)
{
	struct host_binding binding = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &binding, error);
	json_decref(object);
	if (r == 0)
		*ret = binding;
	return r;
}

int host_binding_write(const struct host_binding *binding, char **ret)
{
	char device[TEXT_HEX_SIZE(32)];
	json_t *inventory =
		json_loads(*binding->inventory ? binding->inventory : "{}", 0, NULL);
	text_hex(device, binding->device, 32);
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "device",
		device, "device_id", binding->device_id, "name", binding->name, "program",
		binding->program, "address", binding->address, "bound_ms",
		(json_int_t)binding->bound_ms, "seen_ms", (json_int_t)binding->seen_ms,
		"inventory", inventory ? inventory : json_object());
	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}
