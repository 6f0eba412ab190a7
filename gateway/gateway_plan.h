/* gateway_plan: what the gateway is told to do: the command line over the configuration file over the
 * fallbacks, and what each part of it needs to know of that.
 *
 * Thread: main. Owner: the caller of what is returned. Errors: -REASON_CONFIG with one line.
 */
#ifndef GATEWAY_PLAN_H
#define GATEWAY_PLAN_H

#include <stddef.h>

#include "admission/admission.h"
#include "alert/alerts.h"
#include "config/gateway_config.h"
#include "directory/directories.h"
#include "gateway.h"
#include "http/http_server.h"
#include "relay/relay.h"

MUST_CHECK int gateway_plan_load(const struct gateway_plan *plan,
	struct gateway_config *ret, char *error);

#define GATEWAY_PLAN_LIST 16
/* "a, b" of an entry as its parts; the caller frees `text`. */
struct gateway_plan_list {
	char *text;
	const char *items[GATEWAY_PLAN_LIST];
	size_t count;
};
MUST_CHECK int gateway_plan_split(const char *text, struct gateway_plan_list *ret,
	char *error);

void gateway_plan_relay(const struct gateway_config *config, struct relay_settings *ret);
struct directories_settings gateway_plan_directories(const struct gateway_config *config);
struct admission_settings gateway_plan_admission(const struct gateway_config *config);
/* Borrows the configuration's texts. */
struct alerts_settings gateway_plan_alerts(const struct gateway_config *config);
struct http_server_settings gateway_plan_http(const struct gateway_config *config);

#endif
