/* gateway: builds a node out of its parts, starts it, drains it, stops it. The only file that knows
 * everybody.
 *
 * Thread: main. The parts bring their own threads. Owner: main.c. Errors come with one line in
 * `error`; whatever was built by then is taken down again.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "base/check.h"
#include "config/gateway_config.h"

struct gateway;

#define GATEWAY_ERROR 640

/* What the command line says; NULL: as the configuration says. Borrowed. */
struct gateway_plan {
	const char *data, *config_file;
	const char *listen, *admin_listen, *store, *log_format;
};

/* Reads, locks and binds everything; nothing is served yet. */
MUST_CHECK int gateway_new(const struct gateway_plan *plan, struct gateway **ret,
	char error[static GATEWAY_ERROR]);
MUST_CHECK int gateway_start(struct gateway *gateway, char error[static GATEWAY_ERROR]);
/* "ready listen=… admin=…": the addresses that are really served. */
#define GATEWAY_READY 1024
void gateway_ready_line(const struct gateway *gateway, char ret[static GATEWAY_READY]);
/* Care that is due now and then: old journal rows, the certificate's end. */
void gateway_tick(struct gateway *gateway);
/* Configuration and certificate anew; what is wrong is logged and the old stays. */
void gateway_reload(struct gateway *gateway);
/* Lets the ends go elsewhere. `hurry` is asked again and again; not 0: stop at once. */
void gateway_drain(struct gateway *gateway, int (*hurry)(void));
/* Accepts NULL, returns NULL. */
struct gateway *gateway_free(struct gateway *gateway);

#endif
