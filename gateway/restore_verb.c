#include "restore_verb.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "setup/chronicle.h"
#include "setup/data_dir.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/backup_key.h"
#include "vault/restore.h"

struct restoring {
	const struct restore_verb_plan *plan;
	char *error;
	uint8_t key[BACKUP_FILE_KEY];
	struct restore_head head;
	struct data_dir dir;
	int is_new;      /* the directory is made here */
	uint8_t *master; /* secret_alloc; that of the backup */
	char address[DATA_DIR_PATH + 16];
	struct backup_counts counts;
};

static int say(struct restoring *restoring, int r, const char *what)
{
	snprintf(restoring->error, RESTORE_VERB_ERROR, "%.600s", what);
	return r;
}

static int say_reason(struct restoring *restoring, int r, const char *what)
{
	snprintf(restoring->error, RESTORE_VERB_ERROR, "%.300s: %.300s", what,
		reason_text(r, REASON_EN));
	return r;
}

static int take_master(void *ctx, const char *name, int mode UNUSED, const char *text)
{
	struct restoring *restoring = ctx;
	char hex[TEXT_HEX_SIZE(SEALED_KEYS_MASTER)] = "";
	if (strcmp(name, "master.key"))
		return 0;
	text_clip(hex, sizeof(hex), text);
	int r = text_unhex(restoring->master, SEALED_KEYS_MASTER, hex);
	secret_wipe(hex, sizeof(hex));
	return r ? -REASON_BACKUP_DAMAGED : 0;
}

/* The master key of where the backup was made, where it holds that. */
static int find_master(struct restoring *restoring)
{
	restoring->master = secret_alloc(SEALED_KEYS_MASTER);
	if (!restoring->master)
		return -REASON_NO_MEMORY;
	int r = restore_files(restoring->plan->from, restoring->key, take_master,
		restoring);
	return r ? say_reason(restoring, r, restoring->plan->from) : 0;
}

static int prepare_new(struct restoring *restoring)
{
	const struct restore_verb_plan *plan = restoring->plan;
	if (!restoring->head.has_files)
		return say(restoring, -REASON_CONFIG,
			"this backup has no files of a node: set the directory up by "
			"engawa-gateway init first");
	if (mkdir(plan->data, 0700) && errno != EEXIST)
		return say(restoring, -REASON_FILE_UNWRITABLE, plan->data);
	restoring->is_new = 1;
	text_clip(restoring->dir.node, sizeof(restoring->dir.node), restoring->head.node);
	return 0;
}

static int prepare_dir(struct restoring *restoring)
{
	const char *path = restoring->plan->data;
	enum data_dir_state state;
	int r = data_dir_look(path, &state);
	if (r)
		return say_reason(restoring, r, path);
	if (state == DATA_DIR_ABSENT || state == DATA_DIR_EMPTY)
		return prepare_new(restoring);
	if (state == DATA_DIR_FOREIGN)
		return say(restoring, -REASON_CONFLICT,
			"the directory holds other files: give an empty one");
	if (state == DATA_DIR_UNFINISHED)
		return say(restoring, -REASON_CONFLICT,
			"something was interrupted in this directory: empty it first");
	r = data_dir_open(path, &restoring->dir, restoring->error);
	return r ? r : data_dir_lock(&restoring->dir, restoring->error);
}

static const uint8_t *master_of(const struct restoring *restoring)
{
	return restoring->is_new ? restoring->master : restoring->dir.master;
}

/* What the restored store says of itself, and its own row about it. */
static int look_at(struct restoring *restoring, struct store *below)
{
	struct store *store;
	struct store_rows rows = {0};
	char error[STORE_ERROR] = "";
	int r = sealed_store_open(below, master_of(restoring), &store, error);
	if (r)
		return say(restoring, r, error);
	r = store_wait_verify(store->journal, NULL, 0, &rows);
	if (r == 0 && (rows.fault || rows.last_seq != restoring->counts.head_seq))
		r = -REASON_BACKUP_DAMAGED;
	store_rows_free(&rows);
	const char *slash = strrchr(restoring->plan->from, '/');
	if (r == 0)
		r = chronicle_write(store, AUDIT_BACKUP_RESTORED,
			json_pack("{s:s}", "file",
				slash ? slash + 1 : restoring->plan->from));
	store_close(store);
	return r ? say_reason(restoring, r, "what was restored is not in order") : 0;
}

static int fill(struct restoring *restoring)
{
	char error[STORE_ERROR] = "";
	struct store *below;
	if (restoring->plan->store)
		text_clip(restoring->address, sizeof(restoring->address),
			restoring->plan->store);
	else
		snprintf(restoring->address, sizeof(restoring->address),
			"sqlite:%.4080s/engawa.db", restoring->plan->data);
	int r = store_open_in(restoring->plan->data, restoring->address,
		restoring->dir.node, &below, error);
	if (r)
		return say(restoring, r, error);
	r = restore_fill(restoring->plan->from, restoring->key, below,
		master_of(restoring),
		restoring->head.has_files ? restoring->master : NULL, &restoring->counts);
	if (r == 0)
		return look_at(restoring, below);
	store_close(below);
	return r == -REASON_CONFLICT
		       ? say(restoring, r, "the store is not empty: nothing was changed")
	       : r == -REASON_STATE_DAMAGED
		       ? say(restoring, r,
				 "an earlier restore into this store was interrupted: "
				 "empty it first")
		       : say_reason(restoring, r, restoring->plan->from);
}

/* node.id, which says that the directory is whole, is the last of them. */
static int put_file(void *ctx, const char *name, int mode, const char *text)
{
	struct restoring *restoring = ctx;
	return data_dir_write(restoring->plan->data, name, text, strlen(text),
		(mode_t)mode & 0700 ? (mode_t)mode & 0644 : 0600, restoring->error);
}

/* The node's own signed checkpoints tell of rows that the backup is older than: with them the chain would be
 * called rewritten, and rightly so. They are put away, not thrown away: they prove what there was. */
static int put_checkpoints_away(struct restoring *restoring)
{
	char name[64], from[DATA_DIR_PATH], to[DATA_DIR_PATH];
	snprintf(name, sizeof(name), "checkpoints-%" PRId64 ".jsonl", clock_wall_ms());
	data_dir_file(restoring->plan->data, "checkpoints.jsonl", from);
	data_dir_file(restoring->plan->data, name, to);
	if (rename(from, to) && errno != ENOENT)
		return say(restoring, -REASON_FILE_UNWRITABLE, from);
	return 0;
}

static void take_down(const struct restoring *restoring)
{
	char path[DATA_DIR_PATH];
	for (size_t i = 0; data_dir_files[i]; i++) {
		data_dir_file(restoring->plan->data, data_dir_files[i], path);
		unlink(path);
	}
	rmdir(restoring->plan->data);
}

static int run(struct restoring *restoring)
{
	const struct restore_verb_plan *plan = restoring->plan;
	char error[256] = "";
	int r = backup_key_read(plan->key, restoring->key, error);
	if (r)
		return say(restoring, r, error);
	/* All of it is looked at before anything is made. */
	r = restore_check(plan->from, restoring->key, &restoring->head);
	if (r)
		return say_reason(restoring, r, plan->from);
	r = find_master(restoring);
	if (r == 0)
		r = prepare_dir(restoring);
	if (r == 0)
		r = fill(restoring);
	if (r == 0 && !restoring->is_new)
		r = put_checkpoints_away(restoring);
	if (r == 0 && restoring->is_new)
		r = restore_files(plan->from, restoring->key, put_file, restoring);
	if (r && restoring->is_new)
		take_down(restoring);
	return r;
}

int restore_verb_run(const struct restore_verb_plan *plan, struct backup_counts *ret,
	char error[static RESTORE_VERB_ERROR])
{
	struct restoring *restoring = calloc(1, sizeof(*restoring));
	if (!restoring)
		return -REASON_NO_MEMORY;
	restoring->plan = plan;
	restoring->error = error;
	restoring->dir.lock = -1;
	int r = run(restoring);
	if (r == 0)
		*ret = restoring->counts;
	secret_wipe(restoring->key, sizeof(restoring->key));
	secret_free(restoring->master, SEALED_KEYS_MASTER);
	data_dir_close(&restoring->dir);
	free(restoring);
	return r;
}

void restore_verb_print(const struct backup_counts *counts, int json, FILE *out)
{
	char made[CLOCK_TEXT];
	clock_text(counts->made_ms, made);
	if (json)
		fprintf(out,
			"{\"made\":\"%s\",\"documents\":%" PRIu64 ",\"rows\":%" PRIu64
			",\"keys\":%" PRIu64 ",\"head_seq\":%" PRIu64 "}\n",
			made, counts->documents, counts->rows, counts->keys,
			counts->head_seq);
	else
		fprintf(out,
			"Restored the state of %s: %" PRIu64 " documents, %" PRIu64
			" journal rows, %" PRIu64 " keys. The chain is in order.\n",
			made, counts->documents, counts->rows, counts->keys);
}
