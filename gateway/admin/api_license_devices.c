#include "admin/api_license_devices.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "base/reason.h"
#include "rules/device_book.h"

/* The book of a license; none is an empty one. -REASON_*: answered. */
static int load_book(struct call *call, const char *license, struct store_docs *ret)
{
	int status = store_wait_get(call_store(call)->state, STATE_DEVICE, license, ret);

	if (status == -REASON_NOT_FOUND)
		return 0;
	return status ? call_fail(call, status, NULL) : 0;
}

static json_t *show_all(const struct store_docs *book, const struct license *license)
{
	json_t *object = book->count ? call_body(&book->docs[0]) : json_object();
	json_t *items = json_array(), *entry;
	size_t i;

	json_array_foreach(json_object_get(object, "devices"), i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "device_id"));
		json_t *item = json_copy(entry);
		json_object_set_new(item, "id", json_string(id ? id : ""));
		json_object_del(item, "device_id");
		json_object_set_new(item, "permitted",
			json_boolean(id && license_permits_device(license, id)));
		call_add_times(item);
		json_array_append_new(items, item);
	}
	json_decref(object);
	return items;
}

void api_license_devices_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;
	struct store_docs book = {0};

	if (license_desk_load(call, &holding))
		return;
	if (!load_book(call, holding.license.id, &book))
		exchange_json(exchange, 200,
			json_pack("{s:o, s:n}", "items",
				show_all(&book, &holding.license), "next"));
	store_docs_free(&book);
	license_desk_unload(&holding);
}

/* The book without this device. 0, -REASON_NOT_FOUND, …; nothing is answered. */
static int write_without(struct call *call, const struct state_doc *before,
	const char *device)
{
	struct state_doc doc = *before;
	char *body;
	int status = device_book_forget(before->body, device, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, NULL);
	free(body);
	return status;
}

static int has_device(const struct store_docs *book, const char *device)
{
	char *body;

	if (!book->count || device_book_forget(book->docs[0].body, device, &body))
		return 0;
	free(body);
	return 1;
}

static int forget(struct call *call, const struct license *license, const char *device)
{
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < LICENSE_DESK_TRIES; i++) {
		struct store_docs book = {0};
		status = load_book(call, license->id, &book);
		if (status)
			return status;
		if (!has_device(&book, device)) {
			store_docs_free(&book);
			return recorded ? 0 : call_fail(call, -REASON_NOT_FOUND, NULL);
		}
		if (!recorded)
			status = call_audit(call, AUDIT_DEVICES_FORGOTTEN,
				license->tenant, license->id,
				json_pack("{s:s, s:[s]}", "license", license->id,
					"devices", device));
		if (status) {
			store_docs_free(&book);
			return status;
		}
		recorded = 1;
		status = write_without(call, &book.docs[0], device);
		store_docs_free(&book);
	}
	return status ? call_undone(call, AUDIT_DEVICES_FORGOTTEN, license->tenant,
				license->id, status)
		      : 0;
}

void api_license_devices_forget(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;

	if (license_desk_load(call, &holding))
		return;
	if (!forget(call, &holding.license, exchange_param(exchange, "device"))) {
		call_changed(call, "license", holding.license.id, holding.license.tenant,
			"changed");
		exchange_empty(exchange);
	}
	license_desk_unload(&holding);
}
