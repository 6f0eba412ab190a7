#include "admin/tenant_export.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "http/csv.h"
#include "rules/account.h"
#include "rules/license.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PAGE 1000
/* A file of the tar is gathered in memory, because its length stands before it. */
#define FILE_BYTES (4 << 20)
#define FILE_MAX (3 * FILE_BYTES)

struct export
{
	struct store *store;
	const char *tenant;
	struct archive *tar;
	int (*put)(void *ctx, const void *bytes, size_t len);
	void *ctx;
	int status; /* of `put` */
	/* the file that is being gathered, and its twin */
	const char *name, *columns;
	int number;
	struct buf lines, table;
};

static const char readme[] =
	"What Engawa holds of this company, in UTF-8.\n"
	"*.jsonl  one JSON object per line; *.csv  the main members, for spreadsheets.\n"
	"journal/  what was done: audit, login, session, bandwidth rows, oldest first.\n"
	"Times are UTC: members ending in _ms are milliseconds since 1970.\n"
	"Passwords, keys and one-time secrets are left out, and so are targets of "
	"alerts\n"
	"and directories, which consist of them.\n";

static la_ssize_t tar_write(struct archive *tar UNUSED, void *ctx, const void *bytes,
	size_t len)
{
	struct export *export = ctx;
	if (!export->status)
		export->status = export->put(export->ctx, bytes, len);
	return export->status ? -1 : (la_ssize_t)len;
}

static int add_file(struct export *export, const char *name, const void *bytes,
	size_t len)
{
	char path[160];
	struct archive_entry *entry = archive_entry_new();
	if (!entry)
		return -REASON_NO_MEMORY;
	snprintf(path, sizeof(path), "engawa-%s/%s", export->tenant, name);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, clock_wall_ms() / 1000, 0);
	int bad = archive_write_header(export->tar, entry) != ARCHIVE_OK ||
		  (len && archive_write_data(export->tar, bytes, len) != (la_ssize_t)len);
	archive_entry_free(entry);
	if (!bad)
		return 0;
	return export->status ? export->status : -REASON_NO_MEMORY;
}

static int flush(struct export *export, struct buf *buf, const char *ending)
{
	char name[96];
	if (!buf_len(buf))
		return 0;
	/* The first is NAME.jsonl; a second one tells that there are more. */
	if (export->number == 1)
		snprintf(name, sizeof(name), "%s.%s", export->name, ending);
	else
		snprintf(name, sizeof(name), "%s-%d.%s", export->name, export->number,
			ending);
	int r = add_file(export, name, buf_head(buf), buf_len(buf));
	buf_drain(buf, buf_len(buf));
	return r;
}

static int flush_both(struct export *export)
{
	export->number++;
	int r = flush(export, &export->lines, "jsonl");
	return r ? r : flush(export, &export->table, "csv");
}

/* A member as text; numbers and lists as JSON. */
static void put_cell(struct csv *csv, const json_t *value)
{
	if (json_is_string(value)) {
		csv_text(csv, json_string_value(value));
	} else if (json_is_integer(value)) {
		csv_number(csv, json_integer_value(value));
	} else {
		char *text = value && !json_is_null(value)
				     ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
				     : NULL;
		csv_text(csv, text ? text : "");
		free(text);
	}
}

/* `row` NULL: the heads. */
static int put_csv(struct export *export, const json_t *row)
{
	struct csv csv;
	char name[64];
	csv_init(&csv);
	for (const char *at = export->columns; at && *at;) {
		size_t len = strcspn(at, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (row)
			put_cell(&csv, json_object_get(row, name));
		else
			csv_text(&csv, name);
		at += len + strspn(at + len, " ");
	}
	int r = csv_end(&csv);
	if (r == 0)
		r = buf_append(&export->table, buf_head(&csv.line), buf_len(&csv.line));
	csv_done(&csv);
	return r;
}

/* Takes `row` over. */
static int put_row(struct export *export, json_t *row)
{
	char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;
	int r = text ? buf_append(&export->lines, text, strlen(text)) : -REASON_NO_MEMORY;
	if (r == 0)
		r = buf_append(&export->lines, "\n", 1);
	if (r == 0 && export->columns && !buf_len(&export->table))
		r = put_csv(export, NULL);
	if (r == 0 && export->columns)
		r = put_csv(export, row);
	free(text);
	json_decref(row);
	if (r == 0 && buf_len(&export->lines) > FILE_BYTES)
		r = flush_both(export);
	return r;
}

/* What may be shown of a document: never what it is opened with. */
static json_t *show(const struct state_doc *doc)
{
	struct field_error error;
	struct license license;
	struct account account;
	char *text = NULL;
	json_t *object = NULL;
	if (doc->kind == STATE_LICENSE) {
		if (license_read(doc->body, &license, &error) == 0 &&
			license_show(&license, &text) == 0)
			object = json_loads(text, 0, NULL);
	} else if (doc->kind == STATE_ACCOUNT) {
		if (account_read(doc->body, &account, &error) == 0 &&
			account_show(&account, &text) == 0)
			object = json_loads(text, 0, NULL);
	} else {
		object = json_loads(doc->body, 0, NULL);
		if (object)
			json_object_set_new(object, "id", json_string(doc->id));
	}
	free(text);
	return object ? object : json_pack("{s:s, s:b}", "id", doc->id, "damaged", 1);
}

static void begin(struct export *export, const char *name, const char *columns)
{
	export->name = name;
	export->columns = columns;
	export->number = 0;
}

static int put_kind(struct export *export, enum state_kind kind, const char *name,
	const char *columns)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	begin(export, name, columns);
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		r = store_wait_list(export->store->state, kind, export->tenant, after,
			PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = put_row(export, show(&docs.docs[i]));
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r ? r : flush_both(export);
}

static json_t *show_row(const struct journal_row *row)
{
	char at[CLOCK_TEXT];
	json_t *object = json_loads(row->body, 0, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	clock_text(row->at_ms, at);
	json_object_set_new(object, "at", json_string(at));
	json_object_set_new(object, "seq", json_integer((json_int_t)row->seq));
	if (*row->license)
		json_object_set_new(object, "license", json_string(row->license));
	return object;
}

static int put_journal(struct export *export, enum journal_kind kind, const char *name,
	const char *columns)
{
	struct journal_query query = {
		.kind = kind, .tenant = export->tenant, .limit = JOURNAL_QUERY_MAX};
	size_t count = JOURNAL_QUERY_MAX;
	int r = 0;
	begin(export, name, columns);
	while (r == 0 && count == JOURNAL_QUERY_MAX) {
		struct store_rows rows = {0};
		r = store_wait_query(export->store->journal, &query, &rows);
		count = rows.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = put_row(export, show_row(&rows.rows[i]));
		if (count)
			query.after_seq = rows.rows[count - 1].seq;
		store_rows_free(&rows);
	}
	return r ? r : flush_both(export);
}

static int put_all(struct export *export)
{
	static const struct {
		enum state_kind kind;
		const char *name, *columns;
	} kinds[] = {{STATE_TENANT, "company", NULL}, {STATE_GROUP, "groups", NULL},
		{STATE_LICENSE, "licenses",
			"id holder group state labels note created_ms expires_ms"},
		{STATE_HOST, "hosts", "id name device_id bound_ms seen_ms"},
		{STATE_DEVICE, "devices", NULL}, {STATE_POLICY, "policies", NULL},
		{STATE_ACCOUNT, "accounts", "name full_name mail language roles"},
		{STATE_ALERT, "alerts", NULL}, {STATE_ALARM, "alarms", NULL},
		{STATE_USAGE, "usage", NULL}};
	static const struct {
		enum journal_kind kind;
		const char *name, *columns;
	} journals[] = {{JOURNAL_AUDIT, "journal/audit",
				"at seq event severity by address license"},
		{JOURNAL_LOGIN, "journal/login",
			"at seq license side device address outcome reason"},
		{JOURNAL_SESSION, "journal/session",
			"at seq id license host viewer node started ended "
			"bytes_to_viewer "
			"bytes_to_host reason"},
		{JOURNAL_BANDWIDTH, "journal/bandwidth",
			"at seq session license bytes_to_viewer bytes_to_host"}};
	int r = add_file(export, "README.txt", readme, sizeof(readme) - 1);
	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++)
		r = put_kind(export, kinds[i].kind, kinds[i].name, kinds[i].columns);
	for (size_t i = 0; i < ARRAY_LEN(journals) && r == 0; i++)
		r = put_journal(export, journals[i].kind, journals[i].name,
			journals[i].columns);
	return r;
}

int tenant_export_run(struct store *store, const char *tenant,
	int (*put)(void *ctx, const void *bytes, size_t len), void *ctx)
{
	struct export export = {.store = store, .tenant = tenant, .put = put, .ctx = ctx};
	export.tar = archive_write_new();
	if (!export.tar)
		return -REASON_NO_MEMORY;
	buf_init(&export.lines, FILE_MAX);
	buf_init(&export.table, FILE_MAX);
	int r = archive_write_set_format_pax_restricted(export.tar) != ARCHIVE_OK ||
				archive_write_open(export.tar, &export, NULL, tar_write,
					NULL) != ARCHIVE_OK
			? -REASON_NO_MEMORY
			: 0;
	if (r == 0)
		r = put_all(&export);
	if (r == 0 && archive_write_close(export.tar) != ARCHIVE_OK)
		r = export.status ? export.status : -REASON_NO_MEMORY;
	/* After an error nothing more is written, whatever it still holds. */
	export.status = r ? r : export.status;
	archive_write_free(export.tar);
	buf_done(&export.lines);
	buf_done(&export.table);
	return r;
}
