#include "gateway_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/text.h"
#include "setup/data_dir.h"

#define DAY_MS INT64_C(86400000)

static int set_entry(struct gateway_config *config, const char *name, const char *value,
	char *error)
{
	struct conf_error conf = {0};

	if (!value)
		return 0;
	int status = conf_set(gateway_config_table(), config, name, value, &conf);
	if (status)
		text_clip(error, GATEWAY_ERROR, conf.message);
	return status;
}

/* Entries of the file, then what the command line says. */
int gateway_plan_load(const struct gateway_plan *plan, struct gateway_config *ret,
	char *error)
{
	struct conf_error conf = {0};
	struct gateway_config config;
	int status = gateway_config_load(&config, plan->config_file, &conf);

	if (status) {
		char text[CONF_ERROR_TEXT];
		conf_error_text(&conf, text);
		text_clip(error, GATEWAY_ERROR, text);
		return status;
	}
	status = set_entry(&config, "listen.public", plan->listen, error);
	if (!status)
		status = set_entry(&config, "listen.admin", plan->admin_listen, error);
	if (!status)
		status = set_entry(&config, "store.address", plan->store, error);
	if (!status)
		status = set_entry(&config, "log.format", plan->log_format, error);
	if (!status && (status = gateway_config_check(&config, &conf)))
		text_clip(error, GATEWAY_ERROR, conf.message);
	if (status)
		gateway_config_done(&config);
	else
		*ret = config;
	return status;
}

static int split(const char *text, struct gateway_plan_list *ret, char *error)
{
	char *save = NULL;

	ret->text = strdup(text);
	if (!ret->text)
		return -REASON_NO_MEMORY;
	for (char *part = strtok_r(ret->text, ", ", &save); part;
		part = strtok_r(NULL, ", ", &save)) {
		if (ret->count == GATEWAY_PLAN_LIST) {
			snprintf(error, GATEWAY_ERROR, "at most %d addresses",
				GATEWAY_PLAN_LIST);
			return -REASON_CONFIG;
		}
		ret->items[ret->count++] = part;
	}
	return 0;
}

static int has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int gateway_plan_addresses(const struct gateway_config *config,
	struct gateway_plan_addresses *ret, char *error)
{
	struct gateway_plan_list *listen = &ret->listen;
	int status = split(config->listen, listen, error);

	if (!status)
		status = split(config->proxies, &ret->proxies, error);
	if (!status)
		status = split(config->web_origins, &ret->origins, error);
	if (!status && config->web_offline) {
		ret->origins.items[ret->origins.count++] = "null";
		ret->origins.items[ret->origins.count++] = "file://";
	}
	if (!status)
		status = split(config->web_nodes, &ret->nodes, error);
	for (size_t i = 0; i < listen->count; i++)
		if (!strcmp(listen->items[i], "[::]:7443") && !has_ipv6())
			listen->items[i] = "0.0.0.0:7443";
	return status;
}

void gateway_plan_addresses_done(struct gateway_plan_addresses *addresses)
{
	free(addresses->listen.text);
	free(addresses->proxies.text);
	free(addresses->origins.text);
	free(addresses->nodes.text);
}

void gateway_plan_relay(const struct gateway_config *config, struct relay_settings *ret)
{
#define TAKE(name, fallback, least, most, help) ret->name = config->name;
	RELAY_SETTINGS(TAKE)
#undef TAKE
}

int64_t gateway_plan_cache_ms(const struct gateway_config *config)
{
	return strcmp(config->degraded_mode, "cache") ? 0 : config->degraded_ms;
}

struct admission_settings gateway_plan_admission(const struct gateway_config *config)
{
	return (struct admission_settings){.lockout_failures = config->lockout_failures,
		.lockout_ms = config->lockout_ms,
		.address_failures = config->address_failures,
		.cache_ms = gateway_plan_cache_ms(config)};
}

struct directories_settings gateway_plan_directories(const struct gateway_config *config)
{
	return (struct directories_settings){
		.limits = {config->directory_connect_ms, config->directory_answer_ms},
		.breaker = {config->directory_failures, config->directory_pause_ms}};
}

struct http_server_settings gateway_plan_http(const struct gateway_config *config)
{
	return (struct http_server_settings){.header_ms = config->admin_header_ms,
		.body_ms = config->admin_body_ms,
		.idle_ms = config->admin_idle_ms,
		.stalled_ms = config->admin_stalled_ms,
		.connections = config->admin_connections};
}

struct alerts_settings gateway_plan_alerts(const struct gateway_config *config)
{
	return (struct alerts_settings){.targets = config->alert_targets,
		.ca_file = config->alert_ca,
		.retry_ms = config->alert_retry_ms,
		.scan_ms = config->alert_scan_ms,
		.probe_ms = config->alert_probe_ms};
}

void gateway_plan_keeper(const struct gateway_config *config,
	struct journal_keeper_settings *ret)
{
	*ret = (struct journal_keeper_settings){
		.records_days = config->retention_ms / DAY_MS,
		.counts_days = config->retention_counts_ms / DAY_MS};
	text_clip(ret->checkpoint_copy, sizeof(ret->checkpoint_copy),
		config->checkpoint_copy);
}

void gateway_plan_vault(const struct gateway_config *config, const char *data,
	struct vault_settings *ret)
{
	*ret = (struct vault_settings){.every_ms = config->backup_every_ms,
		.generations = config->backup_generations,
		.purge_after_ms = config->tenant_purge_after_ms,
		.records_days = config->retention_ms / DAY_MS};
	if (*config->backup_dir)
		text_clip(ret->dir, sizeof(ret->dir), config->backup_dir);
	else
		data_dir_file(data, "backups", ret->dir);
	if (*config->backup_key)
		text_clip(ret->key, sizeof(ret->key), config->backup_key);
	else
		data_dir_file(data, "backup.key", ret->key);
}

void gateway_plan_limits(const struct gateway_config *config, json_t *array)
{
	const struct conf_table *table = gateway_config_table();
	char name[128], value[GATEWAY_CONFIG_TEXT];

	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		gateway_config_text(config, entry, value);
		snprintf(name, sizeof(name), "%s.%s", entry->section, entry->name);
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "value",
				value, "default", entry->fallback, "change",
				entry->live ? "reload" : "restart", "help", entry->help));
	}
}
