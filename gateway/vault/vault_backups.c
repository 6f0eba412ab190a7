#include "vault/vault_backups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/store_open.h"
#include "vault/backup.h"
#include "vault/backup_key.h"
#include "vault/drill.h"
#include "vault/vault_inside.h"
#include "vault/vault_record.h"

#define DRILL ".drill-"
#define FAILED_KEPT 20
#define FULL (VAULT_PATH + 256)

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
	struct vault_settings settings = vault_settings_now(vault);
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
		.stop = vault_is_stopping,
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
	struct vault_settings settings = vault_settings_now(vault);
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
		vault_chronicle(vault, AUDIT_BACKUP_FAILED, by, "",
			json_pack("{s:s, s:s}", "file", file, "reason",
				reason_symbol(r)));
	} else {
		log_line(LOG_INFO, "backup made", LOG_S("id", id),
			LOG_U("bytes", counts.bytes),
			LOG_U("documents", counts.documents), LOG_U("rows", counts.rows));
		vault_chronicle(vault, AUDIT_BACKUP_MADE, by, "",
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

int vault_backups_order(struct vault *vault, const char *note, const char *by,
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
		r = vault_put_job(vault, run_backup, id);
	if (r == 0)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

/* drills */

static void run_drill(struct vault *vault, const char *id)
{
	struct vault_settings settings = vault_settings_now(vault);
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
	vault_chronicle(vault, AUDIT_BACKUP_DRILLED, by, "",
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

int vault_backups_drill(struct vault *vault, const char *id, const char *by)
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
	return r ? r : vault_put_job(vault, run_drill, id);
}

int vault_backups_remove(struct vault *vault, const char *id)
{
	struct vault_settings settings = vault_settings_now(vault);
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

int vault_backups_show(struct vault *vault, const char *id, json_t **ret)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	return vault_record_get(vault->parts.store, id, ret);
}

int vault_backups_list(struct vault *vault, json_t **ret_array)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	return vault_record_list(vault->parts.store, ret_array);
}

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

void vault_backups_tidy_up(struct vault *vault)
{
	struct vault_settings settings = vault_settings_now(vault);
	json_t *all, *record;
	size_t i;
	if (vault_record_list(vault->parts.store, &all))
		return;
	json_array_foreach(all, i, record) if (is_ours(vault, record))
		give_up(vault, &settings, record);
	json_decref(all);
}
