#include "vault/vault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/audit.h"
#include "store/sealed/sealed_renew.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/backup.h"
#include "vault/backup_key.h"
#include "vault/drill.h"
#include "vault/old_keys.h"
#include "vault/tenant_end.h"
#include "vault/vault_record.h"

#define VAULT_MAGIC 0x5661756c
#define TURN "backup-turn"
#define RESEAL "reseal/"
#define DRILL ".drill-"
#define LOOK_MS 60000
#define CARE_MS 3600000
/* A new service has something worth keeping only after its first minutes. */
#define FIRST_MS 600000
#define RETRY_MS 3600000
#define FAILED_KEPT 20
#define FULL (VAULT_PATH + 256)

struct vault {
	uint32_t magic;
	struct vault_parts parts;
	pthread_mutex_t lock; /* of the settings */
	struct vault_settings settings;
	struct post_pump *pump;
	pthread_t thread;
	atomic_int stopping;
	int ended; /* on the thread */
	int64_t started_ms, look_due_ms, care_due_ms;
};

struct job {
	struct post_item item; /* first */
	struct vault *vault;
	void (*run)(struct vault *vault, const char *id);
	char id[VAULT_ID + STATE_TENANT_MAX];
};

static struct vault_settings settings_of(struct vault *vault)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	pthread_mutex_lock(&vault->lock);
	struct vault_settings settings = vault->settings;
	pthread_mutex_unlock(&vault->lock);
	return settings;
}

static int is_stopping(void *ctx)
{
	return atomic_load(&((struct vault *)ctx)->stopping);
}

/* What could not be recorded is said in the log. */
static void chronicle(struct vault *vault, enum audit_event event, const char *by,
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

static int put_job(struct vault *vault, void (*run)(struct vault *, const char *),
	const char *id);

static void set_text(json_t *record, const char *member, const char *text)
{
	json_object_set_new(record, member, json_string(text));
}

static void set_number(json_t *record, const char *member, uint64_t number)
{
	json_object_set_new(record, member, json_integer((json_int_t)number));
}

static void save(struct vault *vault, const json_t *record)
{
	int r = vault_record_put(vault->parts.store, record);
	if (r)
		log_line(LOG_ERROR, "a backup's record was not written",
			LOG_S("reason", reason_symbol(r)));
}

static const char *text_of(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));
	return text ? text : "";
}

static int is_ours(const struct vault *vault, const json_t *record)
{
	return strcmp(text_of(record, "node"), vault->parts.node) == 0;
}

static void file_of(const struct vault_settings *settings, const json_t *record,
	char ret[static FULL])
{
	snprintf(ret, FULL, "%s/%s", settings->dir, text_of(record, "file"));
}

/* backups */

static int make_dir(const char *dir)
{
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	return errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL
						  : -REASON_FILE_UNWRITABLE;
}

static int write_backup(struct vault *vault, const json_t *record,
	struct backup_counts *ret)
{
	struct vault_settings settings = settings_of(vault);
	uint8_t key[BACKUP_FILE_KEY];
	char error[256] = "";
	int r = make_dir(settings.dir);
	if (r == 0)
		r = backup_key_make(settings.key, key, error);
	if (r) {
		log_line(LOG_ERROR, "no backup can be made",
			LOG_S("detail", *error ? error : settings.dir));
		return r;
	}
	struct backup_plan plan = {.store = vault->parts.store,
		.address = vault->parts.address,
		.master = vault->parts.master,
		.data = vault->parts.data,
		.node = vault->parts.node,
		.note = text_of(record, "note"),
		.dir = settings.dir,
		.name = text_of(record, "file"),
		.key = key,
		.stop = is_stopping,
		.ctx = vault};
	r = backup_write(&plan, ret);
	secret_wipe(key, sizeof(key));
	return r;
}

static void forget_backup(struct vault *vault, const struct vault_settings *settings,
	const json_t *record)
{
	char path[FULL];
	file_of(settings, record, path);
	if (unlink(path) && errno != ENOENT) {
		log_line(LOG_WARN, "an old backup was not removed", LOG_S("file", path));
		return;
	}
	int r = vault_record_remove(vault->parts.store, text_of(record, "id"));
	if (r)
		log_line(LOG_WARN, "an old backup's record was not removed",
			LOG_S("reason", reason_symbol(r)));
}

/* Only so many generations stay; this node's own, for others it cannot reach. */
static void thin_out(struct vault *vault)
{
	struct vault_settings settings = settings_of(vault);
	json_t *all, *record;
	int64_t good = 0, failed = 0;
	size_t i;
	if (vault_record_list(vault->parts.store, &all))
		return;
	json_array_foreach(all, i, record)
	{
		const char *state = text_of(record, "state");
		if (!is_ours(vault, record))
			continue;
		if ((!strcmp(state, "done") && ++good > settings.generations) ||
			(!strcmp(state, "failed") && ++failed > FAILED_KEPT))
			forget_backup(vault, &settings, record);
	}
	json_decref(all);
}

static void finish_backup(struct vault *vault, json_t *record, int r,
	const struct backup_counts *counts)
{
	set_number(record, "ended_ms", (uint64_t)clock_wall_ms());
	set_text(record, "state", r ? "failed" : "done");
	if (r) {
		set_text(record, "reason", reason_symbol(r));
	} else {
		set_number(record, "made_ms", (uint64_t)counts->made_ms);
		set_number(record, "bytes", counts->bytes);
		set_number(record, "documents", counts->documents);
		set_number(record, "rows", counts->rows);
		set_number(record, "keys", counts->keys);
	}
	save(vault, record);
}

static void run_backup(struct vault *vault, const char *id)
{
	struct backup_counts counts = {0};
	json_t *record;
	int r = vault_record_get(vault->parts.store, id, &record);
	if (r)
		return;
	set_text(record, "state", "running");
	save(vault, record);
	r = write_backup(vault, record, &counts);
	finish_backup(vault, record, r, &counts);
	const char *by = text_of(record, "by"), *file = text_of(record, "file");
	if (r) {
		log_line(LOG_ERROR, "backup failed", LOG_S("id", id),
			LOG_S("reason", reason_symbol(r)));
		chronicle(vault, AUDIT_BACKUP_FAILED, by, "",
			json_pack("{s:s, s:s}", "file", file, "reason",
				reason_symbol(r)));
	} else {
		log_line(LOG_INFO, "backup made", LOG_S("id", id),
			LOG_U("bytes", counts.bytes),
			LOG_U("documents", counts.documents), LOG_U("rows", counts.rows));
		chronicle(vault, AUDIT_BACKUP_MADE, by, "",
			json_pack("{s:s, s:I}", "file", file, "bytes",
				(json_int_t)counts.bytes));
		thin_out(vault);
	}
	json_decref(record);
}

static int new_id(char ret[static VAULT_ID])
{
	uint8_t random[3];
	char tail[TEXT_HEX_SIZE(3)];
	time_t now = clock_wall_ms() / 1000;
	struct tm tm;
	int r = secret_random(random, sizeof(random));
	if (r)
		return r;
	text_hex(tail, random, sizeof(random));
	gmtime_r(&now, &tm);
	size_t len = strftime(ret, VAULT_ID, "%Y%m%dT%H%M%SZ-", &tm);
	snprintf(ret + len, VAULT_ID - len, "%s", tail);
	return 0;
}

int vault_back_up(struct vault *vault, const char *note, const char *by,
	char ret_id[static VAULT_ID])
{
	char id[VAULT_ID], file[VAULT_ID + 16];
	int r = new_id(id);
	if (r)
		return r;
	snprintf(file, sizeof(file), "%s.backup", id);
	json_t *record = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", id,
		"node", vault->parts.node, "file", file, "note", note, "by", by, "state",
		"waiting", "made_ms", (json_int_t)clock_wall_ms());
	r = record ? vault_record_put(vault->parts.store, record) : -REASON_NO_MEMORY;
	json_decref(record);
	if (r == 0)
		r = put_job(vault, run_backup, id);
	if (r == 0)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

/* drills */

static void run_drill(struct vault *vault, const char *id)
{
	struct vault_settings settings = settings_of(vault);
	struct drill_result result = {0};
	char path[FULL], dir[FULL], error[256];
	uint8_t key[BACKUP_FILE_KEY];
	json_t *record;
	if (vault_record_get(vault->parts.store, id, &record))
		return;
	file_of(&settings, record, path);
	snprintf(dir, sizeof(dir), "%s/" DRILL "%s", settings.dir, id);
	int r = backup_key_read(settings.key, key, error);
	if (r == 0)
		r = drill_run(path, key, dir, &result);
	secret_wipe(key, sizeof(key));
	char by[160];
	text_clip(by, sizeof(by), text_of(json_object_get(record, "drill"), "by"));
	json_object_set_new(record, "drill",
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "state",
			r ? "failed" : "good", "by", by, "at_ms",
			(json_int_t)clock_wall_ms(), "documents",
			(json_int_t)result.opened, "rows", (json_int_t)result.rows,
			"checked", (json_int_t)result.checked, "took_ms",
			(json_int_t)result.took_ms, "reason", r ? reason_symbol(r) : ""));
	save(vault, record);
	chronicle(vault, AUDIT_BACKUP_DRILLED, by, "",
		json_pack("{s:s, s:s, s:I, s:I}", "file", text_of(record, "file"),
			"result", r ? reason_symbol(r) : "good", "documents",
			(json_int_t)result.opened, "rows", (json_int_t)result.checked));
	json_decref(record);
}

static int done_record(struct vault *vault, const char *id, json_t **ret)
{
	int r = vault_record_get(vault->parts.store, id, ret);
	if (r)
		return r;
	if (!is_ours(vault, *ret) || strcmp(text_of(*ret, "state"), "done"))
		r = -REASON_CONFLICT;
	if (r)
		json_decref(*ret);
	return r;
}

int vault_drill(struct vault *vault, const char *id, const char *by)
{
	json_t *record;
	int r = done_record(vault, id, &record);
	if (r)
		return r;
	json_object_set_new(record, "drill",
		json_pack("{s:s, s:s, s:I}", "state", "running", "by", by, "at_ms",
			(json_int_t)clock_wall_ms()));
	r = vault_record_put(vault->parts.store, record);
	json_decref(record);
	return r ? r : put_job(vault, run_drill, id);
}

int vault_remove(struct vault *vault, const char *id)
{
	struct vault_settings settings = settings_of(vault);
	char path[FULL];
	json_t *record;
	int r = vault_record_get(vault->parts.store, id, &record);
	if (r)
		return r;
	const char *state = text_of(record, "state");
	if (!is_ours(vault, record) || (strcmp(state, "done") && strcmp(state, "failed")))
		r = -REASON_CONFLICT;
	file_of(&settings, record, path);
	json_decref(record);
	if (r == 0 && unlink(path) && errno != ENOENT)
		r = -REASON_FILE_UNWRITABLE;
	return r ? r : vault_record_remove(vault->parts.store, id);
}

int vault_show(struct vault *vault, const char *id, json_t **ret)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	return vault_record_get(vault->parts.store, id, ret);
}

int vault_list(struct vault *vault, json_t **ret_array)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	return vault_record_list(vault->parts.store, ret_array);
}

/* keys */

static void run_reseal(struct vault *vault, const char *tenant)
{
	struct store *store = vault->parts.store;
	struct sealed_renew count = {0};
	char mark[sizeof(RESEAL) + STATE_TENANT_MAX];
	snprintf(mark, sizeof(mark), RESEAL "%.*s", STATE_TENANT_MAX, tenant);
	int r = sealed_renew_run(sealed_store_below(store)->state,
		sealed_store_keys(store), tenant, SEALED_RENEW_OLD, is_stopping, vault,
		&count);
	if (r == 0)
		r = vault_record_mark(store, mark, NULL);
	log_line(r ? LOG_WARN : LOG_INFO,
		r ? "documents wait for their new key" : "documents sealed anew",
		LOG_S("tenant", tenant), LOG_U("count", count.sealed),
		LOG_S("reason", reason_symbol(r)));
}

int vault_rotate(struct vault *vault, const char *tenant, uint32_t *ret_generation)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	struct store *store = vault->parts.store;
	char mark[sizeof(RESEAL) + STATE_TENANT_MAX];
	json_t *value = json_pack("{s:s, s:I}", "tenant", tenant, "at_ms",
		(json_int_t)clock_wall_ms());
	snprintf(mark, sizeof(mark), RESEAL "%.*s", STATE_TENANT_MAX, tenant);
	int r = value ? vault_record_mark(store, mark, value) : -REASON_NO_MEMORY;
	json_decref(value);
	if (r == 0)
		r = sealed_keys_rotate(sealed_store_keys(store), tenant, ret_generation);
	if (r == 0)
		r = sealed_store_tell(store, tenant);
	return r ? r : put_job(vault, run_reseal, tenant);
}

/* What an earlier run, or another node that is gone, has left to do. */
static void go_on_sealing(struct vault *vault)
{
	struct store_docs docs = {0};
	int r = store_wait_list(vault->parts.store->state, STATE_META, NULL, RESEAL, 1000,
		&docs);
	/* The operator's own mark is what the list begins after. */
	struct store_docs own = {0};
	if (r == 0 &&
		!store_wait_get(vault->parts.store->state, STATE_META, RESEAL, &own))
		run_reseal(vault, "");
	store_docs_free(&own);
	for (size_t i = 0; i < docs.count && !is_stopping(vault); i++) {
		const char *id = docs.docs[i].id;
		if (strncmp(id, RESEAL, sizeof(RESEAL) - 1))
			break;
		run_reseal(vault, id + sizeof(RESEAL) - 1);
	}
	store_docs_free(&docs);
}

/* care */

/* Ordered already while the last run's rest is still looked through. */
static int is_of_this_run(const struct vault *vault, const json_t *at_ms)
{
	json_int_t at = json_integer_value(at_ms);
	return at >= vault->started_ms && at <= clock_wall_ms();
}

static void give_up(struct vault *vault, const struct vault_settings *settings,
	json_t *record)
{
	char path[FULL];
	struct backup_counts none = {0};
	json_t *drill = json_object_get(record, "drill");
	const char *state = text_of(record, "state");
	if (is_of_this_run(vault, json_object_get(record, "made_ms")) ||
		is_of_this_run(vault, json_object_get(drill, "at_ms")))
		return;
	if (!strcmp(state, "waiting") || !strcmp(state, "running")) {
		/* Only its own: other nodes may put theirs into the same directory. */
		snprintf(path, sizeof(path), "%s/.%s.part", settings->dir,
			text_of(record, "file"));
		unlink(path);
		finish_backup(vault, record, -REASON_NODE_STOPPED, &none);
	} else if (!strcmp(text_of(drill, "state"), "running")) {
		snprintf(path, sizeof(path), "%s/" DRILL "%s", settings->dir,
			text_of(record, "id"));
		drill_clear(path);
		set_text(drill, "state", "failed");
		set_text(drill, "reason", reason_symbol(REASON_NODE_STOPPED));
		save(vault, record);
	}
}

/* What was under way when the last process of this node ended. */
static void tidy_up(struct vault *vault)
{
	struct vault_settings settings = settings_of(vault);
	json_t *all, *record;
	size_t i;
	if (vault_record_list(vault->parts.store, &all))
		return;
	json_array_foreach(all, i, record) if (is_ours(vault, record))
		give_up(vault, &settings, record);
	json_decref(all);
}

static void back_up_in_turn(struct vault *vault)
{
	struct vault_settings settings = settings_of(vault);
	char id[VAULT_ID];
	if (!settings.every_ms ||
		!vault_record_turn(vault->parts.store, TURN, vault->parts.node,
			clock_wall_ms(), settings.every_ms, vault->started_ms + FIRST_MS))
		return;
	if (vault_back_up(vault, "", "gateway", id))
		log_line(LOG_ERROR, "the scheduled backup was not begun");
}

static void take_care(struct vault *vault)
{
	int64_t now = clock_mono_ms();
	if (now >= vault->look_due_ms) {
		vault->look_due_ms = now + LOOK_MS;
		back_up_in_turn(vault);
	}
	if (now >= vault->care_due_ms && !is_stopping(vault)) {
		vault->care_due_ms = now + CARE_MS;
		go_on_sealing(vault);
		old_keys_destroy(vault->parts.store, settings_of(vault).records_days,
			clock_wall_ms());
		tenant_end_purge_due(vault->parts.store, vault->parts.node,
			clock_wall_ms(), is_stopping, vault);
	}
}

static void *run(void *arg)
{
	struct vault *vault = arg;
	CHECK_OBJ(vault, VAULT_MAGIC);
	tidy_up(vault);
	while (!vault->ended) {
		post_pump_run(vault->pump, 1000);
		if (!is_stopping(vault))
			take_care(vault);
	}
	return NULL;
}

static void run_job(struct post_item *item)
{
	struct job *job = (struct job *)item;
	if (!is_stopping(job->vault))
		job->run(job->vault, job->id);
	free(job);
}

static int put_job(struct vault *vault, void (*act)(struct vault *, const char *),
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
	return settings_of(vault).purge_after_ms;
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
