#include "rules/checksheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define SHEET_SAAS "saas"
#define SHEET_TELEWORK "telework"

static const struct checksheet_row rows[] = {
#define Q(sheet, row, kind, probe, command, question, question_ja, answer, answer_ja)    \
	{SHEET_##sheet, row, CHECKSHEET_##kind, command, {question, question_ja},        \
		{answer, answer_ja}},
#include "rules/checksheet.def"
#undef Q
};

const struct checksheet_row *checksheet_at(size_t index)
{
	return index < ARRAY_LEN(rows) ? &rows[index] : NULL;
}

const struct checksheet_row *checksheet_find(const char *row)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].row, row))
			return &rows[i];
	return NULL;
}

const char *checksheet_kind_name(enum checksheet_kind kind)
{
	static const char *const names[] = {"P", "O", "D"};
	return names[kind];
}

static void put_value(FILE *out, const json_t *value, enum reason_lang lang)
{
	static const char *const words[2][2] = {{"no", "yes"}, {"いいえ", "はい"}};
	size_t i;
	json_t *item;

	if (json_is_string(value)) {
		fputs(*json_string_value(value) ? json_string_value(value) : "-", out);
	} else if (json_is_integer(value)) {
		fprintf(out, "%lld", (long long)json_integer_value(value));
	} else if (json_is_boolean(value)) {
		fputs(words[lang][json_is_true(value)], out);
	} else if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, item)
		{
			fputs(i ? ", " : "", out);
			put_value(out, item, lang);
		}
	} else if (json_is_object(value)) {
		const char *of = lang == REASON_JA ? "ja" : "en";
		put_value(out, json_object_get(value, of), lang);
	} else {
		fputs("-", out);
	}
}

char *checksheet_answer(const struct checksheet_row *row, const json_t *values,
	enum reason_lang lang)
{
	const char *at = row->answer[lang];
	char *text = NULL, name[32];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*at) {
		size_t len = *at == '{' ? strcspn(at, "}") : 0;
		if (!len || !at[len] || len >= sizeof(name)) {
			fputc(*at++, out);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)len - 1, at + 1);
		put_value(out, json_object_get(values, name), lang);
		at += len + 1;
	}
	fclose(out);
	return text;
}
