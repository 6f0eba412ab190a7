#include "vault/backup.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/sealed/sealed_keys.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PAGE 500
#define FILE_MAX (64 * 1024)

const char *const backup_files[] = {"ca.pem", "ca.key", "master.key", "node.pem",
	"node.key", "backup.key", "seed.json", "admin.token", "node.id", NULL};

int backup_has_kind(enum state_kind kind)
{
	return kind != STATE_SESSION && kind != STATE_NODE && kind != STATE_SIGN_IN &&
	       kind != STATE_KEY && kind != STATE_JOIN;
}

struct writing {
	const struct backup_plan *plan;
	struct backup_file *archive;
	struct store *from; /* the snapshot, or the store below */
	struct backup_counts counts;
	uint8_t head[JOURNAL_HASH];
};

/* Takes the object over. */
static int put(struct writing *writing, json_t *object)
{
	char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = line ? backup_file_put(writing->archive, line) : -REASON_NO_MEMORY;
	if (line)
		secret_wipe(line, strlen(line));
	free(line);
	json_decref(object);
	return r;
}

static int put_head(struct writing *writing)
{
	const struct backup_plan *plan = writing->plan;
	struct backup_counts *counts = &writing->counts;
	counts->made_ms = clock_wall_ms();
	int r = store_wait_raise(plan->store->state, 0, &counts->fence);
	if (r)
		return r;
	return put(writing, json_pack("{s:i, s:I, s:s, s:s, s:I, s:s}", "backup", 1,
				    "made_ms", (json_int_t)counts->made_ms, "node",
				    plan->node, "version", ENGAWA_VERSION, "fence",
				    (json_int_t)counts->fence, "note", plan->note));
}

/* One that is not there (a further node has no seed of its own) is left out. */
static int put_file(struct writing *writing, const char *name)
{
	char path[4096], *text = malloc(FILE_MAX + 1);
	struct stat info;
	int r = 0;
	snprintf(path, sizeof(path), "%s/%s", writing->plan->data, name);
	FILE *file = text ? fopen(path, "re") : NULL;
	if (!text)
		return -REASON_NO_MEMORY;
	if (file && fstat(fileno(file), &info) == 0) {
		size_t len = fread(text, 1, FILE_MAX, file);
		text[len] = 0;
		r = put(writing, json_pack("{s:s, s:i, s:s}", "file", name, "mode",
					 (int)(info.st_mode & 0777), "text", text));
		writing->counts.files += r == 0;
		secret_wipe(text, len);
	}
	if (file)
		fclose(file);
	free(text);
	return r;
}

static int put_key(struct writing *writing, const struct state_doc *doc)
{
	uint8_t key[SEALED_BOX_KEY];
	char bare[TEXT_HEX_SIZE(SEALED_BOX_KEY)] = "";
	int there;
	int r = sealed_keys_unwrap(writing->plan->master, doc->id, doc->body, key,
		&there);
	if (r == 0 && there)
		text_hex(bare, key, sizeof(key));
	if (r == 0)
		r = put(writing,
			json_pack("{s:s, s:s, s:s, s:s}", "key", doc->id, "tenant",
				doc->tenant, "body", doc->body, "bare", bare));
	writing->counts.keys += r == 0;
	secret_wipe(key, sizeof(key));
	secret_wipe(bare, sizeof(bare));
	return r;
}

static int put_doc(struct writing *writing, const struct state_doc *doc)
{
	int r = put(writing,
		json_pack("{s:s, s:s, s:s, s:s}", "doc", state_kind_name(doc->kind), "id",
			doc->id, "tenant", doc->tenant, "body", doc->body));
	writing->counts.documents += r == 0;
	return r;
}

static int put_kind(struct writing *writing, enum state_kind kind,
	int (*each)(struct writing *, const struct state_doc *))
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		if (writing->plan->stop && writing->plan->stop(writing->plan->ctx))
			return -REASON_DRAINING;
		r = store_wait_list(writing->from->state, kind, NULL, after, PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = each(writing, &docs.docs[i]);
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

static int put_row(struct writing *writing, const struct journal_row *row)
{
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	text_hex(hash, row->hash, JOURNAL_HASH);
	int r = put(writing,
		json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "row",
			(json_int_t)row->seq, "kind", journal_kind_name(row->kind),
			"tenant", row->tenant, "license", row->license, "at_ms",
			(json_int_t)row->at_ms, "node", row->node, "body", row->body,
			"hash", hash));
	writing->counts.rows += r == 0;
	writing->counts.head_seq = row->seq;
	memcpy(writing->head, row->hash, JOURNAL_HASH);
	return r;
}

static int put_anchor(struct writing *writing, const struct store_rows *rows)
{
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	writing->counts.head_seq = rows->last_seq;
	memcpy(writing->head, rows->last_hash, JOURNAL_HASH);
	text_hex(hash, rows->last_hash, JOURNAL_HASH);
	return put(writing, json_pack("{s:I, s:s}", "anchor", (json_int_t)rows->last_seq,
				    "hash", hash));
}

/* Where the chain begins is told with each page, and counts from the first: a purge that goes by
 * meanwhile moves it, but what that removed was read before. */
static int put_rows(struct writing *writing)
{
	uint64_t after = 0;
	size_t count = 1;
	int r = 0;
	for (int first = 1; r == 0 && count; first = 0) {
		struct store_rows rows = {0};
		if (writing->plan->stop && writing->plan->stop(writing->plan->ctx))
			return -REASON_DRAINING;
		r = store_wait_copy(writing->from->journal, after, &rows);
		count = rows.count;
		if (r == 0 && first) {
			after = rows.last_seq;
			r = put_anchor(writing, &rows);
		}
		for (size_t i = 0; i < count && r == 0; i++)
			r = rows.rows[i].seq == ++after ? put_row(writing, &rows.rows[i])
							: -REASON_STATE_DAMAGED;
		store_rows_free(&rows);
	}
	return r;
}

static int put_end(struct writing *writing)
{
	const struct backup_counts *counts = &writing->counts;
	char head[TEXT_HEX_SIZE(JOURNAL_HASH)];
	text_hex(head, writing->head, JOURNAL_HASH);
	return put(writing,
		json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:s}", "end", 1, "files",
			(json_int_t)counts->files, "keys", (json_int_t)counts->keys,
			"documents", (json_int_t)counts->documents, "rows",
			(json_int_t)counts->rows, "head_seq",
			(json_int_t)counts->head_seq, "head_hash", head));
}

static int put_all(struct writing *writing)
{
	int r = put_head(writing);
	for (size_t i = 0; writing->plan->data && backup_files[i] && r == 0; i++)
		r = put_file(writing, backup_files[i]);
	/* Keys last: whatever key a document was sealed with was there before it. */
	for (int kind = 0; kind < STATE_KINDS && r == 0; kind++)
		if (backup_has_kind((enum state_kind)kind))
			r = put_kind(writing, (enum state_kind)kind, put_doc);
	if (r == 0)
		r = put_rows(writing);
	if (r == 0)
		r = put_kind(writing, STATE_KEY, put_key);
	return r ? r : put_end(writing);
}

static int write_from(struct writing *writing)
{
	const struct backup_plan *plan = writing->plan;
	int r = backup_file_create(plan->dir, plan->name, plan->key, &writing->archive);
	if (r)
		return r;
	r = put_all(writing);
	if (r == 0)
		r = backup_file_commit(writing->archive, &writing->counts.bytes);
	backup_file_free(writing->archive);
	return r;
}

int backup_write(const struct backup_plan *plan, struct backup_counts *ret)
{
	struct writing writing = {.plan = plan};
	struct store *snapshot = NULL;
	char error[STORE_ERROR] = "";
	int r = plan->address ? store_open_snapshot(plan->address, &snapshot, error)
			      : -REASON_CONFIG;
	if (r && r != -REASON_CONFIG) {
		log_line(LOG_WARN, "no snapshot of the store", LOG_S("error", error));
		return r;
	}
	writing.from = snapshot ? snapshot : sealed_store_below(plan->store);
	r = write_from(&writing);
	store_close(snapshot);
	if (r == 0)
		*ret = writing.counts;
	return r;
}
