#include "admin/journal_form.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "base/clock.h"
#include "base/text.h"

struct journal_form {
	const char *name; /* in the path */
	enum journal_kind kind;
	/* CSV columns after those of all kinds; NULL ends */
	const char *columns[16];
};

static const struct journal_form forms[] = {
	{"logins", JOURNAL_LOGIN,
		{"side", "result", "reason", "holder", "device", "name", "address",
			"program", "kind", "new_device", "node"}},
	{"sessions", JOURNAL_SESSION,
		{"id", "host", "viewer", "node", "started", "ended", "bytes_to_viewer",
			"bytes_to_host", "reason"}},
	{"bandwidth", JOURNAL_BANDWIDTH,
		{"session", "hour", "bytes_to_viewer", "bytes_to_host", "node"}},
	{"audit", JOURNAL_AUDIT,
		{"event", "severity", "by", "address", "fields", "node"}},
};

static const char *const common_columns[] = {"seq", "at", "tenant", "license"};

static const struct {
	const char *name, *ja;
} heads_ja[] = {{"seq", "番号"}, {"at", "日時"}, {"tenant", "テナント"},
	{"license", "ライセンス"}, {"side", "側"}, {"result", "結果"}, {"reason", "理由"},
	{"holder", "利用者"}, {"device", "端末"}, {"name", "端末名"},
	{"address", "アドレス"}, {"program", "プログラム"}, {"kind", "種類"},
	{"new_device", "初めての端末"}, {"node", "ノード"}, {"id", "セッション"},
	{"host", "会社のPC"}, {"viewer", "自宅の端末"}, {"started", "開始"},
	{"ended", "終了"}, {"bytes_to_viewer", "自宅へのバイト数"},
	{"bytes_to_host", "会社へのバイト数"}, {"session", "セッション"},
	{"hour", "時間帯"}, {"event", "操作"}, {"severity", "重要度"}, {"by", "操作者"},
	{"fields", "内容"}};

const struct journal_form *journal_form_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

const char *journal_form_name(const struct journal_form *form)
{
	return form->name;
}

enum journal_kind journal_form_kind(const struct journal_form *form)
{
	return form->kind;
}

/* A row of the operator's may be about a company: that one was erased, say. */
static void add_place(json_t *object, const char *name, const char *place)
{
	if (*place || !json_object_get(object, name))
		json_object_set_new(object, name, json_string(place));
}

json_t *journal_form_row(const struct journal_row *row)
{
	char at[CLOCK_TEXT], hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	json_t *object = json_loads(row->body, 0, NULL);

	/* Not one of ours, or its company's key was destroyed: the rest is still true. */
	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	clock_text(row->at_ms, at);
	text_hex(hash, row->hash, sizeof(row->hash));
	json_object_set_new(object, "seq", json_integer((json_int_t)row->seq));
	json_object_set_new(object, "at", json_string(at));
	add_place(object, "tenant", row->tenant);
	add_place(object, "license", row->license);
	if (!json_object_get(object, "node"))
		json_object_set_new(object, "node", json_string(row->node));
	json_object_set_new(object, "hash", json_string(hash));
	call_add_times(object);
	return object;
}

int journal_form_is_opening(const struct journal_form *form, const json_t *row)
{
	const char *event = json_string_value(json_object_get(row, "event"));

	return form->kind == JOURNAL_SESSION && event && !strcmp(event, "open");
}

/* What an audit row has beside the members of all rows, in one cell. */
static char *other_fields(const json_t *object)
{
	static const char *const common[] = {"event", "number", "severity", "by",
		"address", "seq", "at", "tenant", "license", "node", "hash"};
	json_t *rest = json_copy((json_t *)object);

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		json_object_del(rest, common[i]);
	char *text = json_dumps(rest, JSON_COMPACT);
	json_decref(rest);
	return text;
}

static void csv_value(struct csv *csv, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value)) {
		csv_text(csv, json_string_value(value));
	} else if (json_is_integer(value)) {
		csv_number(csv, json_integer_value(value));
	} else if (json_is_boolean(value)) {
		csv_text(csv, json_is_true(value) ? "yes" : "no");
	} else if (!strcmp(name, "fields")) {
		char *text = other_fields(object);
		csv_text(csv, text ? text : "");
		free(text);
	} else {
		csv_text(csv, "");
	}
}

static const char *head_of(const char *name, enum journal_form_heads heads)
{
	for (size_t i = 0; heads == JOURNAL_FORM_JA && i < ARRAY_LEN(heads_ja); i++)
		if (!strcmp(heads_ja[i].name, name))
			return heads_ja[i].ja;
	return name;
}

int journal_form_csv_head(const struct journal_form *form, enum journal_form_heads heads,
	struct csv *csv)
{
	for (size_t i = 0; i < ARRAY_LEN(common_columns); i++)
		csv_text(csv, head_of(common_columns[i], heads));
	for (size_t i = 0; form->columns[i]; i++)
		csv_text(csv, head_of(form->columns[i], heads));
	return csv_end(csv);
}

int journal_form_csv_row(const struct journal_form *form, const json_t *row,
	struct csv *csv)
{
	for (size_t i = 0; i < ARRAY_LEN(common_columns); i++)
		csv_value(csv, row, common_columns[i]);
	for (size_t i = 0; form->columns[i]; i++)
		csv_value(csv, row, form->columns[i]);
	return csv_end(csv);
}
