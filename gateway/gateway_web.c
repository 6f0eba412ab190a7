#include "gateway_web.h"

#include <stdlib.h>

#include "base/reason.h"
#include "http/page_server.h"
#include "net/conn.h"
#include "net/worker.h"

#define WORKERS_MAX 64
#define LEG_PATH "/v1/leg"
#define PROTOCOL "engawa.1"
/* A browser keeps a connection for what it may want next; here that is nothing. */
#define IDLE_MS 5000
#define WHOLE_MS 120000

struct gateway_web {
	struct gateway_web_settings settings;
	struct page_assets *page;
	struct relay *relay;
	size_t count;
	struct {
		struct worker *worker;
		struct page_server *server;
	} at[WORKERS_MAX];
};

static struct page_server *server_of(const struct gateway_web *web,
	const struct worker *worker)
{
	for (size_t i = 0; i < web->count; i++)
		if (web->at[i].worker == worker)
			return web->at[i].server;
	CHECK(!"a conn of a foreign worker");
	return NULL;
}

static void take_conn(void *ctx, struct conn *conn)
{
	page_server_accept(server_of(ctx, conn->worker), conn);
}

static void stop_worker(void *ctx, struct worker *worker)
{
	page_server_stop(server_of(ctx, worker));
}

const struct relay_web gateway_web_of_relay = {take_conn, stop_worker};

static void upgraded(void *ctx, struct conn *conn)
{
	relay_web_leg(((struct gateway_web *)ctx)->relay, conn);
}

static void gone(void *ctx, const char *address, int reason)
{
	relay_web_gone(((struct gateway_web *)ctx)->relay, address, reason);
}

int gateway_web_new(const struct gateway_web_settings *settings, struct gateway_web **ret)
{
	struct gateway_web *web = calloc(1, sizeof(*web));

	if (!web)
		return -REASON_NO_MEMORY;
	web->settings = *settings;
	int status = page_assets_new(settings->assets, &settings->more, &web->page);
	if (status) {
		free(web);
		return status;
	}
	*ret = web;
	return 0;
}

int gateway_web_attach(struct gateway_web *web, struct relay *relay)
{
	static const struct page_server_events events = {upgraded, gone};
	const struct page_server_settings settings = {
		.assets = page_assets_files(web->page),
		.leg_path = LEG_PATH,
		.rules = {PROTOCOL, web->settings.origins, web->settings.origin_count},
		.idle_ms = IDLE_MS,
		.whole_ms = WHOLE_MS};
	struct worker *worker;
	int status = 0;

	web->relay = relay;
	while (!status && web->count < WORKERS_MAX &&
		(worker = relay_worker(relay, web->count))) {
		status = page_server_new(worker, &settings, &events, web,
			&web->at[web->count].server);
		if (!status)
			web->at[web->count++].worker = worker;
	}
	return status;
}

struct gateway_web *gateway_web_free(struct gateway_web *web)
{
	for (size_t i = 0; web && i < web->count; i++)
		page_server_free(web->at[i].server);
	if (web)
		page_assets_free(web->page);
	free(web);
	return NULL;
}
