#include "rules/device_book.h"

#include <string.h>

#include "base/reason.h"
#include "rules/field.h"

static int is_device(const json_t *entry, const char *device_id)
{
	const char *id = json_string_value(json_object_get(entry, "device_id"));
	return id && strcmp(id, device_id) == 0;
}

static json_t *entry_new(const struct device_sighting *sighting, int64_t first_ms,
	int64_t proved_ms)
{
	json_t *proved = proved_ms ? json_integer(proved_ms) : NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o*}", "device_id",
		sighting->device_id, "name", sighting->name, "kind", sighting->kind,
		"program", sighting->program, "address", sighting->address, "first_ms",
		(json_int_t)first_ms, "last_ms", (json_int_t)sighting->at_ms, "proved_ms",
		proved);
}

/* The devices of the book; a fresh list when there is none. Owned by `book`. */
static json_t *devices_of(json_t *book)
{
	json_t *devices = json_object_get(book, "devices");
	if (json_is_array(devices))
		return devices;
	devices = json_array();
	return json_object_set_new(book, "devices", devices) ? NULL : devices;
}

static int see(json_t *devices, const struct device_sighting *sighting, int *ret_new)
{
	int64_t first_ms = sighting->at_ms, proved_ms = sighting->proved_ms;
	int is_new = 1;
	for (size_t i = 0; i < json_array_size(devices); i++) {
		const json_t *entry = json_array_get(devices, i);
		if (!is_device(entry, sighting->device_id))
			continue;
		first_ms = json_integer_value(json_object_get(entry, "first_ms"));
		if (!proved_ms)
			proved_ms =
				json_integer_value(json_object_get(entry, "proved_ms"));
		json_array_remove(devices, i);
		is_new = 0;
		break;
	}
	if (is_new && sighting->most &&
		json_array_size(devices) >= (size_t)sighting->most)
		return -REASON_DEVICES_FULL;
	while (json_array_size(devices) >= DEVICE_BOOK_MAX)
		json_array_remove(devices, 0);
	if (json_array_append_new(devices, entry_new(sighting, first_ms, proved_ms)))
		return -REASON_NO_MEMORY;
	*ret_new = is_new;
	return 0;
}

int device_book_see(const char *body, const struct device_sighting *sighting, char **ret,
	int *ret_new)
{
	struct field_error error;
	json_t *book = NULL;
	int is_new = 0;
	if (!body || field_parse(body, &book, &error))
		book = json_object();
	json_t *devices = book ? devices_of(book) : NULL;
	int r = devices ? see(devices, sighting, &is_new) : -REASON_NO_MEMORY;
	if (r == 0)
		r = field_print(book, ret);
	json_decref(book);
	if (r == 0)
		*ret_new = is_new;
	return r;
}

int device_book_forget(const char *body, const char *device_id, char **ret)
{
	struct field_error error;
	json_t *book;
	int r = -REASON_NOT_FOUND;
	if (field_parse(body, &book, &error))
		return -REASON_STATE_DAMAGED;
	json_t *devices = json_object_get(book, "devices");
	for (size_t i = json_array_size(devices); i--;) {
		if (!is_device(json_array_get(devices, i), device_id))
			continue;
		json_array_remove(devices, i);
		r = 0;
	}
	if (r == 0)
		r = field_print(book, ret);
	json_decref(book);
	return r;
}

int device_book_has(const char *body, const char *device_id)
{
	struct field_error error;
	json_t *book, *entry;
	int found = 0;
	size_t i;
	if (field_parse(body, &book, &error))
		return 0;
	json_array_foreach(json_object_get(book, "devices"), i, entry)
	{
		found = found || is_device(entry, device_id);
	}
	json_decref(book);
	return found;
}

int64_t device_book_last_ms(const char *body)
{
	struct field_error error;
	json_t *book;
	int64_t last = 0;
	if (field_parse(body, &book, &error))
		return 0;
	const json_t *devices = json_object_get(book, "devices"), *entry;
	size_t i;
	json_array_foreach(devices, i, entry)
	{
		int64_t ms = json_integer_value(json_object_get(entry, "last_ms"));
		last = ms > last ? ms : last;
	}
	json_decref(book);
	return last;
}

int64_t device_book_proved_ms(const char *body, const char *device_id)
{
	struct field_error error;
	json_t *book, *entry;
	int64_t proved_ms = 0;
	size_t i;
	if (field_parse(body, &book, &error))
		return 0;
	const json_t *devices = json_object_get(book, "devices");
	json_array_foreach(devices, i, entry)
	{
		if (is_device(entry, device_id))
			proved_ms =
				json_integer_value(json_object_get(entry, "proved_ms"));
	}
	json_decref(book);
	return proved_ms;
}
