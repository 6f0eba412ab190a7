#include "ctl/dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/reason.h"

#define DAY_MS INT64_C(86400000)

static int64_t local_ms(struct tm *tm)
{
	tm->tm_isdst = -1;
	return (int64_t)mktime(tm) * 1000;
}

/* Through the calendar, not by adding 24 h: days with a change of the clock are shorter or longer. */
static int64_t day_ms(struct tm day, int offset, enum dates_edge edge)
{
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_mday += offset + (edge == DATES_LAST);
	return local_ms(&day);
}

static int parse_word(const char *text, enum dates_edge edge, int64_t *ret_ms)
{
	static const struct {
		const char *word;
		int offset;
	} days[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};
	int64_t now = clock_wall_ms();
	time_t seconds = now / 1000;
	struct tm tm;

	if (!strcmp(text, "now")) {
		*ret_ms = now;
		return 0;
	}
	localtime_r(&seconds, &tm);
	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		if (!strcmp(text, days[i].word)) {
			*ret_ms = day_ms(tm, days[i].offset, edge);
			return 0;
		}
	return -REASON_BAD_VALUE;
}

static int parse_offset(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS},
		{"w", 7 * DAY_MS}};
	char *unit;
	long count;

	if (text[0] != '+' && text[0] != '-')
		return -REASON_BAD_VALUE;
	if (text[1] < '0' || text[1] > '9' || strlen(text) > 8)
		return -REASON_BAD_VALUE;
	count = strtol(text, &unit, 10);
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (!strcmp(unit, units[i].unit)) {
			*ret_ms = clock_wall_ms() + count * units[i].ms;
			return 0;
		}
	return -REASON_BAD_VALUE;
}

static int parse_local(const char *text, enum dates_edge edge, int64_t *ret_ms)
{
	struct tm tm = {0};
	char *end = strptime(text, "%Y-%m-%d", &tm);
	struct tm day = tm;

	if (!end || end - text != 10)
		return -REASON_BAD_VALUE;
	if (mktime(&day) == -1 || day.tm_mday != tm.tm_mday)
		return -REASON_BAD_VALUE; /* 31st of February */
	if (!*end) {
		*ret_ms = day_ms(tm, 0, edge);
		return 0;
	}
	if (*end != 'T' && *end != ' ')
		return -REASON_BAD_VALUE;
	const char *time = end + 1;
	end = strptime(time, "%H:%M:%S", &tm);
	if (!end)
		end = strptime(time, "%H:%M", &tm);
	if (!end || *end)
		return -REASON_BAD_VALUE;
	*ret_ms = local_ms(&tm);
	return 0;
}

int dates_parse(const char *text, enum dates_edge edge, int64_t *ret_ms)
{
	if (!parse_word(text, edge, ret_ms) || !parse_offset(text, ret_ms) ||
		!parse_local(text, edge, ret_ms))
		return 0;
	return clock_parse(text, ret_ms);
}

void dates_text(int64_t ms, char ret[static DATES_TEXT])
{
	time_t seconds = ms / 1000;
	struct tm tm;

	if (!ms || !localtime_r(&seconds, &tm) ||
		!strftime(ret, DATES_TEXT, "%Y-%m-%d %H:%M:%S", &tm))
		ret[0] = '\0';
}
