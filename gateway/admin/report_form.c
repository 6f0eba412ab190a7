#include "admin/report_form.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/csv.h"
#include "rules/digest.h"

static const char style[] =
	"body{font:11pt/1.5 'Noto Sans CJK JP','Noto Sans JP',sans-serif;margin:2em}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{border:1px solid #888;padding:.3em "
	".5em;text-align:left;vertical-align:top}"
	"thead{display:table-header-group}tr{break-inside:avoid}"
	"code{font-size:9pt;overflow-wrap:anywhere}.bad{font-weight:bold}"
	"@page{size:A4 landscape;margin:12mm}";

/* By enum reason_lang. */
static const char *const titles[] = {
	"Security check sheet", "セキュリティチェックシート"};
static const char *const made[] = {"Made", "作成"};
static const char *const heads[2][7] = {
	{"Sheet", "No.", "Kind", "Question", "Answer", "Good", "Command"},
	{"シート", "番号", "区分", "質問", "回答", "判定", "確認コマンド"}};
static const char *const members[] = {
	"sheet", "row", "kind", "question", "answer", "good", "command"};

void report_form_policy(char ret[static REPORT_FORM_POLICY])
{
	uint8_t hash[DIGEST_SIZE];
	char text[64] = "";

	if (!digest_sha256(style, sizeof(style) - 1, hash))
		EVP_EncodeBlock((uint8_t *)text, hash, sizeof(hash));
	snprintf(ret, REPORT_FORM_POLICY,
		"default-src 'none'; style-src 'sha256-%s'; frame-ancestors 'none'; "
		"base-uri 'none'; form-action 'none'",
		text);
}

static const char *verdict(const json_t *good, enum reason_lang lang)
{
	static const char *const words[2][3] = {{"no", "yes", "-"}, {"否", "適", "-"}};
	return words[lang][json_is_null(good) || !good ? 2 : json_is_true(good)];
}

static const char *cell(const json_t *row, const char *name, enum reason_lang lang)
{
	const json_t *value = json_object_get(row, name);

	if (!strcmp(name, "good"))
		return verdict(value, lang);
	return json_string_value(value) ? json_string_value(value) : "";
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if (*text == '\'')
			fputs("&#39;", out);
		else
			fputc(*text, out);
	}
}

static void put_html_row(FILE *out, const json_t *row, enum reason_lang lang)
{
	int is_bad = json_is_false(json_object_get(row, "good"));

	fputs("<tr>", out);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		int is_code = !strcmp(members[i], "command");
		int marks = is_bad && !strcmp(members[i], "good");
		fprintf(out, "<td%s>%s", marks ? " class=\"bad\"" : "",
			is_code ? "<code>" : "");
		put_escaped(out, cell(row, members[i], lang));
		fputs(is_code ? "</code></td>" : "</td>", out);
	}
	fputs("</tr>\n", out);
}

char *report_form_html(const json_t *rows, int64_t made_ms, enum reason_lang lang)
{
	char *text = NULL, at[CLOCK_TEXT];
	size_t size, i;
	json_t *row;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	clock_text(made_ms, at);
	fprintf(out,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<title>Engawa: %s</title>\n<style>%s</style></head>\n<body><h1>%s</h1>\n"
		"<p>%s: %s, Engawa %s</p>\n<table><thead><tr>",
		lang == REASON_JA ? "ja" : "en", titles[lang], style, titles[lang],
		made[lang], at, ENGAWA_VERSION);
	for (i = 0; i < ARRAY_LEN(members); i++)
		fprintf(out, "<th scope=\"col\">%s</th>", heads[lang][i]);
	fputs("</tr></thead><tbody>\n", out);
	json_array_foreach((json_t *)rows, i, row) put_html_row(out, row, lang);
	fputs("</tbody></table></body></html>\n", out);
	fclose(out);
	return text;
}

char *report_form_text(const json_t *rows, int64_t made_ms, enum reason_lang lang)
{
	char *text = NULL, at[CLOCK_TEXT];
	size_t size, i;
	json_t *row;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	clock_text(made_ms, at);
	fprintf(out, "%s\n%s: %s, Engawa %s\n", titles[lang], made[lang], at,
		ENGAWA_VERSION);
	json_array_foreach((json_t *)rows, i, row) fprintf(out,
		"\n%s %s (%s) [%s] %s\n    %s\n    $ %s\n", cell(row, "sheet", lang),
		cell(row, "row", lang), cell(row, "kind", lang), cell(row, "good", lang),
		cell(row, "question", lang), cell(row, "answer", lang),
		cell(row, "command", lang));
	fclose(out);
	return text;
}

static void csv_cell(struct csv *csv, const json_t *value)
{
	if (json_is_integer(value))
		csv_number(csv, json_integer_value(value));
	else if (json_is_boolean(value))
		csv_text(csv, json_is_true(value) ? "yes" : "no");
	else
		csv_text(csv, json_string_value(value) ? json_string_value(value) : "");
}

static void csv_line(struct csv *csv, FILE *out)
{
	if (!csv_end(csv))
		fwrite(buf_head(&csv->line), 1, buf_len(&csv->line), out);
}

char *report_form_csv(const json_t *rows, const char *const names[])
{
	char *text = NULL;
	size_t size, i;
	json_t *row;
	struct csv csv;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	csv_init(&csv);
	for (const char *const *name = names; *name; name++)
		csv_text(&csv, *name);
	csv_line(&csv, out);
	json_array_foreach((json_t *)rows, i, row)
	{
		for (const char *const *name = names; *name; name++)
			csv_cell(&csv, json_object_get(row, *name));
		csv_line(&csv, out);
	}
	csv_done(&csv);
	fclose(out);
	return text;
}
