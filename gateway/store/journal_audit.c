#include "store/journal_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PAGE 1000
#define LINE 1024

/* All checkpoints that were found, whoever kept them. */
struct kept {
	const struct journal_signer *signer;
	struct journal_checkpoint *items;
	size_t count, room;
	uint64_t forged; /* seq of the first one with a wrong signature; 0: none */
	int damaged;     /* one could not be read at all */
};

static int keep(struct kept *kept, const char *text)
{
	struct journal_checkpoint found;
	if (journal_checkpoint_read(text, &found)) {
		kept->damaged = 1;
		return 0;
	}
	int r = journal_checkpoint_check(kept->signer, &found);
	if (r == -REASON_PROOF_WRONG) {
		if (!kept->forged || found.point.seq < kept->forged)
			kept->forged = found.point.seq;
		return 0;
	}
	if (r == 0 && kept->count == kept->room) {
		size_t room = kept->room ? 2 * kept->room : 256;
		struct journal_checkpoint *more =
			realloc(kept->items, room * sizeof(*more));
		if (!more)
			return -REASON_NO_MEMORY;
		kept->items = more;
		kept->room = room;
	}
	if (r == 0)
		kept->items[kept->count++] = found;
	return r;
}

static int is_checkpoint(const struct state_doc *doc)
{
	return strcmp(doc->id, JOURNAL_CHECKPOINT_NEWEST) == 0 ||
	       strncmp(doc->id, JOURNAL_CHECKPOINT_PREFIX,
		       strlen(JOURNAL_CHECKPOINT_PREFIX)) == 0;
}

/* From the first one on, in order of id, to the last. */
static int keep_documents(struct kept *kept, struct state *state)
{
	char after[STATE_ID_MAX + 1] = "checkpoins"; /* just before them */
	int more = 1, r = 0;
	while (more && r == 0) {
		struct store_docs docs = {0};
		r = store_wait_list(state, STATE_META, NULL, after, PAGE, &docs);
		more = r == 0 && docs.count == PAGE;
		for (size_t i = 0; r == 0 && i < docs.count; i++) {
			more = more && is_checkpoint(&docs.docs[i]);
			if (is_checkpoint(&docs.docs[i]))
				r = keep(kept, docs.docs[i].body);
		}
		if (more)
			snprintf(after, sizeof(after), "%s",
				docs.docs[docs.count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

static int keep_file(struct kept *kept, const char *path, uint64_t *files)
{
	char line[LINE];
	int r = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	(*files)++;
	while (r == 0 && fgets(line, sizeof(line), file))
		/* A line without its end was being written when the power went. */
		if (strchr(line, '\n'))
			r = keep(kept, line);
	fclose(file);
	return r;
}

static int compare(const void *left, const void *right)
{
	const struct journal_checkpoint *a = left, *b = right;
	if (a->point.seq != b->point.seq)
		return a->point.seq < b->point.seq ? -1 : 1;
	return memcmp(a->point.hash, b->point.hash, JOURNAL_HASH);
}

/* In order, and each place of the chain once: two that contradict each other both stay, so that the
 * chain fails one of them. */
static void sort(struct kept *kept)
{
	size_t count = 0;
	if (kept->count)
		qsort(kept->items, kept->count, sizeof(*kept->items), compare);
	for (size_t i = 0; i < kept->count; i++)
		if (!count || compare(&kept->items[i], &kept->items[count - 1]))
			kept->items[count++] = kept->items[i];
	kept->count = count;
}

static int verify(struct store *store, const struct kept *kept, struct journal_audit *ret)
{
	struct store_rows rows = {0};
	struct journal_point *points = calloc(kept->count + 1, sizeof(*points));
	if (!points)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < kept->count; i++)
		points[i] = kept->items[i].point;
	int r = store_wait_verify(store->journal, points, kept->count, &rows);
	free(points);
	if (r)
		return r;
	ret->checked = rows.checked;
	ret->stubs = rows.stubs;
	ret->first_bad = rows.first_bad;
	ret->fault = rows.fault;
	ret->last_seq = rows.last_seq;
	memcpy(ret->last_hash, rows.last_hash, JOURNAL_HASH);
	ret->met = rows.points;
	return 0;
}

static int gather(struct kept *kept, struct store *store, const char *const files[],
	size_t count, uint64_t *ret_files)
{
	int r = keep_documents(kept, store->state);
	for (size_t i = 0; i < count && r == 0; i++)
		r = keep_file(kept, files[i], ret_files);
	sort(kept);
	return r;
}

int journal_audit_run(struct store *store, const struct journal_signer *signer,
	const char *const files[], size_t count, struct journal_audit *ret)
{
	struct kept kept = {.signer = signer};
	struct journal_audit audit = {.at_ms = clock_wall_ms()};
	int r = gather(&kept, store, files, count, &audit.files);
	if (r == 0)
		r = verify(store, &kept, &audit);
	audit.checkpoints = kept.count;
	if (kept.count)
		audit.newest = kept.items[kept.count - 1];
	if (audit.last_seq > audit.newest.point.seq)
		audit.unsigned_rows = audit.last_seq - audit.newest.point.seq;
	if (!audit.fault && (kept.forged || kept.damaged)) {
		audit.fault = "forged checkpoint";
		audit.first_bad = kept.forged;
	}
	free(kept.items);
	if (r == 0)
		*ret = audit;
	return r;
}

static json_t *newest_json(const struct journal_audit *audit)
{
	return audit->newest.point.seq
		       ? json_pack("{s:I, s:I, s:s}", "seq",
				 (json_int_t)audit->newest.point.seq, "at_ms",
				 (json_int_t)audit->newest.point.at_ms, "node",
				 audit->newest.node)
		       : json_null();
}

json_t *journal_audit_json(const struct journal_audit *audit,
	const struct journal_signer *signer)
{
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)], at[CLOCK_TEXT];
	char key[TEXT_B64_SIZE(JOURNAL_CHECKPOINT_PUBLIC)];
	uint8_t public_key[JOURNAL_CHECKPOINT_PUBLIC];
	text_hex(hash, audit->last_hash, JOURNAL_HASH);
	journal_checkpoint_signer_public(signer, public_key);
	text_b64(key, public_key, sizeof(public_key));
	clock_text(audit->at_ms, at);
	return json_pack("{s:b, s:I, s:I, s:I, s:s?, s:I, s:s, s:I, s:I, s:I, s:o, s:I, "
			 "s:I, s:s, s:s}",
		"ok", !audit->fault, "checked", (json_int_t)audit->checked, "stubs",
		(json_int_t)audit->stubs, "first_bad", (json_int_t)audit->first_bad,
		"fault", audit->fault, "last_seq", (json_int_t)audit->last_seq,
		"last_hash", hash, "checkpoints", (json_int_t)audit->checkpoints,
		"checkpoints_met", (json_int_t)audit->met, "files",
		(json_int_t)audit->files, "newest_checkpoint", newest_json(audit),
		"unsigned_rows", (json_int_t)audit->unsigned_rows, "at_ms",
		(json_int_t)audit->at_ms, "at", at, "public_key", key);
}
