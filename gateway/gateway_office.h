/* gateway_office: the office side of a node: the admin listener with its worker, the threads that answer
 * requests, live pages, and the watch that raises alarms.
 *
 * Thread: main, which waits for the worker where something has to be done there. Owner: gateway.c, in this
 * order: new, start, serve, (drain,) stop, free. The relay ends between stop and free: until free the
 * worker takes what is still posted to it.
 * Errors: those of the parts, with one line in `error`.
 */
#ifndef GATEWAY_OFFICE_H
#define GATEWAY_OFFICE_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "gateway.h"

struct admin_facts;
struct directories;
struct gateway_office;
struct journal_signer;
struct store;
struct vault;

/* All borrowed. */
struct gateway_office_parts {
	const struct gateway_config *config; /* read while it is built */
	const char *node, *data;
	const char *checkpoints, *cert_file, *key_file;
	const uint8_t *master; /* 32 bytes */
	struct store *store;
	const struct journal_signer *signer;
	struct vault *vault;
	struct directories *directories;
	/* As in admin/admin.h. */
	void (*facts)(void *ctx, struct admin_facts *ret);
	void (*limits)(void *ctx, json_t *array);
	void *ctx;
};

/* The listener is bound, nothing is served yet. */
MUST_CHECK int gateway_office_new(const struct gateway_office_parts *parts,
	struct gateway_office **ret, char error[static GATEWAY_ERROR]);
/* Its worker runs; nobody is let in yet. */
MUST_CHECK int gateway_office_start(struct gateway_office *office);
/* Lets people in and begins to watch; `endpoint` is the relay's. */
MUST_CHECK int gateway_office_serve(struct gateway_office *office, const char *endpoint);
/* HOST:PORT that is really served. */
const char *gateway_office_endpoint(const struct gateway_office *office);
int64_t gateway_office_certificate_ends_ms(const struct gateway_office *office);
/* Another configuration; what is wrong in it is logged and stays as it was. */
void gateway_office_set(struct gateway_office *office,
	const struct gateway_config *config);
/* The certificate's files anew; on error the old one stays. */
MUST_CHECK int gateway_office_reload(struct gateway_office *office,
	char error[static GATEWAY_ERROR]);
/* Nobody new; requests under way are still answered. */
void gateway_office_drain(struct gateway_office *office);
/* Nobody is left and no thread of it runs. Accepts NULL. */
void gateway_office_stop(struct gateway_office *office);
/* Accepts NULL, returns NULL. */
struct gateway_office *gateway_office_free(struct gateway_office *office);

#endif
