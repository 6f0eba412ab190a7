#include "link/news.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/text.h"

static enum news_kind kind_of(const char *text)
{
	if (text && !strcmp(text, "planned_stop"))
		return NEWS_PLANNED_STOP;
	return text && !strcmp(text, "end_of_service") ? NEWS_END_OF_SERVICE : NEWS_OTHER;
}

static int64_t time_of(const json_t *object, const char *name)
{
	json_int_t ms = json_integer_value(json_object_get(object, name));
	/* Until the year 9999: what is beyond has no date to print. */
	return ms > 0 && ms < INT64_C(253402300800000) ? ms : 0;
}

static void take_text(const json_t *texts, const char *lang, char ret[static NEWS_TEXT])
{
	const char *text = json_string_value(json_object_get(texts, lang));
	text_escape(ret, NEWS_TEXT, text ? text : "");
}

static int read_item(const json_t *object, struct news_item *item)
{
	const char *id = json_string_value(json_object_get(object, "id"));
	const json_t *texts = json_object_get(object, "text");
	text_escape(item->id, sizeof(item->id), id ? id : "");
	item->kind = kind_of(json_string_value(json_object_get(object, "kind")));
	item->from_ms = time_of(object, "from_ms");
	item->to_ms = time_of(object, "to_ms");
	take_text(texts, "en", item->en);
	take_text(texts, "ja", item->ja);
	return *item->en || *item->ja;
}

void news_read(struct news *ret, const char *json)
{
	json_t *object = json_loads(json, 0, NULL);
	const json_t *items = json_object_get(object, "items"), *item;
	size_t i;
	memset(ret, 0, sizeof(*ret));
	json_array_foreach(items, i, item)
	{
		if (ret->count < NEWS_MAX && read_item(item, &ret->items[ret->count]))
			ret->count++;
	}
	json_decref(object);
}

int news_is_over(const struct news_item *item, int64_t wall_ms)
{
	return item->to_ms && wall_ms >= item->to_ms;
}

const struct news_item *news_next_stop(const struct news *news, int64_t wall_ms)
{
	const struct news_item *next = NULL;
	for (size_t i = 0; i < news->count; i++) {
		const struct news_item *item = &news->items[i];
		if (item->kind != NEWS_PLANNED_STOP || news_is_over(item, wall_ms))
			continue;
		if (!next || item->from_ms < next->from_ms)
			next = item;
	}
	return next;
}

const struct news_item *news_first(const struct news *news, int64_t wall_ms)
{
	const struct news_item *stop = news_next_stop(news, wall_ms);
	for (size_t i = 0; !stop && i < news->count; i++)
		if (!news_is_over(&news->items[i], wall_ms))
			stop = &news->items[i];
	return stop;
}

enum parts { DAY, HOUR, BOTH };

static void local_text(int64_t ms, enum parts parts, char *ret, size_t size)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm at;
	size_t len = 0;
	if (localtime_r(&seconds, &at))
		len = parts == DAY    ? strftime(ret, size, "%Y-%m-%d", &at)
		      : parts == HOUR ? strftime(ret, size, "%H:%M", &at)
				      : strftime(ret, size, "%Y-%m-%d %H:%M", &at);
	if (!len)
		*ret = 0;
}

/* "2026-11-23 22:00 to 23:00"; the second date only where it is another day. */
static void span_text(const struct news_item *item, enum reason_lang lang, char *ret,
	size_t size)
{
	char from[32] = "", to[32] = "", from_day[16] = "", to_day[16] = "";
	if (item->from_ms) {
		local_text(item->from_ms, BOTH, from, sizeof(from));
		local_text(item->from_ms, DAY, from_day, sizeof(from_day));
	}
	if (item->to_ms) {
		local_text(item->to_ms, DAY, to_day, sizeof(to_day));
		local_text(item->to_ms, strcmp(from_day, to_day) ? BOTH : HOUR, to,
			sizeof(to));
	}
	const char *between = lang == REASON_JA ? "～" : " to ";
	snprintf(ret, size, "%s%s%s", from, *to ? between : "", to);
}

void news_line(const struct news_item *item, enum reason_lang lang,
	char ret[static NEWS_LINE])
{
	static const char *const titles[][2] = {
		[NEWS_PLANNED_STOP] = {"Planned stop", "計画停止"},
		[NEWS_END_OF_SERVICE] = {"End of service", "サービス終了"},
		[NEWS_OTHER] = {"Notice", "お知らせ"},
	};
	char span[80] = "";
	int ja = lang == REASON_JA;
	const char *text = (ja && *item->ja) || !*item->en ? item->ja : item->en;
	/* News are of now: when they end is nobody's concern. */
	if (item->kind != NEWS_OTHER)
		span_text(item, lang, span, sizeof(span));
	if (ja)
		snprintf(ret, NEWS_LINE, "【%s】%s%s%s", titles[item->kind][1], span,
			*span ? " " : "", text);
	else
		snprintf(ret, NEWS_LINE, "%s%s%s: %s", titles[item->kind][0],
			*span ? ", " : "", span, text);
}
