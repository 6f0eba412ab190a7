#include "rules/usage.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"

#define HOUR_MS INT64_C(3600000)
#define SHARDS 16
#define PAGE_MAX (256 * 1024)

void usage_sum_add(struct usage_sum *sum, const struct usage_sum *more)
{
	sum->to_viewer += more->to_viewer;
	sum->to_host += more->to_host;
	sum->sessions += more->sessions;
	sum->session_ms += more->session_ms;
}

/* ---- the body ---------------------------------------------------------------------------- */

static int scan_number(const char **at, const char *before, uint64_t *ret)
{
	size_t len = strlen(before);
	uint64_t number = 0;
	if (strncmp(*at, before, len) || (*at)[len] < '0' || (*at)[len] > '9')
		return -REASON_STATE_DAMAGED;
	for (*at += len; **at >= '0' && **at <= '9'; (*at)++)
		number = number * 10 + (uint64_t)(**at - '0');
	*ret = number;
	return 0;
}

int usage_scan_begin(const char *body, uint64_t marks[static USAGE_KINDS],
	struct usage_scan *ret)
{
	static const char sums[] = ",\"sums\":\"";
	if (scan_number(&body, "{\"bandwidth\":", &marks[USAGE_BANDWIDTH]) ||
		scan_number(&body, ",\"session\":", &marks[USAGE_SESSION]) ||
		strncmp(body, sums, sizeof(sums) - 1) != 0)
		return -REASON_STATE_DAMAGED;
	ret->at = body + sizeof(sums) - 1;
	return 0;
}

int usage_scan_next(struct usage_scan *scan, struct usage_line *ret)
{
	if (*scan->at == '"')
		return 0;
	size_t len = strcspn(scan->at, " ;\"");
	if (!len || len >= USAGE_KEY)
		return -REASON_STATE_DAMAGED;
	memcpy(ret->key, scan->at, len);
	ret->key[len] = 0;
	scan->at += len;
	if (scan_number(&scan->at, " ", &ret->sum.to_viewer) ||
		scan_number(&scan->at, " ", &ret->sum.to_host) ||
		scan_number(&scan->at, " ", &ret->sum.sessions) ||
		scan_number(&scan->at, " ", &ret->sum.session_ms) || *scan->at != ';')
		return -REASON_STATE_DAMAGED;
	scan->at++;
	return 1;
}

static int make_room(struct usage_page *page)
{
	if (page->count < page->room)
		return 0;
	size_t room = page->room ? 2 * page->room : 32;
	struct usage_line *lines = realloc(page->lines, room * sizeof(*lines));
	if (!lines)
		return -REASON_NO_MEMORY;
	page->lines = lines;
	page->room = room;
	return 0;
}

int usage_page_read(const char *body, struct usage_page *ret)
{
	struct usage_page page = {.count = 0};
	struct usage_line line;
	struct usage_scan scan;
	int r = body ? usage_scan_begin(body, page.marks, &scan) : 0;
	while (body && r == 0 && (r = usage_scan_next(&scan, &line)) > 0) {
		r = make_room(&page);
		if (r == 0)
			page.lines[page.count++] = line;
	}
	if (r)
		usage_page_done(&page);
	else
		*ret = page;
	return r;
}

int usage_page_write(const struct usage_page *page, char **ret)
{
	struct buf buf;
	char text[USAGE_KEY + 96];
	buf_init(&buf, PAGE_MAX);
	int len = snprintf(text, sizeof(text),
		"{\"bandwidth\":%" PRIu64 ",\"session\":%" PRIu64 ",\"sums\":\"",
		page->marks[USAGE_BANDWIDTH], page->marks[USAGE_SESSION]);
	int r = buf_append(&buf, text, (size_t)len);
	for (size_t i = 0; i < page->count && r == 0; i++) {
		const struct usage_line *line = &page->lines[i];
		len = snprintf(text, sizeof(text),
			"%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 ";", line->key,
			line->sum.to_viewer, line->sum.to_host, line->sum.sessions,
			line->sum.session_ms);
		r = buf_append(&buf, text, (size_t)len);
	}
	if (r == 0)
		r = buf_append(&buf, "\"}", 3);
	char *body = r ? NULL : strdup((const char *)buf_head(&buf));
	buf_done(&buf);
	if (!body)
		return r ? r : -REASON_NO_MEMORY;
	*ret = body;
	return 0;
}

/* Where the key is, or belongs. */
static size_t place_of(const struct usage_page *page, const char *key)
{
	size_t low = 0, high = page->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(page->lines[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int usage_page_add(struct usage_page *page, const char *key, const struct usage_sum *more)
{
	size_t at = place_of(page, key), len = strlen(key);
	if (!len || len >= USAGE_KEY || strpbrk(key, " ;\"\\"))
		return -REASON_BAD_VALUE;
	if (at == page->count || strcmp(page->lines[at].key, key) != 0) {
		int r = make_room(page);
		if (r)
			return r;
		memmove(page->lines + at + 1, page->lines + at,
			(page->count - at) * sizeof(*page->lines));
		page->lines[at] = (struct usage_line){.sum = {0}};
		memcpy(page->lines[at].key, key, len + 1);
		page->count++;
	}
	usage_sum_add(&page->lines[at].sum, more);
	return 0;
}

void usage_page_done(struct usage_page *page)
{
	free(page->lines);
	*page = (struct usage_page){.count = 0};
}

/* ---- rows -------------------------------------------------------------------------------- */

static uint64_t number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));
	return value > 0 ? (uint64_t)value : 0;
}

static int read_bandwidth(const json_t *object, struct usage_row *row)
{
	const char *hour = json_string_value(json_object_get(object, "hour"));
	int64_t at_ms;
	/* Bytes count for the hour in which they were carried, however late the row is. */
	if (hour && !clock_parse(hour, &at_ms))
		row->at_ms = at_ms;
	row->sum.to_viewer = number(object, "bytes_to_viewer");
	row->sum.to_host = number(object, "bytes_to_host");
	return row->sum.to_viewer || row->sum.to_host ? 0 : -REASON_BAD_VALUE;
}

static int read_session(const json_t *object, struct usage_row *row)
{
	const char *event = json_string_value(json_object_get(object, "event"));
	if (!event || strcmp(event, "close"))
		return -REASON_BAD_VALUE;
	row->sum.sessions = 1;
	row->sum.session_ms = number(object, "duration_ms");
	return 0;
}

int usage_row_read(enum usage_kind kind, const char *body, int64_t at_ms,
	struct usage_row *ret)
{
	struct usage_row row = {.at_ms = at_ms};
	json_t *object = json_loads(body, 0, NULL);
	int r = kind == USAGE_BANDWIDTH ? read_bandwidth(object, &row)
					: read_session(object, &row);
	json_decref(object);
	if (r == 0)
		*ret = row;
	return r;
}

/* ---- names ------------------------------------------------------------------------------- */

static struct tm day_of(int64_t at_ms)
{
	struct tm tm;
	time_t seconds = (time_t)(at_ms / 1000);
	gmtime_r(&seconds, &tm);
	return tm;
}

static void id_of_month(const char *kind, const char *name, int64_t at_ms,
	char ret[static USAGE_ID])
{
	struct tm tm = day_of(at_ms);
	snprintf(ret, USAGE_ID, "%s/%.48s/%04d-%02d", kind, name, tm.tm_year + 1900,
		tm.tm_mon + 1);
}

/* Companies of 50,000 licenses stay within what a document may hold. */
static char shard_of(const char *license)
{
	uint32_t hash = 2166136261u;
	for (; *license; license++)
		hash = (hash ^ (uint8_t)*license) * 16777619u;
	return (char)('a' + (hash ^ hash >> 16) % SHARDS);
}

void usage_id_license(const char *license, int64_t at_ms, char ret[static USAGE_ID])
{
	id_of_month("l", license, at_ms, ret);
}

void usage_id_tenant(const char *tenant, int64_t at_ms, char ret[static USAGE_ID])
{
	id_of_month("t", tenant, at_ms, ret);
}

void usage_id_month(const char *tenant, int64_t at_ms, const char *license,
	char ret[static USAGE_ID])
{
	id_of_month("m", tenant, at_ms, ret);
	size_t len = strlen(ret);
	snprintf(ret + len, USAGE_ID - len, "/%c", shard_of(license));
}

void usage_id_day(const char *tenant, int64_t at_ms, const char *license,
	char ret[static USAGE_ID])
{
	id_of_month("d", tenant, at_ms, ret);
	size_t len = strlen(ret);
	snprintf(ret + len, USAGE_ID - len, "-%02d/%c", day_of(at_ms).tm_mday,
		shard_of(license));
}

int64_t usage_month_start_ms(int64_t at_ms)
{
	struct tm tm = day_of(at_ms);
	struct tm first = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = 1};
	return (int64_t)timegm(&first) * 1000;
}

void usage_hour_key(int64_t at_ms, char ret[static USAGE_KEY])
{
	snprintf(ret, USAGE_KEY, "%03d",
		(int)((at_ms - usage_month_start_ms(at_ms)) / HOUR_MS));
}

int64_t usage_id_start_ms(const char *id)
{
	const char *slash = strlen(id) > 2 ? strchr(id + 2, '/') : NULL;
	struct tm tm = {.tm_mday = 1};
	if (!slash || sscanf(slash + 1, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon,
			      &tm.tm_mday) < 2)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000;
}
