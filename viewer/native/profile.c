#include "profile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "e2e/private_file.h"

static void lower(const char *public_id, char ret[static LICENSE_KEY_PUBLIC_SIZE])
{
	size_t i = 0;
	for (; public_id[i] && i < LICENSE_KEY_PUBLIC; i++)
		ret[i] = (char)tolower((unsigned char)public_id[i]);
	ret[i] = 0;
}

static int folder(const char *dir, char ret[static PRIVATE_FILE_PATH])
{
	return private_file_path(ret, dir, "profiles", NULL);
}

static int path_of(const char *dir, const char *public_id, const char *suffix,
	char ret[static PRIVATE_FILE_PATH])
{
	char where[PRIVATE_FILE_PATH], name[LICENSE_KEY_PUBLIC_SIZE];
	int status = folder(dir, where);
	if (status < 0)
		return status;
	lower(public_id, name);
	return private_file_path(ret, where, name, suffix);
}

int profile_ca_path(const char *dir, const char *public_id, char *ret, size_t size)
{
	char path[PRIVATE_FILE_PATH];
	int status = path_of(dir, public_id, "ca.pem", path);
	return status < 0 ? status : text_copy(ret, size, path);
}

int profile_write(const char *dir, const struct profile *profile)
{
	char where[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	int status = folder(dir, where);
	if (!status)
		status = private_file_directory(where);
	if (!status)
		status = path_of(dir, profile->access.key.public_id, "json", path);
	if (status < 0)
		return status;
	json_t *object = json_pack("{s:o, s:s, s:s, s:I}", "access",
		access_pack(&profile->access), "name", profile->name, "host_name",
		profile->host_name, "paired_ms", (json_int_t)profile->paired_ms);
	if (!object)
		return -REASON_NO_MEMORY;
	status = private_file_write(path, object);
	json_decref(object);
	return status;
}

static int read_one(const char *path, struct profile *ret)
{
	json_t *object = NULL;
	struct profile profile = {0};
	int status = private_file_read(path, &object);
	if (status < 0)
		return status;
	status = access_parse(json_object_get(object, "access"), &profile.access);
	if (!status)
		status = private_file_get_text(object, "name", profile.name,
			sizeof(profile.name));
	if (!status)
		status = private_file_get_text(object, "host_name", profile.host_name,
			sizeof(profile.host_name));
	if (!status)
		status = private_file_get_number(object, "paired_ms", 0, INT64_MAX,
			&profile.paired_ms);
	json_decref(object);
	if (!status)
		*ret = profile;
	access_wipe(&profile.access);
	return status;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct profile *)a)->name,
		((const struct profile *)b)->name);
}

int profile_list(const char *dir, struct profile *ret, size_t *ret_count)
{
	char where[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	size_t count = 0;
	int status = folder(dir, where);
	if (status < 0)
		return status;
	DIR *list = opendir(where);
	if (!list) {
		*ret_count = 0;
		return errno == ENOENT ? 0 : -REASON_FILE_UNREADABLE;
	}
	const struct dirent *entry;
	while (!status && (entry = readdir(list))) {
		size_t len = strlen(entry->d_name);
		if (len != LICENSE_KEY_PUBLIC + 5 ||
			strcmp(entry->d_name + LICENSE_KEY_PUBLIC, ".json"))
			continue;
		if (count == PROFILE_MAX) {
			status = -REASON_LIMIT;
			break;
		}
		status = private_file_path(path, where, entry->d_name, NULL);
		if (!status)
			status = read_one(path, &ret[count]);
		count += !status;
	}
	closedir(list);
	if (status < 0)
		return status;
	qsort(ret, count, sizeof(*ret), by_name);
	*ret_count = count;
	return 0;
}

static int is_called(const struct profile *profile, const char *name)
{
	char public_id[LICENSE_KEY_PUBLIC_SIZE];
	if (!strcmp(profile->name, name))
		return 1;
	return license_key_id_parse(name, public_id) == 0 &&
	       !strcmp(profile->access.key.public_id, public_id);
}

int profile_find(const char *dir, const char *name, struct profile *ret)
{
	struct profile *all = calloc(PROFILE_MAX, sizeof(*all));
	size_t count = 0, found = 0, hits = 0;
	if (!all)
		return -REASON_NO_MEMORY;
	int status = profile_list(dir, all, &count);
	for (size_t i = 0; !status && i < count; i++) {
		if (name && !is_called(&all[i], name))
			continue;
		found = i;
		hits++;
	}
	if (!status && !hits)
		status = -REASON_NOT_PAIRED;
	if (!status && hits > 1)
		status = -REASON_CONFLICT;
	if (!status)
		*ret = all[found];
	for (size_t i = 0; i < PROFILE_MAX; i++)
		access_wipe(&all[i].access);
	free(all);
	return status;
}

int profile_ca_check(const char *dir, const struct profile *profile)
{
	char path[PRIVATE_FILE_PATH];
	if (!profile->access.own_ca)
		return 0;
	int status =
		profile_ca_path(dir, profile->access.key.public_id, path, sizeof(path));
	if (!status)
		status = access_ca_readable(path);
	return status == -REASON_BAD_VALUE ? -REASON_STATE_DAMAGED : status;
}

int profile_news_write(const char *dir, const struct profile *profile, const char *json)
{
	char path[PRIVATE_FILE_PATH];
	int status = path_of(dir, profile->access.key.public_id, "news", path);
	if (status < 0)
		return status;
	json_t *object = json_loads(*json ? json : "{}", 0, NULL);
	status = object ? private_file_write(path, object) : -REASON_BAD_MESSAGE;
	json_decref(object);
	return status;
}

json_t *profile_news_read(const char *dir, const struct profile *profile)
{
	char path[PRIVATE_FILE_PATH];
	json_t *object = NULL;
	int status = path_of(dir, profile->access.key.public_id, "news", path);
	if (!status)
		status = private_file_read(path, &object);
	return status < 0 ? NULL : object;
}
