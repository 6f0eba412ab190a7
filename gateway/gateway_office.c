#include "gateway_office.h"

#include <pthread.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "alert/alerts.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "base/text.h"
#include "console/console.h"
#include "gateway_plan.h"
#include "http/event_stream.h"
#include "http/http_server.h"
#include "http/office.h"
#include "net/listener.h"
#include "net/tls_ctx.h"
#include "net/worker.h"
#include "store/sealed/sealed_store.h"

#define OFFICE_QUEUE 256

struct gateway_office {
	struct tls_ctx *tls;
	struct worker *worker;
	struct event_streams *events;
	struct alerts *alerts;
	struct admin *admin;
	struct office *threads;
	struct http_server *http;
	struct listener *listener;
	struct http_server_settings settings;
	char endpoint[TEXT_HOST_SIZE + 16];
	int started;
};

/* A call that has to be made on the office worker, and main waits for it. */
struct errand {
	struct post_item item;
	struct gateway_office *office;
	void (*act)(struct gateway_office *office);
	pthread_mutex_t lock;
	pthread_cond_t done;
	int is_done;
};

static void run_errand(struct post_item *item)
{
	struct errand *errand = (struct errand *)item;

	errand->act(errand->office);
	pthread_mutex_lock(&errand->lock);
	errand->is_done = 1;
	pthread_cond_signal(&errand->done);
	pthread_mutex_unlock(&errand->lock);
}

static void on_worker(struct gateway_office *office,
	void (*act)(struct gateway_office *office))
{
	struct errand errand = {.item.run = run_errand,
		.office = office,
		.act = act,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER};

	post_put(worker_box(office->worker), &errand.item);
	pthread_mutex_lock(&errand.lock);
	while (!errand.is_done)
		pthread_cond_wait(&errand.done, &errand.lock);
	pthread_mutex_unlock(&errand.lock);
}

static int64_t certificate_ends_ms(void *ctx)
{
	return gateway_office_certificate_ends_ms(ctx);
}

static int build_alerts(struct gateway_office *office,
	const struct gateway_office_parts *given)
{
	struct alerts_settings settings = gateway_plan_alerts(given->config);
	const struct alerts_parts parts = {.store = given->store,
		.keys = sealed_store_keys(given->store),
		.node = given->node,
		.data = given->data,
		.syslog_socket = given->config->alert_syslog,
		.certificate_ends_ms = certificate_ends_ms,
		.ctx = office};

	return alerts_new(&parts, &settings, &office->alerts);
}

static int build_admin(struct gateway_office *office,
	const struct gateway_office_parts *given)
{
	const struct admin_parts parts = {.store = given->store,
		.node = given->node,
		.alerts = office->alerts,
		.vault = given->vault,
		.master = given->master,
		.signer = given->signer,
		.checkpoints = given->checkpoints,
		.assets = &console_assets,
		.directories = given->directories,
		.events = office->events,
		.streams = (size_t)given->config->admin_threads / 2,
		.facts = given->facts,
		.limits = given->limits,
		.ctx = given->ctx};

	return admin_new(&parts, &office->admin);
}

static void take_in(void *ctx, struct conn *conn)
{
	struct gateway_office *office = ctx;
	http_server_accept(office->http, conn);
}

static const struct listener_events listener_events = {.web = take_in};

static int bind_listener(struct gateway_office *office,
	const struct gateway_config *config, char *error)
{
	char more[LISTENER_ERROR] = "";
	struct text_endpoint endpoint;
	struct listener_settings settings = {
		.tls = office->tls, .handshake_ms = config->tls_ms};
	int status = text_endpoint(&endpoint, config->admin_listen, 8443);

	if (!status)
		status = listener_new(&endpoint, &office->worker, 1, &settings,
			&listener_events, office, &office->listener, more);
	if (status) {
		text_clip(error, GATEWAY_ERROR, more);
		return status;
	}
	endpoint.port = listener_port(office->listener);
	text_endpoint_text(office->endpoint, sizeof(office->endpoint), &endpoint);
	return 0;
}

static int build(struct gateway_office *office, const struct gateway_office_parts *given,
	char *error)
{
	char more[TLS_CTX_ERROR] = "";
	int status = tls_ctx_new(given->cert_file, given->key_file, TLS_OFFER_WEB,
		&office->tls, more);

	if (status) {
		text_clip(error, GATEWAY_ERROR, more);
		return status;
	}
	office->settings = gateway_plan_http(given->config);
	status = build_alerts(office, given);
	if (!status)
		status = worker_new("office", &office->worker);
	if (!status)
		status = event_stream_all_new(office->worker, &office->events);
	if (!status)
		status = build_admin(office, given);
	if (!status)
		status = office_new((size_t)given->config->admin_threads, OFFICE_QUEUE,
			&office->threads);
	if (!status)
		status = http_server_new(office->worker, office->threads,
			&office->settings, admin_handle, office->admin, &office->http);
	return status ? status : bind_listener(office, given->config, error);
}

int gateway_office_new(const struct gateway_office_parts *parts,
	struct gateway_office **ret, char error[static GATEWAY_ERROR])
{
	struct gateway_office *office = calloc(1, sizeof(*office));

	if (!office)
		return -REASON_NO_MEMORY;
	int status = build(office, parts, error);
	if (status) {
		gateway_office_stop(office);
		gateway_office_free(office);
	} else {
		*ret = office;
	}
	return status;
}

static void open_pages(struct gateway_office *office)
{
	int status = event_stream_all_start(office->events);

	if (!status)
		status = admin_listen(office->admin, worker_box(office->worker));
	if (status)
		log_line(LOG_WARN, "pages of the console are not live",
			LOG_S("reason", reason_symbol(status)));
}

int gateway_office_start(struct gateway_office *office)
{
	int status = worker_start(office->worker);

	if (status)
		return status;
	office->started = 1;
	on_worker(office, open_pages);
	return 0;
}

int gateway_office_serve(struct gateway_office *office, const char *endpoint)
{
	const char *const endpoints[PROBE_TARGETS] = {
		[PROBE_PUBLIC] = endpoint, [PROBE_ADMIN] = office->endpoint};

	listener_start(office->listener);
	return alerts_start(office->alerts, endpoints);
}

const char *gateway_office_endpoint(const struct gateway_office *office)
{
	return office->endpoint;
}

int64_t gateway_office_certificate_ends_ms(const struct gateway_office *office)
{
	return tls_ctx_expires_ms(office->tls);
}

static void set_http(struct gateway_office *office)
{
	http_server_set(office->http, &office->settings);
}

void gateway_office_set(struct gateway_office *office,
	const struct gateway_config *config)
{
	struct alerts_settings alerts = gateway_plan_alerts(config);

	if (alerts_set(office->alerts, &alerts))
		log_line(LOG_WARN, "alerts go on as before");
	office->settings = gateway_plan_http(config);
	on_worker(office, set_http);
}

int gateway_office_reload(struct gateway_office *office, char error[static GATEWAY_ERROR])
{
	char more[TLS_CTX_ERROR] = "";
	int status = tls_ctx_reload(office->tls, more);

	if (status)
		text_clip(error, GATEWAY_ERROR, more);
	return status;
}

static void stop_http_soon(struct gateway_office *office)
{
	http_server_stop(office->http, HTTP_SERVER_SOON);
}

static void stop_http_now(struct gateway_office *office)
{
	http_server_stop(office->http, HTTP_SERVER_NOW);
}

static void close_pages(struct gateway_office *office)
{
	admin_deafen(office->admin);
	event_stream_all_stop(office->events);
}

void gateway_office_drain(struct gateway_office *office)
{
	listener_stop(office->listener);
	on_worker(office, stop_http_soon);
}

void gateway_office_stop(struct gateway_office *office)
{
	if (!office)
		return;
	if (office->started) {
		listener_stop(office->listener);
		on_worker(office, stop_http_now);
		on_worker(office, close_pages);
	}
	office->threads = office_free(office->threads);
	office->alerts = alerts_free(office->alerts);
	if (office->worker)
		worker_stop(office->worker);
}

struct gateway_office *gateway_office_free(struct gateway_office *office)
{
	if (!office)
		return NULL;
	office->listener = listener_free(office->listener);
	office->worker = worker_free(office->worker);
	office->http = http_server_free(office->http);
	office->admin = admin_free(office->admin);
	office->events = event_stream_all_free(office->events);
	office->tls = tls_ctx_free(office->tls);
	free(office);
	return NULL;
}
