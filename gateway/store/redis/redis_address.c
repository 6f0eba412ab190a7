#include "store/redis/redis_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"

#define PORT 6379
#define SENTINEL_PORT 26379

static int refuse(char error[static STORE_ERROR], const char *what)
{
	snprintf(error, STORE_ERROR,
		"the store's address: %s; expected "
		"redis://[user:password@]host:port[/db], redis+unix:///path or "
		"redis-sentinel://host,host/NAME",
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

static int read_password(const char *path, char ret[static REDIS_WORD],
	char error[static STORE_ERROR])
{
	struct stat st;
	char text[REDIS_WORD];
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
	ssize_t got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got < 0 ? 0 : got] = 0;
	text[strcspn(text, "\r\n")] = 0;
	int r = *text ? 0 : refuse(error, "the password file is empty");
	if (r == 0)
		memcpy(ret, text, sizeof(text));
	secret_wipe(text, sizeof(text));
	return r;
}

static int set_password_file(const char *path, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	if (text_copy(ret->password_file, sizeof(ret->password_file), path))
		return refuse(error, "the password file's name is too long");
	return read_password(path, ret->password, error);
}

void redis_address_reread(struct redis_address *address)
{
	char error[STORE_ERROR];
	if (*address->password_file &&
		read_password(address->password_file, address->password, error))
		log_line(LOG_WARN, "password file not read again",
			LOG_S("detail", error));
}

static int set_accept(const char *text, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"no-appendonly", REDIS_ACCEPT_NO_APPENDONLY},
		{"eviction", REDIS_ACCEPT_EVICTION}, {"unseen", REDIS_ACCEPT_UNSEEN}};
	while (*text) {
		size_t len = strcspn(text, ","), i = 0;
		while (i < ARRAY_LEN(words) && (strlen(words[i].word) != len ||
						       strncmp(words[i].word, text, len)))
			i++;
		if (i == ARRAY_LEN(words))
			return refuse(error,
				"accept takes no-appendonly, eviction, unseen");
		ret->accept |= words[i].bit;
		text += len + (text[len] == ',');
	}
	return 0;
}

static int set_name(const char *value, char ret[static REDIS_WORD],
	char error[static STORE_ERROR])
{
	return text_copy(ret, REDIS_WORD, value)
		       ? refuse(error, "the user's name is too long")
		       : 0;
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
		return set_password_file(value, ret, error);
	if (strcmp(name, "user") == 0)
		return set_name(value, ret->user, error);
	if (strcmp(name, "sentinel_password_file") == 0)
		return read_password(value, ret->sentinel_password, error);
	if (strcmp(name, "sentinel_user") == 0)
		return set_name(value, ret->sentinel_user, error);
	if (strcmp(name, "accept") == 0)
		return set_accept(value, ret, error);
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

static int parse_db(const char *text, size_t len, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	char db[16] = "";
	int64_t n = 0;
	if (decode(db, sizeof(db), text, len))
		return refuse(error, "the database is malformed");
	if (*db && number(db, 0, 65535, &n))
		return refuse(error, "the database takes a number");
	ret->db = (int)n;
	return 0;
}

static int parse_place(const char *text, size_t len, uint16_t port,
	struct text_endpoint *ret, char error[static STORE_ERROR])
{
	char place[TEXT_HOST_SIZE + 16];
	if (!len || decode(place, sizeof(place), text, len) ||
		text_endpoint(ret, place, port) || !*ret->host)
		return refuse(error, "host and port are malformed");
	return 0;
}

static int parse_host(const char *text, size_t len, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	const char *slash = memchr(text, '/', len);
	size_t host = slash ? (size_t)(slash - text) : len;
	int r = parse_place(text, host, PORT, &ret->host, error);
	return r || !slash ? r : parse_db(slash + 1, len - host - 1, ret, error);
}

static int parse_sentinels(const char *text, size_t len, struct redis_address *ret,
	char error[static STORE_ERROR])
{
	const char *slash = memchr(text, '/', len), *end = text + len;
	const char *name = slash ? slash + 1 : end, *last = end;
	for (const char *at = text; slash && at <= slash;) {
		size_t one = strcspn(at, ",/");
		if (ret->sentinel_count == REDIS_SENTINELS)
			return refuse(error, "more than 8 sentinels");
		int r = parse_place(at, one, SENTINEL_PORT,
			&ret->sentinels[ret->sentinel_count++], error);
		if (r)
			return r;
		at += one + 1;
	}
	if (memchr(name, '/', (size_t)(end - name)))
		last = memchr(name, '/', (size_t)(end - name));
	if (last == name ||
		decode(ret->master, sizeof(ret->master), name, (size_t)(last - name)))
		return refuse(error, "after the sentinels \"/NAME\" of the primary");
	return last == end ? 0 : parse_db(last + 1, (size_t)(end - last - 1), ret, error);
}

static int parse_target(enum redis_scheme scheme, const char *text, size_t len,
	struct redis_address *ret, char error[static STORE_ERROR])
{
	if (scheme == REDIS_TCP)
		return parse_host(text, len, ret, error);
	if (scheme == REDIS_SENTINEL)
		return parse_sentinels(text, len, ret, error);
	if (*text != '/' || decode(ret->socket, sizeof(ret->socket), text, len))
		return refuse(error, "the socket's path is malformed");
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
	int r = parse_target(scheme, text, len, ret, error);
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
