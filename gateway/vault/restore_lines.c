#include "vault/restore_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

struct restore_lines {
	struct backup_file *archive;
	json_t *object; /* of the line given out */
};

int restore_lines_open(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct restore_lines **ret)
{
	struct restore_lines *lines = calloc(1, sizeof(*lines));
	if (!lines)
		return -REASON_NO_MEMORY;
	int r = backup_file_open(path, key, &lines->archive);
	if (r)
		free(lines);
	else
		*ret = lines;
	return r;
}

struct restore_lines *restore_lines_close(struct restore_lines *lines)
{
	if (!lines)
		return NULL;
	json_decref(lines->object);
	backup_file_free(lines->archive);
	free(lines);
	return NULL;
}

static int read_head(json_t *object, struct restore_line *ret)
{
	json_int_t made, fence;
	const char *node, *version, *note;
	int form;
	if (json_unpack(object, "{s:i, s:I, s:s, s:s, s:I, s:s}", "backup", &form,
		    "made_ms", &made, "node", &node, "version", &version, "fence", &fence,
		    "note", &note) ||
		form != 1)
		return -REASON_BACKUP_DAMAGED;
	ret->kind = RESTORE_HEAD;
	ret->head.counts.made_ms = made;
	ret->head.counts.fence = (uint64_t)fence;
	text_clip(ret->head.node, sizeof(ret->head.node), node);
	text_clip(ret->head.version, sizeof(ret->head.version), version);
	text_clip(ret->head.note, sizeof(ret->head.note), note);
	return 0;
}

static int read_file(json_t *object, struct restore_line *ret)
{
	ret->kind = RESTORE_FILE;
	if (json_unpack(object, "{s:s, s:i, s:s}", "file", &ret->name, "mode", &ret->mode,
		    "text", &ret->text))
		return -REASON_BACKUP_DAMAGED;
	for (size_t i = 0; backup_files[i]; i++)
		if (strcmp(backup_files[i], ret->name) == 0)
			return 0;
	return -REASON_BACKUP_DAMAGED;
}

static int read_key(json_t *object, struct restore_line *ret)
{
	struct state_doc *doc = &ret->doc;
	ret->kind = RESTORE_KEY;
	doc->kind = STATE_KEY;
	return json_unpack(object, "{s:s, s:s, s:s, s:s}", "key", &doc->id, "tenant",
		       &doc->tenant, "body", &doc->body, "bare", &ret->bare)
		       ? -REASON_BACKUP_DAMAGED
		       : 0;
}

static int read_doc(json_t *object, struct restore_line *ret)
{
	struct state_doc *doc = &ret->doc;
	const char *name;
	ret->kind = RESTORE_DOC;
	if (json_unpack(object, "{s:s, s:s, s:s, s:s}", "doc", &name, "id", &doc->id,
		    "tenant", &doc->tenant, "body", &doc->body))
		return -REASON_BACKUP_DAMAGED;
	for (int kind = 0; kind < STATE_KINDS; kind++) {
		if (strcmp(state_kind_name((enum state_kind)kind), name))
			continue;
		doc->kind = (enum state_kind)kind;
		return backup_has_kind(doc->kind) && !state_doc_check(doc)
			       ? 0
			       : -REASON_BACKUP_DAMAGED;
	}
	return -REASON_BACKUP_DAMAGED;
}

static int read_anchor(json_t *object, struct restore_line *ret)
{
	const char *hash;
	json_int_t seq;
	ret->kind = RESTORE_ANCHOR;
	if (json_unpack(object, "{s:I, s:s}", "anchor", &seq, "hash", &hash) ||
		text_unhex(ret->mark.hash, JOURNAL_HASH, hash))
		return -REASON_BACKUP_DAMAGED;
	ret->mark.seq = (uint64_t)seq;
	return 0;
}

static int read_row(json_t *object, struct restore_line *ret)
{
	struct journal_row *row = &ret->row;
	const char *name, *hash;
	json_int_t seq, at_ms;
	ret->kind = RESTORE_ROW;
	if (json_unpack(object, "{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "row", &seq,
		    "kind", &name, "tenant", &row->tenant, "license", &row->license,
		    "at_ms", &at_ms, "node", &row->node, "body", &row->body, "hash",
		    &hash) ||
		text_unhex(row->hash, JOURNAL_HASH, hash))
		return -REASON_BACKUP_DAMAGED;
	row->seq = (uint64_t)seq;
	row->at_ms = at_ms;
	for (int kind = 0; kind < JOURNAL_KINDS; kind++) {
		if (strcmp(journal_kind_name((enum journal_kind)kind), name))
			continue;
		row->kind = (enum journal_kind)kind;
		return journal_rows_check(row, 1) ? -REASON_BACKUP_DAMAGED : 0;
	}
	return -REASON_BACKUP_DAMAGED;
}

static int read_end(json_t *object, struct restore_line *ret)
{
	json_int_t files, keys, documents, rows, head_seq;
	const char *head;
	int form;
	ret->kind = RESTORE_END;
	if (json_unpack(object, "{s:i, s:I, s:I, s:I, s:I, s:I, s:s}", "end", &form,
		    "files", &files, "keys", &keys, "documents", &documents, "rows",
		    &rows, "head_seq", &head_seq, "head_hash", &head) ||
		text_unhex(ret->mark.hash, JOURNAL_HASH, head))
		return -REASON_BACKUP_DAMAGED;
	ret->mark.seq = (uint64_t)head_seq;
	ret->end = (struct backup_counts){.files = (uint64_t)files,
		.keys = (uint64_t)keys,
		.documents = (uint64_t)documents,
		.rows = (uint64_t)rows,
		.head_seq = (uint64_t)head_seq};
	return 0;
}

int restore_lines_next(struct restore_lines *lines, struct restore_line *ret)
{
	static const struct {
		const char *member;
		int (*read)(json_t *object, struct restore_line *ret);
	} readers[] = {{"row", read_row}, {"anchor", read_anchor}, {"doc", read_doc},
		{"key", read_key}, {"file", read_file}, {"backup", read_head},
		{"end", read_end}};
	const char *line;
	json_decref(lines->object);
	lines->object = NULL;
	*ret = (struct restore_line){.kind = RESTORE_END_OF_FILE};
	int r = backup_file_next(lines->archive, &line);
	if (r <= 0)
		return r;
	lines->object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (json_object_get(lines->object, readers[i].member))
			return readers[i].read(lines->object, ret);
	return -REASON_BACKUP_DAMAGED;
}
