#include "gateway.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admission/admission.h"
#include "alert/alerts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "base/text.h"
#include "console/console.h"
#include "directory/directories.h"
#include "gateway_plan.h"
#include "gateway_web.h"
#include "http/event_stream.h"
#include "http/http_server.h"
#include "http/office.h"
#include "keeper/checkpoint_maker.h"
#include "keeper/journal_keeper.h"
#include "net/listener.h"
#include "net/tls_ctx.h"
#include "net/worker.h"
#include "relay/relay.h"
#include "setup/chronicle.h"
#include "setup/data_dir.h"
#include "setup/seed.h"
#include "store/journal_checkpoint.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/restore.h"
#include "vault/vault.h"

#define OFFICE_QUEUE 256
#define EXPIRY_MS 3600000
#define DAY_MS INT64_C(86400000)

struct gateway {
	const struct gateway_plan *plan;
	struct data_dir dir;
	/* Read by office threads while main may take a new one over. */
	pthread_rwlock_t lock;
	struct gateway_config config;
	struct gateway_plan_list listen, proxies, origins;
	char checkpoints[DATA_DIR_PATH];
	char cert_file[DATA_DIR_PATH], key_file[DATA_DIR_PATH];
	struct store *store;
	struct vault *vault;
	char store_address[DATA_DIR_PATH + 8];
	struct journal_signer *signer;
	struct journal_keeper *keeper;
	struct directories *directories;
	struct admission *admission;
	struct relay *relay;
	struct gateway_web *web;
	struct post_pump *pump;
	struct worker *office_worker;
	struct tls_ctx *admin_tls;
	struct listener *admin_listener;
	struct office *office;
	struct event_streams *events;
	struct admin *admin;
	struct alerts *alerts;
	struct http_server *http;
	char admin_endpoint[TEXT_HOST_SIZE + 16];
	int64_t started_ms;
	int64_t expiry_due_ms;
	int started, drained;
};

/* A call that has to be made on the office worker, and main waits for it. */
struct errand {
	struct post_item item;
	struct gateway *gateway;
	void (*act)(struct gateway *gateway);
	pthread_mutex_t lock;
	pthread_cond_t done;
	int is_done;
};

static void run_errand(struct post_item *item)
{
	struct errand *errand = (struct errand *)item;

	errand->act(errand->gateway);
	pthread_mutex_lock(&errand->lock);
	errand->is_done = 1;
	pthread_cond_signal(&errand->done);
	pthread_mutex_unlock(&errand->lock);
}

static void on_office_worker(struct gateway *gateway,
	void (*act)(struct gateway *gateway))
{
	struct errand errand = {.item.run = run_errand,
		.gateway = gateway,
		.act = act,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER};

	post_put(worker_box(gateway->office_worker), &errand.item);
	pthread_mutex_lock(&errand.lock);
	while (!errand.is_done)
		pthread_cond_wait(&errand.done, &errand.lock);
	pthread_mutex_unlock(&errand.lock);
}

static int has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int read_addresses(struct gateway *gateway, char *error)
{
	int status = gateway_plan_split(gateway->config.listen, &gateway->listen, error);

	if (!status)
		status = gateway_plan_split(gateway->config.proxies, &gateway->proxies,
			error);
	if (!status)
		status = gateway_plan_split(gateway->config.web_origins,
			&gateway->origins, error);
	for (size_t i = 0; i < gateway->listen.count; i++)
		if (!strcmp(gateway->listen.items[i], "[::]:7443") && !has_ipv6())
			gateway->listen.items[i] = "0.0.0.0:7443";
	return status;
}

static void open_log(const struct gateway_config *config)
{
	enum log_format format = LOG_TEXT;

	if (log_format_parse(config->log_format, &format))
		format = LOG_TEXT; /* gateway_config_check let nothing else through */
	log_open("engawa-gateway", 2, format, gateway_config_log_level(config));
}

/* Somebody's restore was interrupted: what is there is only a part. */
static int refuse_half_restored(struct store *below, char *error)
{
	struct store_docs docs = {0};
	int status = store_wait_get(below->state, STATE_META, RESTORE_MARK, &docs);

	store_docs_free(&docs);
	if (status == -REASON_NOT_FOUND)
		return 0;
	if (!status) {
		snprintf(error, STORE_ERROR,
			"a backup was being restored into this store and is not whole: "
			"empty the store and restore again");
		status = -REASON_STATE_DAMAGED;
	}
	store_close(below);
	return status;
}

static int open_store(struct gateway *gateway, char *error)
{
	char more[STORE_ERROR] = "";
	const char *given = gateway->config.store;
	struct store *below;
	int status;

	if (*given)
		text_clip(gateway->store_address, sizeof(gateway->store_address), given);
	else
		snprintf(gateway->store_address, sizeof(gateway->store_address),
			"sqlite:%.4080s/engawa.db", gateway->dir.path);
	status = journal_checkpoint_signer_new(gateway->dir.master, &gateway->signer);
	if (!status)
		status = store_open_in(gateway->dir.path, gateway->store_address,
			gateway->dir.node, &below, more);
	if (!status)
		status = refuse_half_restored(below, more);
	if (!status)
		status = sealed_store_open(below, gateway->dir.master, &gateway->store,
			more);
	if (status) {
		text_clip(error, GATEWAY_ERROR, more);
		return status;
	}
	return seed_apply(gateway->dir.path, gateway->store, gateway->dir.node, error);
}

static void vault_settings(const struct gateway *gateway, struct vault_settings *ret)
{
	const struct gateway_config *config = &gateway->config;

	*ret = (struct vault_settings){.every_ms = config->backup_every_ms,
		.generations = config->backup_generations,
		.purge_after_ms = config->tenant_purge_after_ms,
		.records_days = config->retention_ms / DAY_MS};
	if (*config->backup_dir)
		text_clip(ret->dir, sizeof(ret->dir), config->backup_dir);
	else
		data_dir_file(gateway->dir.path, "backups", ret->dir);
	if (*config->backup_key)
		text_clip(ret->key, sizeof(ret->key), config->backup_key);
	else
		data_dir_file(gateway->dir.path, "backup.key", ret->key);
}

static int build_vault(struct gateway *gateway)
{
	const struct vault_parts parts = {.store = gateway->store,
		.address = gateway->store_address,
		.master = gateway->dir.master,
		.node = gateway->dir.node,
		.data = gateway->dir.path};
	struct vault_settings settings;

	vault_settings(gateway, &settings);
	return vault_new(&parts, &settings, &gateway->vault);
}

static int build_web(struct gateway *gateway)
{
	const struct gateway_web_settings settings = {.origins = gateway->origins.items,
		.origin_count = gateway->origins.count};

	return gateway_web_new(&settings, &gateway->web);
}

static int build_relay(struct gateway *gateway, char *error)
{
	char more[RELAY_ERROR] = "";
	struct relay_settings settings;
	struct admission_settings admission = gateway_plan_admission(&gateway->config);
	struct directories_settings directories =
		gateway_plan_directories(&gateway->config);
	int status = directories_new(gateway->store, gateway->dir.master, &directories,
		&gateway->directories);

	if (!status)
		status = admission_new(gateway->store, gateway->directories,
			gateway->dir.node, &admission, &gateway->admission);

	if (status)
		return status;
	gateway_plan_relay(&gateway->config, &settings);
	struct relay_parts parts = {.store = gateway->store,
		.admission = gateway->admission,
		.node = gateway->dir.node,
		.address = gateway->config.address,
		.cert_file = gateway->cert_file,
		.key_file = gateway->key_file,
		.listen = gateway->listen.items,
		.listen_count = gateway->listen.count,
		.proxies = gateway->proxies.items,
		.proxy_count = gateway->proxies.count,
		.workers = (size_t)gateway->config.workers,
		.settings = &settings};
	if (gateway->config.web_viewer) {
		status = build_web(gateway);
		parts.web = &gateway_web_of_relay;
		parts.web_ctx = gateway->web;
	}
	if (!status)
		status = relay_new(&parts, &gateway->relay, more);
	if (!status && gateway->web)
		status = gateway_web_attach(gateway->web, gateway->relay);
	if (status)
		text_clip(error, GATEWAY_ERROR, more);
	return status;
}

static int64_t certificate_ends_ms(void *ctx)
{
	return tls_ctx_expires_ms(((struct gateway *)ctx)->admin_tls);
}

static int build_alerts(struct gateway *gateway)
{
	struct alerts_settings settings = gateway_plan_alerts(&gateway->config);
	const struct alerts_parts parts = {.store = gateway->store,
		.node = gateway->dir.node,
		.data = gateway->dir.path,
		.syslog_socket = gateway->config.alert_syslog,
		.certificate_ends_ms = certificate_ends_ms,
		.ctx = gateway};

	return alerts_new(&parts, &settings, &gateway->alerts);
}

static void tell_facts(void *ctx, struct admin_facts *ret)
{
	struct gateway *gateway = ctx;
	struct relay_counts counts;

	relay_counts(gateway->relay, &counts);
	*ret = (struct admin_facts){.ready = counts.accepting,
		.draining = counts.draining,
		.sessions = counts.sessions,
		.hosts = counts.hosts,
		.viewers = counts.viewers,
		.started_ms = gateway->started_ms,
		.certificate_expires_ms = tls_ctx_expires_ms(gateway->admin_tls)};
	struct journal_keeper_facts keeper;
	journal_keeper_facts(gateway->keeper, &keeper);
	ret->journal_good = keeper.journal_good;
	ret->disk_good = keeper.disk_good;
	ret->free_bytes = keeper.free_bytes;
	pthread_rwlock_rdlock(&gateway->lock);
	ret->metrics_open = gateway->config.metrics_open;
	ret->step_up_ms = gateway->config.step_up_ms;
	ret->records_days = gateway->config.retention_ms / DAY_MS;
	ret->counts_days = gateway->config.retention_counts_ms / DAY_MS;
	text_clip(ret->checkpoint_copy, sizeof(ret->checkpoint_copy),
		gateway->config.checkpoint_copy);
	pthread_rwlock_unlock(&gateway->lock);
}

static void tell_limits(void *ctx, json_t *array)
{
	struct gateway *gateway = ctx;
	const struct conf_table *table = gateway_config_table();
	char name[128], value[GATEWAY_CONFIG_TEXT];

	pthread_rwlock_rdlock(&gateway->lock);
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		gateway_config_text(&gateway->config, entry, value);
		snprintf(name, sizeof(name), "%s.%s", entry->section, entry->name);
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "value",
				value, "default", entry->fallback, "change",
				entry->live ? "reload" : "restart", "help", entry->help));
	}
	pthread_rwlock_unlock(&gateway->lock);
}

static void web_conn(void *ctx, struct conn *conn)
{
	struct gateway *gateway = ctx;
	http_server_accept(gateway->http, conn);
}

static const struct listener_events admin_events = {.web = web_conn};

static int bind_admin(struct gateway *gateway, char *error)
{
	char more[LISTENER_ERROR] = "";
	struct text_endpoint endpoint;
	struct listener_settings settings = {
		.tls = gateway->admin_tls, .handshake_ms = gateway->config.tls_ms};
	int status = text_endpoint(&endpoint, gateway->config.admin_listen, 8443);

	if (!status)
		status = listener_new(&endpoint, &gateway->office_worker, 1, &settings,
			&admin_events, gateway, &gateway->admin_listener, more);
	if (status) {
		text_clip(error, GATEWAY_ERROR, more);
		return status;
	}
	endpoint.port = listener_port(gateway->admin_listener);
	text_endpoint_text(gateway->admin_endpoint, sizeof(gateway->admin_endpoint),
		&endpoint);
	return 0;
}

static int build_office(struct gateway *gateway, char *error)
{
	char more[TLS_CTX_ERROR] = "";
	struct http_server_settings settings = gateway_plan_http(&gateway->config);
	size_t threads = (size_t)gateway->config.admin_threads;
	struct admin_parts parts = {.store = gateway->store,
		.node = gateway->dir.node,
		.alerts = gateway->alerts,
		.vault = gateway->vault,
		.master = gateway->dir.master,
		.signer = gateway->signer,
		.checkpoints = gateway->checkpoints,
		.assets = &console_assets,
		.directories = gateway->directories,
		.streams = threads / 2,
		.facts = tell_facts,
		.limits = tell_limits,
		.ctx = gateway};
	int status = tls_ctx_new(gateway->cert_file, gateway->key_file, TLS_OFFER_WEB,
		&gateway->admin_tls, more);

	if (status) {
		text_clip(error, GATEWAY_ERROR, more);
		return status;
	}
	status = worker_new("office", &gateway->office_worker);
	if (!status)
		status = event_stream_all_new(gateway->office_worker, &gateway->events);
	parts.events = gateway->events;
	if (!status)
		status = admin_new(&parts, &gateway->admin);
	if (!status)
		status = office_new(threads, OFFICE_QUEUE, &gateway->office);
	if (!status)
		status = http_server_new(gateway->office_worker, gateway->office,
			&settings, admin_handle, gateway->admin, &gateway->http);
	return status ? status : bind_admin(gateway, error);
}

static int build(struct gateway *gateway, char *error)
{
	int status = gateway_plan_load(gateway->plan, &gateway->config, error);

	if (status)
		return status;
	open_log(&gateway->config);
	status = data_dir_open(gateway->plan->data, &gateway->dir, error);
	if (!status)
		status = data_dir_lock(&gateway->dir, error);
	if (!status)
		status = read_addresses(gateway, error);
	if (!status)
		status = open_store(gateway, error);
	data_dir_file(gateway->dir.path, CHECKPOINT_MAKER_FILE, gateway->checkpoints);
	data_dir_file(gateway->dir.path, "node.pem", gateway->cert_file);
	data_dir_file(gateway->dir.path, "node.key", gateway->key_file);
	if (!status)
		status = post_pump_new(&gateway->pump);
	if (!status)
		status = build_relay(gateway, error);
	if (!status)
		status = build_alerts(gateway);
	if (!status)
		status = build_vault(gateway);
	if (!status)
		status = build_office(gateway, error);
	return status;
}

int gateway_new(const struct gateway_plan *plan, struct gateway **ret,
	char error[static GATEWAY_ERROR])
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway)
		return -REASON_NO_MEMORY;
	gateway->plan = plan;
	gateway->dir.lock = -1;
	pthread_rwlock_init(&gateway->lock, NULL);
	int status = build(gateway, error);
	if (status)
		gateway_free(gateway);
	else
		*ret = gateway;
	return status;
}

static void relay_addresses(const struct gateway *gateway, char separator, char *ret,
	size_t size)
{
	size_t len = 0;

	*ret = '\0';
	for (size_t i = 0; *relay_endpoint(gateway->relay, i); i++) {
		int more = snprintf(ret + len, size - len, "%s%s",
			i ? (const char[]){separator, 0} : "",
			relay_endpoint(gateway->relay, i));
		if (more < 0 || (size_t)more >= size - len)
			return;
		len += (size_t)more;
	}
}

/* Where it is really served, for programs on this machine (port 0 is any). */
static int write_run(const struct gateway *gateway, char *error)
{
	char run[DATA_DIR_PATH], text[GATEWAY_PLAN_LIST * (TEXT_HOST_SIZE + 16)];

	data_dir_file(gateway->dir.path, "run", run);
	mkdir(run, 0700);
	relay_addresses(gateway, '\n', text, sizeof(text) - 1);
	size_t len = strlen(text);
	text[len++] = '\n';
	int status = data_dir_write(run, "listen", text, len, 0600, error);
	if (status)
		return status;
	snprintf(text, sizeof(text), "%s\n", gateway->admin_endpoint);
	return data_dir_write(run, "admin", text, strlen(text), 0600, error);
}

static void remove_run(const struct gateway *gateway)
{
	char file[DATA_DIR_PATH];

	data_dir_file(gateway->dir.path, "run/admin", file);
	unlink(file);
	data_dir_file(gateway->dir.path, "run/listen", file);
	unlink(file);
}

/* Not worth refusing service for: the journal says so itself by what follows. */
static void chronicle(struct gateway *gateway, enum audit_event event, json_t *fields)
{
	int status = chronicle_write(gateway->store, event, fields);

	if (status)
		log_line(LOG_WARN, "not recorded", LOG_S("event", audit_at(event)->name),
			LOG_S("reason", reason_symbol(status)));
}

static void keeper_settings(const struct gateway *gateway,
	struct journal_keeper_settings *ret)
{
	*ret = (struct journal_keeper_settings){
		.records_days = gateway->config.retention_ms / DAY_MS,
		.counts_days = gateway->config.retention_counts_ms / DAY_MS};
	text_clip(ret->checkpoint_copy, sizeof(ret->checkpoint_copy),
		gateway->config.checkpoint_copy);
}

static int start_keeper(struct gateway *gateway)
{
	const struct journal_keeper_parts parts = {
		gateway->store, gateway->signer, gateway->dir.node, gateway->dir.path};
	struct journal_keeper_settings settings;

	keeper_settings(gateway, &settings);
	return journal_keeper_new(&parts, &settings, &gateway->keeper);
}

static void open_pages(struct gateway *gateway)
{
	int status = event_stream_all_start(gateway->events);

	if (!status)
		status = admin_listen(gateway->admin, worker_box(gateway->office_worker));
	if (status)
		log_line(LOG_WARN, "pages of the console are not live",
			LOG_S("reason", reason_symbol(status)));
}

static void close_pages(struct gateway *gateway)
{
	admin_deafen(gateway->admin);
	event_stream_all_stop(gateway->events);
}

static int start_alerts(struct gateway *gateway)
{
	const char *const endpoints[PROBE_TARGETS] = {
		[PROBE_PUBLIC] = relay_endpoint(gateway->relay, 0),
		[PROBE_ADMIN] = gateway->admin_endpoint};

	return alerts_start(gateway->alerts, endpoints);
}

int gateway_start(struct gateway *gateway, char error[static GATEWAY_ERROR])
{
	int status = worker_start(gateway->office_worker);

	if (status)
		return status;
	gateway->started = 1;
	gateway->started_ms = clock_wall_ms();
	on_office_worker(gateway, open_pages);
	status = relay_start(gateway->relay);
	if (!status)
		status = start_keeper(gateway);
	if (status)
		return status;
	listener_start(gateway->admin_listener);
	status = start_alerts(gateway);
	if (status)
		return status;
	status = write_run(gateway, error);
	if (!status)
		chronicle(gateway, AUDIT_NODE_STARTED,
			json_pack("{s:s, s:s}", "node", gateway->dir.node, "version",
				ENGAWA_VERSION));
	if (!status)
		log_line(LOG_INFO, "gateway serves", LOG_S("version", ENGAWA_VERSION),
			LOG_S("node", gateway->dir.node),
			LOG_S("listen", relay_endpoint(gateway->relay, 0)),
			LOG_S("admin", gateway->admin_endpoint));
	return status;
}

void gateway_ready_line(const struct gateway *gateway, char ret[static GATEWAY_READY])
{
	char addresses[GATEWAY_READY - TEXT_HOST_SIZE - 64];

	relay_addresses(gateway, ',', addresses, sizeof(addresses));
	snprintf(ret, GATEWAY_READY, "ready listen=%s admin=%s", addresses,
		gateway->admin_endpoint);
}

static void warn_expiry(const struct gateway *gateway)
{
	int64_t left = tls_ctx_expires_ms(gateway->admin_tls) - clock_wall_ms();

	if (left < 30 * DAY_MS)
		log_line(left < 3 * DAY_MS ? LOG_ERROR : LOG_WARN,
			"certificate expires soon", LOG_U("days", left / DAY_MS),
			LOG_S("renew", "engawa-gateway renew"));
}

static int is_due(int64_t *due_ms, int64_t every_ms)
{
	int64_t now = clock_mono_ms();

	if (now < *due_ms)
		return 0;
	*due_ms = now + every_ms;
	return 1;
}

void gateway_tick(struct gateway *gateway)
{
	if (is_due(&gateway->expiry_due_ms, EXPIRY_MS))
		warn_expiry(gateway);
	post_pump_run(gateway->pump, 0);
}

static void set_http(struct gateway *gateway)
{
	struct http_server_settings settings = gateway_plan_http(&gateway->config);
	http_server_set(gateway->http, &settings);
}

static void adopt_config(struct gateway *gateway)
{
	struct gateway_config fresh;
	char error[GATEWAY_ERROR] = "";
	struct relay_settings relay;

	if (gateway_plan_load(gateway->plan, &fresh, error)) {
		log_line(LOG_ERROR, "configuration not taken over",
			LOG_S("error", error));
		return;
	}
	pthread_rwlock_wrlock(&gateway->lock);
	int waiting = gateway_config_adopt(&gateway->config, &fresh);
	pthread_rwlock_unlock(&gateway->lock);
	gateway_config_done(&fresh);
	open_log(&gateway->config);
	gateway_plan_relay(&gateway->config, &relay);
	relay_set(gateway->relay, &relay);
	struct admission_settings admission = gateway_plan_admission(&gateway->config);
	admission_set(gateway->admission, &admission);
	struct journal_keeper_settings keeper;
	keeper_settings(gateway, &keeper);
	journal_keeper_set(gateway->keeper, &keeper);
	struct vault_settings vault;
	vault_settings(gateway, &vault);
	vault_set(gateway->vault, &vault);
	struct alerts_settings alerts = gateway_plan_alerts(&gateway->config);
	if (alerts_set(gateway->alerts, &alerts))
		log_line(LOG_WARN, "alerts go on as before");
	on_office_worker(gateway, set_http);
	chronicle(gateway, AUDIT_CONFIG_CHANGED,
		json_pack("{s:{s:i}}", "changes", "waiting_for_restart", waiting));
	log_line(LOG_INFO, "configuration taken over",
		LOG_U("waiting_for_restart", waiting));
}

static void reload_certificate(struct gateway *gateway)
{
	char tls[TLS_CTX_ERROR] = "", relay[RELAY_ERROR] = "";
	int status = tls_ctx_reload(gateway->admin_tls, tls);

	if (!status)
		status = relay_reload(gateway->relay, relay);
	if (status)
		log_line(LOG_ERROR, "certificate not taken over; the old one stays",
			LOG_S("reason", reason_symbol(status)),
			LOG_S("error", *tls ? tls : relay));
	else
		log_line(LOG_INFO, "certificate taken over");
	gateway->expiry_due_ms = 0;
}

void gateway_reload(struct gateway *gateway)
{
	adopt_config(gateway);
	reload_certificate(gateway);
}

static void drained(void *ctx)
{
	((struct gateway *)ctx)->drained = 1;
}

static void stop_http_soon(struct gateway *gateway)
{
	http_server_stop(gateway->http, HTTP_SERVER_SOON);
}

static void stop_http_now(struct gateway *gateway)
{
	http_server_stop(gateway->http, HTTP_SERVER_NOW);
}

void gateway_drain(struct gateway *gateway, int (*hurry)(void))
{
	log_line(LOG_INFO, "gateway drains");
	relay_drain(gateway->relay, post_pump_box(gateway->pump), drained, gateway);
	listener_stop(gateway->admin_listener);
	on_office_worker(gateway, stop_http_soon);
	while (!gateway->drained && !hurry())
		post_pump_run(gateway->pump, 100);
	chronicle(gateway, AUDIT_NODE_STOPPED,
		json_pack("{s:s}", "node", gateway->dir.node));
}

static void stop_office(struct gateway *gateway)
{
	if (gateway->started) {
		listener_stop(gateway->admin_listener);
		on_office_worker(gateway, stop_http_now);
		on_office_worker(gateway, close_pages);
	}
	gateway->office = office_free(gateway->office);
	gateway->alerts = alerts_free(gateway->alerts);
	if (gateway->office_worker)
		worker_stop(gateway->office_worker);
}

struct gateway *gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return NULL;
	if (gateway->started)
		remove_run(gateway);
	stop_office(gateway);
	gateway->relay = relay_free(gateway->relay);
	gateway->web = gateway_web_free(gateway->web);
	gateway->admission = admission_free(gateway->admission);
	gateway->admin_listener = listener_free(gateway->admin_listener);
	gateway->office_worker = worker_free(gateway->office_worker);
	gateway->http = http_server_free(gateway->http);
	gateway->admin = admin_free(gateway->admin);
	gateway->directories = directories_free(gateway->directories);
	gateway->events = event_stream_all_free(gateway->events);
	gateway->admin_tls = tls_ctx_free(gateway->admin_tls);
	gateway->keeper = journal_keeper_free(gateway->keeper);
	gateway->vault = vault_free(gateway->vault);
	gateway->signer = journal_checkpoint_signer_free(gateway->signer);
	gateway->store = store_close(gateway->store);
	if (gateway->pump)
		post_pump_run(gateway->pump, 0);
	post_pump_free(gateway->pump);
	free(gateway->listen.text);
	free(gateway->proxies.text);
	free(gateway->origins.text);
	gateway_config_done(&gateway->config);
	data_dir_close(&gateway->dir);
	pthread_rwlock_destroy(&gateway->lock);
	free(gateway);
	return NULL;
}
