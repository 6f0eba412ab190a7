#include "vault/vault.h"
#include "vault/vault_backups.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/old_keys.h"
#include "vault/tenant_end.h"
#include "vault/vault_inside.h"
#include "vault/vault_record.h"

#define TURN "backup-turn"
#define LOOK_MS 60000
#define CARE_MS 3600000
/* A new service has something worth keeping only after its first minutes. */
#define FIRST_MS 600000

struct job {
	struct post_item item; /* first */
	struct vault *vault;
	void (*run)(struct vault *vault, const char *id);
	char id[VAULT_ID + STATE_TENANT_MAX];
};

struct vault_settings vault_settings_now(struct vault *vault)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	pthread_mutex_lock(&vault->lock);
	struct vault_settings settings = vault->settings;
	pthread_mutex_unlock(&vault->lock);
	return settings;
}

int vault_is_stopping(void *ctx)
{
	return atomic_load(&((struct vault *)ctx)->stopping);
}

void vault_chronicle(struct vault *vault, enum audit_event event, const char *by,
	const char *tenant, json_t *fields)
{
	char *body = NULL;
	int r = audit_body(event, by, "", fields, &body);
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = tenant,
		.license = "",
		.at_ms = clock_wall_ms(),
		.body = body};
	if (r == 0)
		r = store_wait_append(vault->parts.store->journal, &row, 1);
	free(body);
	if (r)
		log_line(LOG_ERROR, "not recorded", LOG_S("event", audit_at(event)->name),
			LOG_S("reason", reason_symbol(r)));
}

static void back_up_in_turn(struct vault *vault)
{
	struct vault_settings settings = vault_settings_now(vault);
	char id[VAULT_ID];
	if (!settings.every_ms ||
		!vault_record_turn(vault->parts.store, TURN, vault->parts.node,
			clock_wall_ms(), settings.every_ms, vault->started_ms + FIRST_MS))
		return;
	if (vault_backups_order(vault, "", "gateway", id))
		log_line(LOG_ERROR, "the scheduled backup was not begun");
}

static void take_care(struct vault *vault)
{
	int64_t now = clock_mono_ms();
	if (now >= vault->look_due_ms) {
		vault->look_due_ms = now + LOOK_MS;
		back_up_in_turn(vault);
	}
	if (now >= vault->care_due_ms && !vault_is_stopping(vault)) {
		vault->care_due_ms = now + CARE_MS;
		vault_reseal_go_on(vault);
		old_keys_destroy(vault->parts.store,
			vault_settings_now(vault).records_days, clock_wall_ms());
		tenant_end_purge_due(vault->parts.store, vault->parts.node,
			clock_wall_ms(), vault_is_stopping, vault);
	}
}

static void *run(void *arg)
{
	struct vault *vault = arg;
	CHECK_OBJ(vault, VAULT_MAGIC);
	vault_backups_tidy_up(vault);
	while (!vault->ended) {
		post_pump_run(vault->pump, 1000);
		if (!vault_is_stopping(vault))
			take_care(vault);
	}
	return NULL;
}

static void run_job(struct post_item *item)
{
	struct job *job = (struct job *)item;
	if (!vault_is_stopping(job->vault))
		job->run(job->vault, job->id);
	free(job);
}

int vault_put_job(struct vault *vault, void (*act)(struct vault *, const char *),
	const char *id)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return -REASON_NO_MEMORY;
	job->item.run = run_job;
	job->vault = vault;
	job->run = act;
	text_clip(job->id, sizeof(job->id), id);
	post_put(post_pump_box(vault->pump), &job->item);
	return 0;
}

void vault_set(struct vault *vault, const struct vault_settings *settings)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	pthread_mutex_lock(&vault->lock);
	vault->settings = *settings;
	pthread_mutex_unlock(&vault->lock);
}

int64_t vault_purge_after_ms(struct vault *vault)
{
	return vault_settings_now(vault).purge_after_ms;
}

int vault_new(const struct vault_parts *parts, const struct vault_settings *settings,
	struct vault **ret)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	if (!vault)
		return -REASON_NO_MEMORY;
	vault->magic = VAULT_MAGIC;
	vault->parts = *parts;
	vault->settings = *settings;
	vault->started_ms = clock_wall_ms();
	int r = post_pump_new(&vault->pump);
	if (r) {
		free(vault);
		return r;
	}
	CHECK(pthread_mutex_init(&vault->lock, NULL) == 0);
	if (pthread_create(&vault->thread, NULL, run, vault)) {
		post_pump_free(vault->pump);
		free(vault);
		return -REASON_NO_MEMORY;
	}
	pthread_setname_np(vault->thread, "vault");
	*ret = vault;
	return 0;
}

struct stop {
	struct post_item item; /* first */
	struct vault *vault;
};

static void run_stop(struct post_item *item)
{
	((struct stop *)item)->vault->ended = 1;
}

struct vault *vault_free(struct vault *vault)
{
	if (!vault)
		return NULL;
	CHECK_OBJ(vault, VAULT_MAGIC);
	struct stop stop = {{NULL, run_stop}, vault};
	atomic_store(&vault->stopping, 1);
	post_put(post_pump_box(vault->pump), &stop.item);
	pthread_join(vault->thread, NULL);
	post_pump_free(vault->pump);
	pthread_mutex_destroy(&vault->lock);
	vault->magic = 0;
	free(vault);
	return NULL;
}
