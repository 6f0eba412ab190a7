#include "gateway_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

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

int gateway_plan_split(const char *text, struct gateway_plan_list *ret, char *error)
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

void gateway_plan_relay(const struct gateway_config *config, struct relay_settings *ret)
{
#define TAKE(name, fallback, least, most, help) ret->name = config->name;
	RELAY_SETTINGS(TAKE)
#undef TAKE
}

struct admission_settings gateway_plan_admission(const struct gateway_config *config)
{
	return (struct admission_settings){.lockout_failures = config->lockout_failures,
		.lockout_ms = config->lockout_ms,
		.address_failures = config->address_failures};
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
