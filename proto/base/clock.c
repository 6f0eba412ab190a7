#include "base/clock.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/reason.h"

/* 9999-12-31T23:59:59.999Z; RFC 3339 has four digits for the year. */
#define LAST_WALL_MS INT64_C(253402300799999)

static _Atomic int64_t fake_mono_us = -1, fake_wall_ms = -1;

static int64_t read_us(clockid_t id)
{
	struct timespec now;
	CHECK(clock_gettime(id, &now) == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	int64_t fake = atomic_load_explicit(&fake_mono_us, memory_order_relaxed);
	return fake >= 0 ? fake : read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_ms(void)
{
	int64_t fake = atomic_load_explicit(&fake_wall_ms, memory_order_relaxed);
	return fake >= 0 ? fake : read_us(CLOCK_REALTIME) / 1000;
}

void clock_fake(int64_t mono_us, int64_t wall_ms)
{
	atomic_store(&fake_mono_us, mono_us);
	atomic_store(&fake_wall_ms, wall_ms);
}

void clock_text(int64_t wall_ms, char ret[static CLOCK_TEXT])
{
	/* A time that RFC 3339 cannot write is a damaged row; the nearest one that it can write
	 * keeps the line readable. */
	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > LAST_WALL_MS)
		wall_ms = LAST_WALL_MS;
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[CLOCK_TEXT];
	struct tm tm;
	CHECK(gmtime_r(&seconds, &tm) != NULL);
	CHECK(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 19);
	snprintf(ret, CLOCK_TEXT, "%.19s.%03dZ", text, (int)(wall_ms % 1000));
}

/* Exactly `digits` digits with a value of min..max. */
static int number(const char **at, int digits, int min, int max, int *ret)
{
	int value = 0;
	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return -REASON_BAD_VALUE;
		value = value * 10 + (*at)[i] - '0';
	}
	if (value < min || value > max)
		return -REASON_BAD_VALUE;
	*at += digits;
	*ret = value;
	return 0;
}

static int literal(const char **at, const char *any)
{
	if (!**at || !strchr(any, **at))
		return -REASON_BAD_VALUE;
	++*at;
	return 0;
}

static int parse_date(const char **at, struct tm *ret)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	if (number(at, 4, 1969, 9999, &year) || literal(at, "-") ||
		number(at, 2, 1, 12, &month) || literal(at, "-") ||
		number(at, 2, 1, 31, &day))
		return -REASON_BAD_VALUE;
	int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > days[month - 1] + (month == 2 && leap))
		return -REASON_BAD_VALUE;
	ret->tm_year = year - 1900;
	ret->tm_mon = month - 1;
	ret->tm_mday = day;
	return 0;
}

/* Digits after the third are finer than our clock. */
static int parse_fraction(const char **at, int *ret_ms)
{
	int ms = 0, scale = 100;
	if (**at == '.') {
		++*at;
		if (!isdigit((unsigned char)**at))
			return -REASON_BAD_VALUE;
		for (; isdigit((unsigned char)**at); ++*at, scale /= 10)
			ms += (**at - '0') * scale;
	}
	*ret_ms = ms;
	return 0;
}

static int parse_offset(const char **at, int *ret_minutes)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes;
	if (literal(at, "Zz") == 0) {
		*ret_minutes = 0;
		return 0;
	}
	if (literal(at, "+-") || number(at, 2, 0, 23, &hours) || literal(at, ":") ||
		number(at, 2, 0, 59, &minutes))
		return -REASON_BAD_VALUE;
	*ret_minutes = sign * (hours * 60 + minutes);
	return 0;
}

int clock_parse(const char *text, int64_t *ret_wall_ms)
{
	struct tm tm = {0};
	int ms = 0, offset = 0;
	int r = parse_date(&text, &tm);
	if (r)
		return r;
	/* Second 60 is a leap second; it becomes the first of the next minute, as in POSIX. */
	if (*text && (literal(&text, "Tt ") || number(&text, 2, 0, 23, &tm.tm_hour) ||
			     literal(&text, ":") || number(&text, 2, 0, 59, &tm.tm_min) ||
			     literal(&text, ":") || number(&text, 2, 0, 60, &tm.tm_sec) ||
			     parse_fraction(&text, &ms) || parse_offset(&text, &offset)))
		return -REASON_BAD_VALUE;
	int64_t wall_ms = ((int64_t)timegm(&tm) - offset * 60) * 1000 + ms;
	if (*text || wall_ms < 0 || wall_ms > LAST_WALL_MS)
		return -REASON_BAD_VALUE;
	*ret_wall_ms = wall_ms;
	return 0;
}
