#include "link/access.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/private_file.h"

#define CA_MAX (256 * 1024)

int access_gateways(struct access *access, const char *list)
{
	struct text_endpoint found[ACCESS_GATEWAYS];
	size_t count = 0;
	while (*list) {
		char one[TEXT_HOST_SIZE + 16];
		size_t len = strcspn(list, ",");
		if (len == 0 || len >= sizeof(one))
			return -REASON_BAD_VALUE;
		if (count == ACCESS_GATEWAYS)
			return -REASON_LIMIT;
		memcpy(one, list, len);
		one[len] = 0;
		int status = text_endpoint(&found[count], one, ACCESS_PORT);
		if (status < 0)
			return status;
		if (!*found[count].host || !found[count].port)
			return -REASON_BAD_VALUE;
		count++;
		list += len;
		if (*list == ',' && !*++list)
			return -REASON_BAD_VALUE;
	}
	if (!count)
		return -REASON_BAD_VALUE;
	memcpy(access->gateways, found, sizeof(found));
	access->gateway_count = count;
	return 0;
}

json_t *access_pack(const struct access *access)
{
	char key[LICENSE_KEY_TEXT_SIZE];
	license_key_print(&access->key, key);
	json_t *gateways = json_array();
	for (size_t i = 0; i < access->gateway_count; i++) {
		char text[TEXT_HOST_SIZE + 16];
		text_endpoint_text(text, sizeof(text), &access->gateways[i]);
		json_array_append_new(gateways, json_string(text));
	}
	json_t *object = json_pack("{s:o, s:s, s:b}", "gateways", gateways, "license_key",
		key, "own_ca", access->own_ca);
	secret_wipe(key, sizeof(key));
	return object;
}

int access_parse(const json_t *object, struct access *ret)
{
	struct access access = {0};
	const json_t *gateways = json_object_get(object, "gateways");
	const char *key = json_string_value(json_object_get(object, "license_key"));
	const json_t *own_ca = json_object_get(object, "own_ca");
	size_t count = json_array_size(gateways);
	if (!key || !count || count > ACCESS_GATEWAYS || !json_is_boolean(own_ca))
		return -REASON_STATE_DAMAGED;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(gateways, i));
		if (!text || text_endpoint(&access.gateways[i], text, ACCESS_PORT) < 0)
			return -REASON_STATE_DAMAGED;
	}
	if (license_key_parse(key, &access.key) < 0)
		return -REASON_STATE_DAMAGED;
	access.gateway_count = count;
	access.own_ca = json_is_true(own_ca);
	*ret = access;
	access_wipe(&access);
	return 0;
}

void access_wipe(struct access *access)
{
	secret_wipe(access, sizeof(*access));
}

static int read_whole(const char *path, char *bytes, size_t size, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -REASON_FILE_UNREADABLE;
	size_t len = 0;
	ssize_t got;
	while (len < size && (got = read(fd, bytes + len, size - len)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			close(fd);
			return -REASON_FILE_UNREADABLE;
		}
		len += (size_t)got;
	}
	close(fd);
	if (len == size)
		return -REASON_BAD_VALUE;
	bytes[len] = 0;
	*ret_len = len;
	return 0;
}

static int write_whole(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOSPC ? -REASON_DISK_FULL : -REASON_FILE_UNWRITABLE;
	int status = 0;
	while (len && !status) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno != EINTR)
			status = errno == ENOSPC ? -REASON_DISK_FULL
						 : -REASON_FILE_UNWRITABLE;
		else if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
	if (!status && fsync(fd) < 0)
		status = errno == ENOSPC ? -REASON_DISK_FULL : -REASON_FILE_UNWRITABLE;
	close(fd);
	return status;
}

int access_ca_readable(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return -REASON_FILE_UNREADABLE;
	X509 *one = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ERR_clear_error();
	X509_free(one);
	return one ? 0 : -REASON_BAD_VALUE;
}

int access_keep_ca(const char *from, const char *to)
{
	static char bytes[CA_MAX];
	size_t len;
	int status = read_whole(from, bytes, sizeof(bytes), &len);
	if (status < 0)
		return status;
	if (!strstr(bytes, "-----BEGIN CERTIFICATE-----"))
		return -REASON_BAD_VALUE;
	char part[PRIVATE_FILE_PATH];
	if (snprintf(part, sizeof(part), "%s.new", to) >= (int)sizeof(part))
		return -REASON_LIMIT;
	status = write_whole(part, bytes, len);
	if (!status && rename(part, to) < 0)
		status = -REASON_FILE_UNWRITABLE;
	if (status)
		unlink(part);
	return status;
}
