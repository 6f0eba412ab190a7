/* gateway_plan: what the gateway is told to do: the command line over the configuration file over the
 * fallbacks, and what each part of it needs to know of that.
 *
 * Thread: main. Owner: the caller of what is returned. Errors: -REASON_CONFIG with one line.
 */
#ifndef GATEWAY_PLAN_H
#define GATEWAY_PLAN_H

#include <jansson.h>
#include <stddef.h>

#include "admission/admission.h"
#include "alert/alerts.h"
#include "config/gateway_config.h"
#include "directory/directories.h"
#include "gateway.h"
#include "http/http_server.h"
#include "keeper/journal_keeper.h"
#include "relay/relay.h"
#include "vault/vault.h"

MUST_CHECK int gateway_plan_load(const struct gateway_plan *plan,
	struct gateway_config *ret, char *error);

#define GATEWAY_PLAN_LIST 16
#define GATEWAY_PLAN_FILES 2 /* what browsers call the origin of a page from the disk */
/* "a, b" of an entry as its parts. */
struct gateway_plan_list {
	char *text;
	const char *items[GATEWAY_PLAN_LIST + GATEWAY_PLAN_FILES];
	size_t count;
};
struct gateway_plan_addresses {
	struct gateway_plan_list listen, proxies, origins, nodes;
};
/* Also after an error to be put away with gateway_plan_addresses_done(). */
MUST_CHECK int gateway_plan_addresses(const struct gateway_config *config,
	struct gateway_plan_addresses *ret, char *error);
void gateway_plan_addresses_done(struct gateway_plan_addresses *addresses);

void gateway_plan_relay(const struct gateway_config *config, struct relay_settings *ret);
struct directories_settings gateway_plan_directories(const struct gateway_config *config);
/* How long viewers may come in from the cache when the store is away; 0: they may not. */
int64_t gateway_plan_cache_ms(const struct gateway_config *config);
struct admission_settings gateway_plan_admission(const struct gateway_config *config);
/* Borrows the configuration's texts. */
struct alerts_settings gateway_plan_alerts(const struct gateway_config *config);
struct http_server_settings gateway_plan_http(const struct gateway_config *config);
void gateway_plan_keeper(const struct gateway_config *config,
	struct journal_keeper_settings *ret);
/* `data` is the data directory, where backups go unless they go elsewhere. */
void gateway_plan_vault(const struct gateway_config *config, const char *data,
	struct vault_settings *ret);
/* Appends {"name","value","default","change","help"} per entry. */
void gateway_plan_limits(const struct gateway_config *config, json_t *array);

#endif
