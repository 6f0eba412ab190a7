#include "config/gateway_config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

#define LIVE true
#define START false

static const struct conf_entry entries[] = {
#define C(section, name, type, field, fallback, min, max, when, help)                    \
	{#section, #name, CONF_##type, offsetof(struct gateway_config, field), fallback, \
		min, max, when, help},
#include "config/gateway_config.def"
#undef C
};

static const char *const levels[] = {"debug", "info", "warn", "error"};
static const char *expected(const struct conf_entry *entry, const char *value);
static const struct conf_table table = {entries, ARRAY_LEN(entries), expected};

const struct conf_table *gateway_config_table(void)
{
	return &table;
}

static int wrong(struct conf_error *error, const char *what)
{
	text_clip(error->message, sizeof(error->message), what);
	return -REASON_CONFIG;
}

static int level_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (!strcmp(levels[i], name))
			return (int)i;
	return -1;
}

enum log_level gateway_config_log_level(const struct gateway_config *config)
{
	int level = level_of(config->log_level);
	return level < 0 ? LOG_INFO : (enum log_level)level;
}

/* HOST or HOST:PORT, which may become part of a header. */
static int is_site(const char *text)
{
	struct text_endpoint endpoint;

	return !text_endpoint(&endpoint, text, 443) &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789.-:[]")];
}

static int is_origin(const char *text)
{
	return !strncmp(text, "https://", 8) && is_site(text + 8);
}

static int is_node(const char *text)
{
	return is_site(strncmp(text, "*.", 2) ? text : text + 2);
}

static int is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1;
}

/* An address alone, or with the length of its network's prefix. */
static int is_network(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	const char *prefix = text[len] ? text + len + 1 : "0";

	if (len >= sizeof(address) || !*prefix || strlen(prefix) > 3 ||
		prefix[strspn(prefix, "0123456789")])
		return 0;
	memcpy(address, text, len);
	address[len] = '\0';
	return is_address(address) && atoi(prefix) <= (strchr(address, ':') ? 128 : 32);
}

static int all_are(const char *list, int (*good)(const char *))
{
	char item[300];

	while (*(list += strspn(list, ", "))) {
		size_t len = strcspn(list, ", ");
		if (len >= sizeof(item))
			return 0;
		memcpy(item, list, len);
		item[len] = '\0';
		if (!good(item))
			return 0;
		list += len;
	}
	return 1;
}

/* Of entries that are text, while their line in the file is known. */
static const char *expected(const struct conf_entry *entry, const char *value)
{
	enum log_format format;
	struct text_endpoint endpoint;

	if (!strcmp(entry->section, "listen") && !strcmp(entry->name, "proxies"))
		return all_are(value, is_address) ? NULL : "IP addresses";
	if (!strcmp(entry->section, "alerts") && !strcmp(entry->name, "targets"))
		return all_are(value, is_network) ? NULL : "networks like 10.0.0.0/8";
	if (!strcmp(entry->section, "listen"))
		return text_endpoint(&endpoint, value, 7443) ? "HOST:PORT" : NULL;
	if (!strcmp(entry->section, "store") && !strcmp(entry->name, "degraded_mode"))
		return strcmp(value, "strict") && strcmp(value, "cache")
			       ? "strict or cache"
			       : NULL;
	if (!strcmp(entry->section, "log") && !strcmp(entry->name, "format"))
		return log_format_parse(value, &format) ? "text or json" : NULL;
	if (!strcmp(entry->section, "log") && !strcmp(entry->name, "level"))
		return level_of(value) < 0 ? "debug, info, warn or error" : NULL;
	if (!strcmp(entry->section, "node") && *value)
		return text_endpoint(&endpoint, value, 0) || strchr(value, ' ')
			       ? "HOST:PORT"
			       : NULL;
	if (!strcmp(entry->section, "web") && !strcmp(entry->name, "origins"))
		return all_are(value, is_origin) ? NULL
						 : "https://HOST or https://HOST:PORT";
	if (!strcmp(entry->section, "web") && !strcmp(entry->name, "nodes"))
		return all_are(value, is_node) ? NULL : "HOST:PORT or *.HOST:PORT";
	return NULL;
}

/* What several entries have to be together. */
int gateway_config_check(const struct gateway_config *config, struct conf_error *error)
{
	memset(error, 0, sizeof(*error));
	if (config->claim_renew_ms * 2 > config->claim_ttl_ms)
		return wrong(error, "relay.claim_renew: at most half of relay.claim_ttl");
	if (config->presence_renew_ms * 2 > config->presence_ttl_ms)
		return wrong(error,
			"relay.presence_renew: at most half of relay.presence_ttl");
	return 0;
}

int gateway_config_load(struct gateway_config *ret, const char *path,
	struct conf_error *error)
{
	struct gateway_config config = {0};
	int status;

	memset(error, 0, sizeof(*error));
	status = conf_defaults(&table, &config);
	if (!status && path)
		status = conf_read(&table, &config, path, error);
	if (!status) {
		status = gateway_config_check(&config, error);
		if (status && path)
			text_clip(error->file, sizeof(error->file), path);
	}
	if (status) {
		conf_done(&table, &config);
		return status;
	}
	*ret = config;
	return 0;
}

static void number_text(enum conf_type type, int64_t number, char *ret)
{
	static const struct {
		enum conf_type type;
		const char *unit;
		int64_t factor;
	} units[] = {{CONF_MS, "d", 86400000}, {CONF_MS, "h", 3600000},
		{CONF_MS, "m", 60000}, {CONF_MS, "s", 1000}, {CONF_MS, "ms", 1},
		{CONF_SIZE, "G", 1 << 30}, {CONF_SIZE, "M", 1 << 20},
		{CONF_SIZE, "K", 1 << 10}};
	size_t i = 0;

	while (i < ARRAY_LEN(units) &&
		(units[i].type != type || !number || number % units[i].factor))
		i++;
	const char *unit = i < ARRAY_LEN(units) ? units[i].unit
			   : type == CONF_MS    ? "s"
						: "";
	int64_t factor = i < ARRAY_LEN(units) ? units[i].factor : 1;
	snprintf(ret, GATEWAY_CONFIG_TEXT, "%" PRId64 "%s", number / factor, unit);
}

void gateway_config_text(const struct gateway_config *config,
	const struct conf_entry *entry, char ret[static GATEWAY_CONFIG_TEXT])
{
	const char *field = (const char *)config + entry->offset;

	if (entry->type == CONF_STRING)
		text_clip(ret, GATEWAY_CONFIG_TEXT, *(char *const *)field);
	else if (entry->type == CONF_BOOL)
		text_clip(ret, GATEWAY_CONFIG_TEXT, *(const int *)field ? "yes" : "no");
	else
		number_text(entry->type, *(const int64_t *)field, ret);
}

static bool same(const struct conf_entry *entry, const void *a, const void *b)
{
	if (entry->type == CONF_BOOL)
		return *(const int *)a == *(const int *)b;
	if (entry->type == CONF_STRING)
		return !strcmp(*(char *const *)a, *(char *const *)b);
	return *(const int64_t *)a == *(const int64_t *)b;
}

static void take(const struct conf_entry *entry, void *to, const void *from)
{
	if (entry->type == CONF_BOOL) {
		*(int *)to = *(const int *)from;
	} else if (entry->type == CONF_STRING) {
		char *copy = strdup(*(char *const *)from);
		if (!copy)
			return; /* the old value stays: still a valid one */
		free(*(char **)to);
		*(char **)to = copy;
	} else {
		*(int64_t *)to = *(const int64_t *)from;
	}
}

int gateway_config_adopt(struct gateway_config *config,
	const struct gateway_config *fresh)
{
	int waiting = 0;

	for (size_t i = 0; i < table.count; i++) {
		const struct conf_entry *entry = &entries[i];
		char *to = (char *)config + entry->offset;
		const char *from = (const char *)fresh + entry->offset;
		if (same(entry, to, from))
			continue;
		if (entry->live)
			take(entry, to, from);
		else
			waiting++;
	}
	return waiting;
}

void gateway_config_done(struct gateway_config *config)
{
	conf_done(&table, config);
}
