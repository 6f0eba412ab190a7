#include "base/reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct reason_row {
	int number;
	const char *symbol;
	int exit_code;
	const char *text[2], *hint[2]; /* [REASON_EN], [REASON_JA] */
} rows[] = {
#define R(number, symbol, exit_code, en, en_hint, ja, ja_hint)                           \
	{number, #symbol, exit_code, {en, ja}, {en_hint, ja_hint}},
#include "base/reason.def"
#undef R
};

static const struct reason_row unknown = {0, "UNKNOWN", 70,
	{"It ended for a reason that this version does not know.",
		"この版が知らない理由で終了しました。"},
	{"Update this program.", "このプログラムを更新してください。"}};

static const struct reason_row none = {0, "NONE", 0,
	{"All is well.", "問題はありません。"}, {"Nothing to do.", "操作は不要です。"}};

static const struct reason_row *find(int reason)
{
	if (reason == 0)
		return &none;
	int number = reason < 0 ? -reason : reason;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return &unknown;
}

const char *reason_symbol(int reason)
{
	return find(reason)->symbol;
}

const char *reason_text(int reason, enum reason_lang lang)
{
	return find(reason)->text[lang];
}

const char *reason_hint(int reason, enum reason_lang lang)
{
	return find(reason)->hint[lang];
}

int reason_exit(int reason)
{
	return find(reason)->exit_code;
}

enum reason reason_parse(const char *symbol)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].symbol, symbol))
			return (enum reason)rows[i].number;
	return REASON_NONE;
}

const char *reason_at(size_t index, int *ret_number)
{
	if (index >= sizeof(rows) / sizeof(rows[0]))
		return NULL;
	if (ret_number)
		*ret_number = rows[index].number;
	return rows[index].symbol;
}

void reason_retry_text(int64_t retry_ms, enum reason_lang lang,
	char ret[static REASON_RETRY_SIZE])
{
	long long seconds = (retry_ms + 999) / 1000;
	int minutes = seconds > 90;
	long long count = minutes ? (seconds + 59) / 60 : seconds;
	*ret = 0;
	if (retry_ms <= 0)
		return;
	if (lang == REASON_JA)
		snprintf(ret, REASON_RETRY_SIZE, "%lld%s後にやり直してください。", count,
			minutes ? "分" : "秒");
	else
		snprintf(ret, REASON_RETRY_SIZE, "Try again in %lld %s.", count,
			minutes ? "min" : "s");
}

enum reason_lang reason_lang_env(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strncmp(value, "ja", 2) ? REASON_EN : REASON_JA;
	}
	return REASON_EN;
}
