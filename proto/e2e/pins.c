#include "e2e/pins.h"

#include <ctype.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/private_file.h"

#define VERSION 1
#define FOLDER "pins"

static int pin_path(const char *dir, const char license[static LICENSE_KEY_PUBLIC_SIZE],
	char ret_folder[static PRIVATE_FILE_PATH], char ret[static PRIVATE_FILE_PATH])
{
	char checked[LICENSE_KEY_PUBLIC_SIZE], name[LICENSE_KEY_PUBLIC_SIZE];
	int result = license_key_id_parse(license, checked);
	if (result < 0)
		return result;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = (char)tolower((unsigned char)checked[i]);
	result = private_file_path(ret_folder, dir, FOLDER, NULL);
	if (result == 0)
		result = private_file_path(ret, ret_folder, name, "json");
	return result;
}

static int get_name(const json_t *object, const char *member,
	char ret[static INNER_NAME_SIZE])
{
	int result = private_file_get_text(object, member, ret, INNER_NAME_SIZE);
	if (result == 0 && !inner_name_valid(ret, strlen(ret)))
		result = -REASON_STATE_DAMAGED;
	return result;
}

static int get_keys(const json_t *object, struct pins_host *host)
{
	int result =
		private_file_get_bytes(object, "host_key", host->key, PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_get_bytes(object, "pair_psk", host->pair_psk,
			PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_get_number(object, "old_until_ms", 0, INT64_MAX,
			&host->old_until_ms);
	if (result == 0 && host->old_until_ms)
		result = private_file_get_bytes(object, "old_key", host->old_key,
			PRIMITIVES_KEY);
	return result;
}

static int get_host(const json_t *object, struct pins_host *host)
{
	int64_t version;
	int result =
		private_file_get_number(object, "version", VERSION, VERSION, &version);
	if (result == 0)
		result = private_file_get_text(object, "license", host->license,
			sizeof(host->license));
	if (result == 0)
		result = get_keys(object, host);
	if (result == 0)
		result = get_name(object, "host_name", host->host_name);
	if (result == 0)
		result = get_name(object, "name", host->name);
	if (result == 0)
		result = private_file_get_number(object, "paired_ms", 0, INT64_MAX,
			&host->paired_ms);
	return result;
}

int pins_read(const char *dir, const char license[static LICENSE_KEY_PUBLIC_SIZE],
	struct pins_host *ret)
{
	char folder[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	struct pins_host host = {.old_until_ms = 0};
	json_t *object;
	int result = pin_path(dir, license, folder, path);
	if (result == 0)
		result = private_file_read(path, &object);
	if (result < 0)
		return result;
	result = get_host(object, &host);
	json_decref(object);
	/* A file copied under another license's name would pin the wrong host. */
	if (result == 0 && strcmp(host.license, license) != 0)
		result = -REASON_STATE_DAMAGED;
	if (result == 0)
		*ret = host;
	secret_wipe(&host, sizeof(host));
	return result;
}

static json_t *host_object(const struct pins_host *host)
{
	json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I}", "version", VERSION,
		"license", host->license, "host_name", host->host_name, "name",
		host->name, "paired_ms", (json_int_t)host->paired_ms, "old_until_ms",
		(json_int_t)host->old_until_ms);
	if (!object)
		return NULL;
	int result =
		private_file_set_bytes(object, "host_key", host->key, PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_set_bytes(object, "pair_psk", host->pair_psk,
			PRIMITIVES_KEY);
	if (result == 0 && host->old_until_ms)
		result = private_file_set_bytes(object, "old_key", host->old_key,
			PRIMITIVES_KEY);
	if (result < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* What is there and cannot be trusted stays: somebody has to look at it. */
static int may_replace(const char *dir,
	const char license[static LICENSE_KEY_PUBLIC_SIZE])
{
	struct pins_host old;
	int result = pins_read(dir, license, &old);
	secret_wipe(&old, sizeof(old));
	return result == -REASON_NOT_FOUND ? 0 : result;
}

static int store(const char *dir, const char *path, const struct pins_host *host)
{
	int result = may_replace(dir, host->license);
	if (result < 0)
		return result;
	json_t *object = host_object(host);
	if (!object)
		return -REASON_NO_MEMORY;
	result = private_file_write(path, object);
	json_decref(object);
	return result;
}

int pins_write(const char *dir, const struct pins_host *host)
{
	char folder[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	int lock = -1;
	if (!inner_name_valid(host->host_name, strlen(host->host_name)) ||
		!inner_name_valid(host->name, strlen(host->name)))
		return -REASON_BAD_VALUE;
	int result = pin_path(dir, host->license, folder, path);
	if (result == 0)
		result = private_file_directory(dir);
	if (result == 0)
		result = private_file_directory(folder);
	if (result == 0)
		result = private_file_lock(folder, &lock);
	if (result < 0)
		return result;
	private_file_tidy(folder);
	result = store(dir, path, host);
	private_file_unlock(lock);
	return result;
}

void pins_rotate(struct pins_host *host, const uint8_t key[static PRIMITIVES_KEY],
	int64_t now_ms)
{
	if (secret_equal(host->key, key, PRIMITIVES_KEY))
		return;
	memcpy(host->old_key, host->key, PRIMITIVES_KEY);
	memcpy(host->key, key, PRIMITIVES_KEY);
	host->old_until_ms = now_ms + PINS_ROTATION_MS;
}
