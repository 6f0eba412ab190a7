/* route: where alarms go (STATE_ROUTE, id = "rte_…").
 *
 * JSON body: "id", "name", "tenant", "kind" "webhook"|"mail"|"syslog", "language" "en"|"ja", "state"
 * "enabled"|"disabled", "created_ms", "changed_ms", "test_ms", "test_error" ("": the last test came
 * through), and of
 *   webhook  "url" (https only), "secret" (of the signature)
 *   mail     "server" HOST:PORT, "security" "starttls"|"tls"|"none", "user", "password", "from", "to" […]
 *   syslog   "target" "unix", "udp://HOST:PORT", "tcp://HOST:PORT" or "tls://HOST:PORT"
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_ROUTE_H
#define RULES_ROUTE_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/alert.h"
#include "rules/field.h"

#define ROUTE_ADDRESSES 8
#define ROUTE_ADDRESS_SIZE 129
#define ROUTE_SECRET_SIZE 129

enum route_kind { ROUTE_WEBHOOK, ROUTE_MAIL, ROUTE_SYSLOG };
enum route_state { ROUTE_ENABLED, ROUTE_DISABLED };
enum route_security { ROUTE_STARTTLS, ROUTE_TLS, ROUTE_PLAIN };
enum route_transport {
	ROUTE_UNIX,
	ROUTE_UDP,
	ROUTE_TCP,
	ROUTE_TCP_TLS,
};

struct route {
	char id[ALERT_ROUTE_ID_SIZE], name[129], tenant[TENANT_ID_SIZE];
	int kind, language, state;
	int64_t created_ms, changed_ms, test_ms;
	char test_error[160];
	char url[513], secret[ROUTE_SECRET_SIZE];
	char server[TEXT_HOST_SIZE + 8], user[129], password[ROUTE_SECRET_SIZE];
	int security;
	char from[ROUTE_ADDRESS_SIZE], to[ROUTE_ADDRESSES][ROUTE_ADDRESS_SIZE];
	size_t to_count;
	char target[TEXT_HOST_SIZE + 16];
};

MUST_CHECK int route_read(const char *body, struct route *ret, struct field_error *error);
/* What people may set, of a new route (created_ms is 0) its kind too. On error `route` is as
 * before. */
MUST_CHECK int route_change(struct route *route, const json_t *changes,
	struct field_error *error);
/* The caller frees, and wipes: it holds secrets. */
MUST_CHECK int route_write(const struct route *route, char **ret);
/* Without secrets: "has_secret", "has_password" instead. A new reference; NULL without memory. */
json_t *route_show(const struct route *route);

/* Splits `target`; -REASON_BAD_VALUE. */
MUST_CHECK int route_transport(const char *target, enum route_transport *ret,
	struct text_endpoint *ret_at);
const char *route_kind_name(int kind);

#endif
