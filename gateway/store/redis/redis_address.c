#include "store/redis/redis_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"

#define PORT 6379

static int refuse(char error[static STORE_ERROR], const char *what)
{
	snprintf(error, STORE_ERROR,
		"the store's address: %s; expected "
		"redis://[user:password@]host:port[/db]?spool=DIR or "
		"redis+unix:///path?spool=DIR",
		what);
	return -REASON_CONFIG;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes `len` bytes. -REASON_BAD_VALUE, -REASON_LIMIT. */
static int decode(char *ret, size_t size, const char *text, size_t len)
{
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int whole = len - i > 2;
			int high = whole ? hex_value(text[i + 1]) : -1;
			int low = whole ? hex_value(text[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0)
				return -REASON_BAD_VALUE;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (out + 1 >= size)
			return -REASON_LIMIT;
		ret[out++] = c;
	}
	ret[out] = 0;
	return 0;
}

static int number(const char *text, int64_t least, int64_t most, int64_t *ret)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < least || value > most)
		return -REASON_BAD_VALUE;
	*ret = value;
	return 0;
}

static int read_password(const char *path, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		snprintf(error, STORE_ERROR, "%.150s: %.90s", path,
			strerrordesc_np(errno));
		if (fd >= 0)
			close(fd);
		return -REASON_FILE_UNREADABLE;
	}
	if (st.st_mode & 077) {
		snprintf(error, STORE_ERROR, "%.150s: others may read it; chmod 600 it",
			path);
		close(fd);
		return -REASON_FILE_EXPOSED;
	}
	ssize_t got = read(fd, ret->password, sizeof(ret->password) - 1);
	close(fd);
	if (got < 0)
		got = 0;
	ret->password[got] = 0;
	ret->password[strcspn(ret->password, "\r\n")] = 0;
	return *ret->password ? 0 : refuse(error, "the password file is empty");
}

static int prefix_good(const char *prefix)
{
	return *prefix && prefix[strspn(prefix,
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-.")] == 0;
}

static int set_option(const char *name, const char *value, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	int64_t n = 0;
	if (strcmp(name, "password_file") == 0)
		return read_password(value, ret, error);
	if (strcmp(name, "user") == 0)
		return text_copy(ret->user, sizeof(ret->user), value)
			       ? refuse(error, "the user's name is too long")
			       : 0;
	if (strcmp(name, "spool") == 0)
		return *value && text_copy(ret->spool, sizeof(ret->spool), value) == 0
			       ? 0
			       : refuse(error, "spool needs a directory");
	if (strcmp(name, "prefix") == 0)
		return prefix_good(value) && text_copy(ret->prefix, sizeof(ret->prefix),
						     value) == 0
			       ? 0
			       : refuse(error, "prefix takes letters, digits, _ - .");
	if (strcmp(name, "db") == 0) {
		if (number(value, 0, 65535, &n))
			return refuse(error, "db takes a number");
		ret->db = (int)n;
		return 0;
	}
	if (strcmp(name, "deadline_ms") == 0)
		return number(value, 10, 60000, &ret->deadline_ms)
			       ? refuse(error, "deadline_ms takes 10 to 60000")
			       : 0;
	if (strcmp(name, "spool_mib") == 0) {
		if (number(value, 1, 65536, &n))
			return refuse(error, "spool_mib takes 1 to 65536");
		ret->spool_bytes = (uint64_t)n << 20;
		return 0;
	}
	return refuse(error, "unknown option after \"?\"");
}

static int parse_options(const char *text, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	char name[32], value[REDIS_PATH];
	while (*text) {
		size_t len = strcspn(text, "&"), name_len = strcspn(text, "=&");
		const char *from = text + name_len + (text[name_len] == '=');
		if (decode(name, sizeof(name), text, name_len) ||
			decode(value, sizeof(value), from, (size_t)(text + len - from)))
			return refuse(error, "an option is malformed");
		int r = set_option(name, value, ret, error);
		if (r)
			return r;
		text += len + (text[len] == '&');
	}
	return 0;
}

/* "user:password", ":password", "password" (as redis-cli takes it: a user needs a password). */
static int parse_user(const char *text, size_t len, struct redis_address *ret)
{
	const char *colon = memchr(text, ':', len);
	size_t user = colon ? (size_t)(colon - text) : 0;
	const char *password = colon ? colon + 1 : text;
	int r = decode(ret->user, sizeof(ret->user), text, user);
	if (r == 0)
		r = decode(ret->password, sizeof(ret->password), password,
			(size_t)(text + len - password));
	return r;
}

static int parse_host(const char *text, size_t len, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	char place[TEXT_HOST_SIZE + 16], db[16] = "";
	const char *slash = memchr(text, '/', len);
	size_t host = slash ? (size_t)(slash - text) : len;
	int64_t n = 0;
	if (decode(place, sizeof(place), text, host) || !host ||
		text_endpoint(&ret->host, place, PORT))
		return refuse(error, "host and port are malformed");
	if (slash && decode(db, sizeof(db), slash + 1, len - host - 1))
		return refuse(error, "the database is malformed");
	if (*db && number(db, 0, 65535, &n))
		return refuse(error, "the database takes a number");
	ret->db = (int)n;
	return 0;
}

int redis_address_parse(enum redis_scheme scheme, const char *rest, const char *dir,
	struct redis_address *ret, char error[static STORE_ERROR])
{
	*ret = (struct redis_address){.prefix = "engawa",
		.deadline_ms = 250,
		.spool_bytes = UINT64_C(64) << 20};
	if (strncmp(rest, "//", 2))
		return refuse(error, "\"//\" is missing");
	const char *text = rest + 2;
	size_t len = strcspn(text, "?");
	const char *options = text + len + (text[len] == '?');
	const char *at = memrchr(text, '@', len);
	if (at && parse_user(text, (size_t)(at - text), ret))
		return refuse(error, "user and password are malformed");
	if (at) {
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	int r = 0;
	if (scheme == REDIS_TCP)
		r = parse_host(text, len, ret, error);
	else if (*text != '/' || decode(ret->socket, sizeof(ret->socket), text, len))
		r = refuse(error, "the socket's path is malformed");
	if (r == 0)
		r = parse_options(options, ret, error);
	if (r == 0 && dir && !*ret->spool &&
		snprintf(ret->spool, sizeof(ret->spool), "%s/spool", dir) >=
			(int)sizeof(ret->spool))
		r = refuse(error, "the spool's path is too long");
	if (r == 0 && !*ret->spool)
		r = refuse(error, "spool=DIR is missing (where journal rows wait)");
	if (r == 0 && *ret->user && !*ret->password)
		r = refuse(error, "a user without a password");
	return r;
}
