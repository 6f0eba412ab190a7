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
#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "base/text.h"
#include "directory/directories.h"
#include "gateway_office.h"
#include "gateway_page.h"
#include "gateway_plan.h"
#include "gateway_web.h"
#include "keeper/checkpoint_maker.h"
#include "keeper/journal_keeper.h"
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

#define EXPIRY_MS 3600000
#define DAY_MS INT64_C(86400000)

struct gateway {
	const struct gateway_plan *plan;
	struct data_dir dir;
	/* Read by office threads while main may take a new one over. */
	pthread_rwlock_t lock;
	struct gateway_config config;
	struct gateway_plan_addresses addresses;
	char checkpoints[DATA_DIR_PATH];
	char cert_file[DATA_DIR_PATH], key_file[DATA_DIR_PATH];
	char ca_file[DATA_DIR_PATH], revoked_file[DATA_DIR_PATH];
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
	struct gateway_office *office;
	int64_t started_ms;
	int64_t expiry_due_ms;
	int drained;
};

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

static int build_vault(struct gateway *gateway)
{
	const struct vault_parts parts = {.store = gateway->store,
		.address = gateway->store_address,
		.master = gateway->dir.master,
		.node = gateway->dir.node,
		.data = gateway->dir.path};
	struct vault_settings settings;

	gateway_plan_vault(&gateway->config, gateway->dir.path, &settings);
	return vault_new(&parts, &settings, &gateway->vault);
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
		.cache_ms = gateway_plan_cache_ms(&gateway->config),
		.node = gateway->dir.node,
		.address = gateway->config.address,
		.peer = gateway->config.peer,
		.cert_file = gateway->cert_file,
		.key_file = gateway->key_file,
		.ca_file = gateway->ca_file,
		.revoked_file = gateway->revoked_file,
		.listen = gateway->addresses.listen.items,
		.listen_count = gateway->addresses.listen.count,
		.proxies = gateway->addresses.proxies.items,
		.proxy_count = gateway->addresses.proxies.count,
		.workers = (size_t)gateway->config.workers,
		.settings = &settings};
	if (gateway->config.web_viewer) {
		const struct gateway_page_plan page = {
			&gateway->config, &gateway->addresses, gateway->dir.path};
		status = gateway_page_new(&page, &gateway->web, more, sizeof(more));
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
		.cache_ms = gateway_plan_cache_ms(&gateway->config),
		.certificate_expires_ms =
			gateway_office_certificate_ends_ms(gateway->office)};
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

	pthread_rwlock_rdlock(&gateway->lock);
	gateway_plan_limits(&gateway->config, array);
	pthread_rwlock_unlock(&gateway->lock);
}

static int build_office(struct gateway *gateway, char *error)
{
	const struct gateway_office_parts parts = {.config = &gateway->config,
		.node = gateway->dir.node,
		.data = gateway->dir.path,
		.checkpoints = gateway->checkpoints,
		.cert_file = gateway->cert_file,
		.key_file = gateway->key_file,
		.master = gateway->dir.master,
		.store = gateway->store,
		.signer = gateway->signer,
		.vault = gateway->vault,
		.directories = gateway->directories,
		.facts = tell_facts,
		.limits = tell_limits,
		.ctx = gateway};

	return gateway_office_new(&parts, &gateway->office, error);
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
		status = gateway_plan_addresses(&gateway->config, &gateway->addresses,
			error);
	if (!status)
		status = open_store(gateway, error);
	data_dir_file(gateway->dir.path, CHECKPOINT_MAKER_FILE, gateway->checkpoints);
	data_dir_file(gateway->dir.path, "node.pem", gateway->cert_file);
	data_dir_file(gateway->dir.path, "node.key", gateway->key_file);
	data_dir_file(gateway->dir.path, "ca.pem", gateway->ca_file);
	data_dir_file(gateway->dir.path, "revoked.txt", gateway->revoked_file);
	if (!status)
		status = post_pump_new(&gateway->pump);
	if (!status)
		status = build_relay(gateway, error);
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
	snprintf(text, sizeof(text), "%s\n", gateway_office_endpoint(gateway->office));
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

static int start_keeper(struct gateway *gateway)
{
	const struct journal_keeper_parts parts = {
		gateway->store, gateway->signer, gateway->dir.node, gateway->dir.path};
	struct journal_keeper_settings settings;

	gateway_plan_keeper(&gateway->config, &settings);
	return journal_keeper_new(&parts, &settings, &gateway->keeper);
}

int gateway_start(struct gateway *gateway, char error[static GATEWAY_ERROR])
{
	int status = gateway_office_start(gateway->office);

	if (status)
		return status;
	gateway->started_ms = clock_wall_ms();
	status = relay_start(gateway->relay);
	if (!status)
		status = start_keeper(gateway);
	if (status)
		return status;
	status = gateway_office_serve(gateway->office, relay_endpoint(gateway->relay, 0));
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
			LOG_S("admin", gateway_office_endpoint(gateway->office)));
	return status;
}

void gateway_ready_line(const struct gateway *gateway, char ret[static GATEWAY_READY])
{
	char addresses[GATEWAY_READY - TEXT_HOST_SIZE - 64];

	relay_addresses(gateway, ',', addresses, sizeof(addresses));
	snprintf(ret, GATEWAY_READY, "ready listen=%s admin=%s", addresses,
		gateway_office_endpoint(gateway->office));
}

static void warn_expiry(const struct gateway *gateway)
{
	int64_t left =
		gateway_office_certificate_ends_ms(gateway->office) - clock_wall_ms();

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
	gateway_plan_keeper(&gateway->config, &keeper);
	journal_keeper_set(gateway->keeper, &keeper);
	struct vault_settings vault;
	gateway_plan_vault(&gateway->config, gateway->dir.path, &vault);
	vault_set(gateway->vault, &vault);
	gateway_office_set(gateway->office, &gateway->config);
	chronicle(gateway, AUDIT_CONFIG_CHANGED,
		json_pack("{s:{s:i}}", "changes", "waiting_for_restart", waiting));
	log_line(LOG_INFO, "configuration taken over",
		LOG_U("waiting_for_restart", waiting));
}

static void reload_certificate(struct gateway *gateway)
{
	char office[GATEWAY_ERROR] = "", relay[RELAY_ERROR] = "";
	int status = gateway_office_reload(gateway->office, office);

	if (!status)
		status = relay_reload(gateway->relay, relay);
	if (status)
		log_line(LOG_ERROR, "certificate not taken over; the old one stays",
			LOG_S("reason", reason_symbol(status)),
			LOG_S("error", *office ? office : relay));
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

void gateway_drain(struct gateway *gateway, int (*hurry)(void))
{
	log_line(LOG_INFO, "gateway drains");
	relay_drain(gateway->relay, post_pump_box(gateway->pump), drained, gateway);
	gateway_office_drain(gateway->office);
	while (!gateway->drained && !hurry())
		post_pump_run(gateway->pump, 100);
	chronicle(gateway, AUDIT_NODE_STOPPED,
		json_pack("{s:s}", "node", gateway->dir.node));
}

struct gateway *gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return NULL;
	if (gateway->started_ms)
		remove_run(gateway);
	gateway_office_stop(gateway->office);
	gateway->relay = relay_free(gateway->relay);
	gateway->web = gateway_web_free(gateway->web);
	gateway->admission = admission_free(gateway->admission);
	gateway->office = gateway_office_free(gateway->office);
	gateway->directories = directories_free(gateway->directories);
	gateway->keeper = journal_keeper_free(gateway->keeper);
	gateway->vault = vault_free(gateway->vault);
	gateway->signer = journal_checkpoint_signer_free(gateway->signer);
	gateway->store = store_close(gateway->store);
	if (gateway->pump)
		post_pump_run(gateway->pump, 0);
	post_pump_free(gateway->pump);
	gateway_plan_addresses_done(&gateway->addresses);
	gateway_config_done(&gateway->config);
	data_dir_close(&gateway->dir);
	pthread_rwlock_destroy(&gateway->lock);
	free(gateway);
	return NULL;
}
