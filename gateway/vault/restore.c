#include "vault/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/journal_checkpoint.h"
#include "store/sealed/sealed_keys.h"
#include "store/store_flow.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/rekey.h"
#include "vault/restore_lines.h"

#define BATCH_ROWS 500
#define BATCH_BYTES (1 << 20)
/* Clocks of two machines may differ by so much. */
#define CLOCK_MS 300000

/* check */

struct checking {
	struct restore_head head;
	struct backup_counts seen;
	struct journal_check chain;
	int begun, anchored, ended;
};

static int check_row(struct checking *checking, const struct journal_row *row)
{
	struct journal_stub stub;
	int r = 1;
	checking->seen.rows++;
	if (!checking->anchored)
		return -REASON_BACKUP_DAMAGED;
	if (!journal_is_stub(row))
		r = journal_chain_row(&checking->chain, row);
	else if (journal_row_stub(row, &stub) == 0)
		r = journal_chain_gone(&checking->chain, &stub);
	return r > 0 ? -REASON_BACKUP_DAMAGED : r;
}

static int check_end(struct checking *checking, const struct restore_line *line)
{
	const struct backup_counts *seen = &checking->seen, *end = &line->end;
	checking->ended = 1;
	checking->seen.head_seq = line->mark.seq;
	journal_chain_end(&checking->chain, &line->mark);
	int good = checking->anchored && !checking->chain.fault &&
		   seen->files == end->files && seen->keys == end->keys &&
		   seen->documents == end->documents && seen->rows == end->rows;
	return good ? 0 : -REASON_BACKUP_DAMAGED;
}

static int check_anchor(struct checking *checking, const struct journal_mark *anchor)
{
	if (checking->anchored)
		return -REASON_BACKUP_DAMAGED;
	checking->anchored = 1;
	journal_chain_start(&checking->chain, anchor, NULL, 0);
	return 0;
}

static int check_line(struct checking *checking, const struct restore_line *line)
{
	/* The head is the first, and one; nothing comes after the end. */
	if (checking->ended || checking->begun == (line->kind == RESTORE_HEAD))
		return -REASON_BACKUP_DAMAGED;
	switch (line->kind) {
	case RESTORE_HEAD:
		checking->begun = 1;
		checking->head = line->head;
		return 0;
	case RESTORE_FILE:
		checking->seen.files++;
		return 0;
	case RESTORE_KEY:
		checking->seen.keys++;
		return 0;
	case RESTORE_DOC:
		checking->seen.documents++;
		return 0;
	case RESTORE_ANCHOR:
		return check_anchor(checking, &line->mark);
	case RESTORE_ROW:
		return check_row(checking, &line->row);
	case RESTORE_END:
		return check_end(checking, line);
	default:
		return -REASON_BACKUP_DAMAGED;
	}
}

int restore_check(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct restore_head *ret)
{
	struct restore_lines *lines;
	struct checking checking = {0};
	struct restore_line line;
	int r = restore_lines_open(path, key, &lines);
	if (r)
		return r;
	while ((r = restore_lines_next(lines, &line)) == 0 &&
		line.kind != RESTORE_END_OF_FILE) {
		r = check_line(&checking, &line);
		if (r)
			break;
	}
	if (r == 0 && !checking.ended)
		r = -REASON_BACKUP_DAMAGED;
	restore_lines_close(lines);
	if (r)
		return r;
	checking.seen.made_ms = checking.head.counts.made_ms;
	checking.seen.fence = checking.head.counts.fence;
	*ret = checking.head;
	ret->counts = checking.seen;
	ret->has_files = checking.seen.files > 0;
	return 0;
}

/* fill */

/* 0, or -REASON_CONFLICT when anything is in it; -REASON_STATE_DAMAGED when it was left half filled. */
static int check_empty(struct store *below)
{
	struct store_docs docs = {0};
	struct store_rows rows = {0};
	int r = store_wait_get(below->state, STATE_META, RESTORE_MARK, &docs);
	store_docs_free(&docs);
	if (r == 0)
		return -REASON_STATE_DAMAGED;
	r = r == -REASON_NOT_FOUND ? 0 : r;
	for (int kind = 0; kind < STATE_KINDS && r == 0; kind++) {
		r = store_wait_list(below->state, (enum state_kind)kind, NULL, NULL, 1,
			&docs);
		if (r == 0 && docs.count)
			r = -REASON_CONFLICT;
		store_docs_free(&docs);
	}
	if (r == 0)
		r = store_wait_look(below->journal, &rows);
	if (r == 0 && rows.last_seq)
		r = -REASON_CONFLICT;
	store_rows_free(&rows);
	return r;
}

struct filling {
	struct store *below;
	const uint8_t *master;
	struct journal_signer *old_signer, *new_signer; /* NULL: checkpoints stay */
	struct store_flow *flow;
	struct backup_counts counts;
	struct journal_point anchor;
	struct journal_row rows[BATCH_ROWS];
	size_t waiting, bytes;
};

static int bring(struct filling *filling)
{
	int r = filling->waiting
			? store_wait_bring(filling->below->journal, &filling->anchor,
				  filling->rows, filling->waiting)
			: 0;
	for (size_t i = 0; i < filling->waiting; i++) {
		free((char *)filling->rows[i].tenant);
		free((char *)filling->rows[i].license);
		free((char *)filling->rows[i].node);
		free((char *)filling->rows[i].body);
	}
	filling->waiting = filling->bytes = 0;
	return r;
}

static int add_row(struct filling *filling, const struct journal_row *from)
{
	struct journal_row *row = &filling->rows[filling->waiting++];
	*row = *from;
	row->tenant = strdup(from->tenant);
	row->license = strdup(from->license);
	row->node = strdup(from->node);
	row->body = strdup(from->body);
	filling->counts.rows++;
	filling->bytes += strlen(from->body);
	if (!row->tenant || !row->license || !row->node || !row->body)
		return -REASON_NO_MEMORY;
	if (filling->waiting < BATCH_ROWS && filling->bytes < BATCH_BYTES)
		return 0;
	return bring(filling);
}

static int put_key(struct filling *filling, const struct restore_line *line)
{
	uint8_t key[SEALED_BOX_KEY];
	char *body = NULL;
	struct state_doc doc = line->doc;
	int r = 0;
	filling->counts.keys++;
	if (*line->bare) {
		r = text_unhex(key, sizeof(key), line->bare) ? -REASON_BACKUP_DAMAGED : 0;
		if (r == 0)
			r = sealed_keys_rewrap(filling->master, doc.id, doc.body, key,
				&body);
		secret_wipe(key, sizeof(key));
		doc.body = body;
	}
	if (r == 0)
		r = store_flow_put(filling->flow, &doc);
	free(body);
	return r;
}

static int put_doc(struct filling *filling, const struct state_doc *from)
{
	struct state_doc doc = *from;
	char *body = NULL;
	filling->counts.documents++;
	if (filling->old_signer && doc.kind == STATE_META &&
		rekey_is_checkpoint(doc.id)) {
		int r = rekey_checkpoint(doc.body, filling->old_signer,
			filling->new_signer, &body);
		if (r < 0)
			return r;
		doc.body = body ? body : doc.body;
	}
	int r = store_flow_put(filling->flow, &doc);
	free(body);
	return r;
}

static int fill_line(struct filling *filling, const struct restore_line *line)
{
	switch (line->kind) {
	case RESTORE_KEY:
		return put_key(filling, line);
	case RESTORE_DOC:
		return put_doc(filling, &line->doc);
	case RESTORE_ANCHOR:
		filling->anchor.seq = line->mark.seq;
		memcpy(filling->anchor.hash, line->mark.hash, JOURNAL_HASH);
		return 0;
	case RESTORE_ROW:
		return add_row(filling, &line->row);
	default:
		return 0;
	}
}

static int fill_all(struct filling *filling, struct restore_lines *lines)
{
	struct restore_line line;
	uint64_t missed = 0;
	int r;
	while ((r = restore_lines_next(lines, &line)) == 0 &&
		line.kind != RESTORE_END_OF_FILE) {
		r = fill_line(filling, &line);
		if (r)
			break;
	}
	int brought = bring(filling);
	if (r == 0)
		r = brought;
	int flown = store_flow_wait(filling->flow, &missed);
	if (r == 0)
		r = flown ? flown : missed ? -REASON_CONFLICT : 0;
	return r;
}

static int fill_marked(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct filling *filling, uint64_t fence)
{
	struct restore_lines *lines;
	uint64_t version, drawn;
	struct state_doc mark = {STATE_META, RESTORE_MARK, "", 0, "{}"};
	int r = store_wait_put(filling->below->state, &mark, &version);
	if (r)
		return r;
	r = restore_lines_open(path, key, &lines);
	if (r)
		return r;
	r = fill_all(filling, lines);
	restore_lines_close(lines);
	if (r == 0)
		r = store_wait_raise(filling->below->state, fence, &drawn);
	if (r == 0)
		r = store_wait_remove(filling->below->state, STATE_META, RESTORE_MARK, 0);
	return r;
}

int restore_fill(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct store *below, const uint8_t *master, const uint8_t *was,
	struct backup_counts *ret)
{
	struct restore_head head;
	int r = restore_check(path, key, &head);
	if (r == 0 && clock_wall_ms() < head.counts.made_ms - CLOCK_MS)
		r = -REASON_CLOCK_OFF;
	if (r == 0)
		r = check_empty(below);
	if (r)
		return r;
	struct filling *filling = calloc(1, sizeof(*filling));
	if (!filling)
		return -REASON_NO_MEMORY;
	filling->below = below;
	filling->master = master;
	r = store_flow_new(below->state, &filling->flow);
	if (r == 0 && was)
		r = journal_checkpoint_signer_new(was, &filling->old_signer);
	if (r == 0 && was)
		r = journal_checkpoint_signer_new(master, &filling->new_signer);
	if (r == 0)
		r = fill_marked(path, key, filling, head.counts.fence);
	if (r == 0)
		*ret = head.counts;
	store_flow_free(filling->flow);
	journal_checkpoint_signer_free(filling->old_signer);
	journal_checkpoint_signer_free(filling->new_signer);
	free(filling);
	return r;
}

int restore_files(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	int (*each)(void *ctx, const char *name, int mode, const char *text), void *ctx)
{
	struct restore_lines *lines;
	struct restore_line line;
	int r = restore_lines_open(path, key, &lines);
	if (r)
		return r;
	/* They come before everything else. */
	while ((r = restore_lines_next(lines, &line)) == 0 &&
		(line.kind == RESTORE_HEAD || line.kind == RESTORE_FILE)) {
		if (line.kind == RESTORE_FILE)
			r = each(ctx, line.name, line.mode, line.text);
		if (r)
			break;
	}
	restore_lines_close(lines);
	return r;
}
