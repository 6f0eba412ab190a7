/* page_server: what the public port says to browsers: the files of the viewer's page, and the way
 * into a leg over WebSocket. It answers on the worker itself, since nothing here waits for anything.
 *
 * Thread: new and free from main; the rest on the worker. Owner: the server owns the conns it
 * accepted until they are upgraded or closed. Nobody has proved anything here, so a connection costs
 * one small struct, takes no body, may be silent for idle_ms and lives for whole_ms at most. Silence ends
 * it with LEG_CLOSED, half a request with TIMEOUT, which counts against its address. Errors: -REASON_NO_MEMORY.
 */
#ifndef HTTP_PAGE_SERVER_H
#define HTTP_PAGE_SERVER_H

#include <stdint.h>

#include "base/check.h"
#include "http/assets.h"
#include "http/ws_upgrade.h"

struct conn;
struct page_server;
struct worker;

struct page_server_settings {
	const struct assets *assets;   /* borrowed; NULL: no page, only legs */
	const char *leg_path;          /* "/v1/leg" */
	struct ws_upgrade_rules rules; /* borrowed */
	int64_t idle_ms, whole_ms;
};

struct page_server_events {
	/* The handshake is done; the conn is the receiver's, who listens at once. */
	void (*upgraded)(void *ctx, struct conn *conn);
	/* One that was not upgraded is gone. */
	void (*closed)(void *ctx, const char *address, int reason);
};

MUST_CHECK int page_server_new(struct worker *worker,
	const struct page_server_settings *settings,
	const struct page_server_events *events, void *ctx, struct page_server **ret);
void page_server_accept(struct page_server *server, struct conn *conn);
/* Ends all and refuses new ones. */
void page_server_stop(struct page_server *server);
/* When the worker has ended. Accepts NULL, returns NULL. */
struct page_server *page_server_free(struct page_server *server);

#endif
