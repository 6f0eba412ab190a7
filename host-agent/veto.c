#include "veto.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "e2e/inner.h"
#include "zone/zone.h"

#define DAY_MINUTES (24 * 60)
#define WEEK_MINUTES (7 * DAY_MINUTES)
#define AT(field) offsetof(struct veto, field)
#define BYTES_MAX (INT64_C(1) << 40)
#define LONGEST_MS (30 * 24 * 3600 * INT64_C(1000))

// clang-format off
static const struct conf_entry entries[] = {
	{"session", "view_only", CONF_BOOL, AT(view_only), "no", 0, 0, true,
		"viewers see the desktop but cannot type or click"},
	{"session", "hours", CONF_STRING, AT(hours), "", 0, 0, true,
		"when sessions are permitted: Mon-Fri 08:00-20:00, Sat 09:00-12:00; empty: always"},
	{"session", "zone", CONF_STRING, AT(zone), "", 0, 0, true,
		"the clock that hours means, like Asia/Tokyo; empty: this PC's own"},
	{"session", "max_session", CONF_MS, AT(max_session_ms), "0s", 0, LONGEST_MS, true,
		"longest time of one session; 0s: no limit of this PC"},
	{"session", "idle", CONF_MS, AT(idle_ms), "0s", 0, LONGEST_MS, true,
		"a session ends after so long without input of its viewer; 0s: no limit of this PC"},
	{"session", "viewers", CONF_STRING, AT(kinds), "native,web", 0, 0, true,
		"kinds of viewers that are let in: native, web"},
	{"session", "sign", CONF_BOOL, AT(sign), "yes", 0, 0, true,
		"show a bar on the desktop while a session runs, with a button that ends it"},
	{"session", "consent", CONF_BOOL, AT(consent), "no", 0, 0, true,
		"ask whoever sits at this PC before a session begins; nobody answers: no"},
	{"session", "watermark", CONF_BOOL, AT(watermark), "no", 0, 0, true,
		"write who looks over the picture that leaves, faintly"},
	{"session", "lock_at_end", CONF_BOOL, AT(lock_at_end), "no", 0, 0, true,
		"lock the desktop when a session ends"},
	{"session", "lock_command", CONF_STRING, AT(lock_command), "loginctl lock-session", 0, 0, true,
		"what locks the desktop"},
	{"clipboard", "to_host", CONF_BOOL, AT(clipboard_to_host), "yes", 0, 0, true,
		"text copied at home may be pasted here"},
	{"clipboard", "to_viewer", CONF_BOOL, AT(clipboard_to_viewer), "yes", 0, 0, true,
		"text copied here may be pasted at home"},
	{"clipboard", "max_bytes", CONF_SIZE, AT(clip_max_bytes), "0", 0, BYTES_MAX, true,
		"largest text that is copied; 0: no limit of this PC"},
	{"files", "to_host", CONF_BOOL, AT(file_to_host), "yes", 0, 0, true,
		"files may be brought here"},
	{"files", "to_viewer", CONF_BOOL, AT(file_to_viewer), "yes", 0, 0, true,
		"files may be taken home"},
	{"files", "max_bytes", CONF_SIZE, AT(file_max_bytes), "0", 0, BYTES_MAX, true,
		"largest file; 0: no limit of this PC"},
	{"pairing", "devices_max", CONF_INT, AT(devices_max), "0", 0, 16, true,
		"viewers that may be paired at the same time; 0: as many as fit (16)"},
};
// clang-format on

static const char *expected(const struct conf_entry *entry, const char *value);
static const struct conf_table table = {entries, ARRAY_LEN(entries), expected};

void veto_sample(FILE *out)
{
	conf_sample(&table, out);
}

void veto_done(struct veto *veto)
{
	conf_done(&table, veto);
}

static int is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(text, word, len);
}

static int check_kinds(const char *kinds)
{
	while (*kinds) {
		size_t len = strcspn(kinds, ", ");
		if (len && !is_word(kinds, len, "native") && !is_word(kinds, len, "web"))
			return -REASON_BAD_VALUE;
		kinds += len;
		kinds += strspn(kinds, ", ");
	}
	return 0;
}

static const char *expected(const struct conf_entry *entry, const char *value)
{
	if (entry->offset == AT(hours) && veto_hours(value, 0) < 0)
		return "hours like \"Mon-Fri 08:00-20:00, Sat 09:00-12:00\"";
	if (entry->offset == AT(zone) && *value && !zone_known(value))
		return "a zone like \"Asia/Tokyo\"";
	if (entry->offset == AT(kinds) && check_kinds(value) < 0)
		return "viewers like \"native,web\"";
	return NULL;
}

int veto_read(const char *path, struct veto *ret, struct conf_error *error)
{
	struct veto veto = {0};
	int status = conf_defaults(&table, &veto);
	if (!status && access(path, F_OK) == 0)
		status = conf_read(&table, &veto, path, error);
	if (status < 0) {
		veto_done(&veto);
		return status;
	}
	*ret = veto;
	return 0;
}

uint16_t veto_rights(const struct veto *veto, uint16_t rights)
{
	if (veto->view_only)
		rights &= (uint16_t) ~(INNER_RIGHT_CONTROL | INNER_RIGHT_CLIP_TO_HOST |
				       INNER_RIGHT_FILE_TO_HOST);
	if (!veto->clipboard_to_host)
		rights &= (uint16_t)~INNER_RIGHT_CLIP_TO_HOST;
	if (!veto->clipboard_to_viewer)
		rights &= (uint16_t)~INNER_RIGHT_CLIP_TO_VIEWER;
	if (!veto->file_to_host)
		rights &= (uint16_t)~INNER_RIGHT_FILE_TO_HOST;
	if (!veto->file_to_viewer)
		rights &= (uint16_t)~INNER_RIGHT_FILE_TO_VIEWER;
	return rights & INNER_RIGHTS_ALL;
}

static int local_minute(const struct tm *local)
{
	return (local->tm_wday + 6) % 7 * DAY_MINUTES + local->tm_hour * 60 +
	       local->tm_min;
}

/* The minute of the week by the clock that the file means; negative: the system does not know that zone. */
static int week_minute_of(const struct veto *veto, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm local;
	int minutes;
	if (!*veto->zone) {
		localtime_r(&seconds, &local);
		return local_minute(&local);
	}
	if (zone_offset(veto->zone, wall_ms, &minutes))
		return -REASON_BAD_VALUE;
	seconds += minutes * 60;
	gmtime_r(&seconds, &local);
	return local_minute(&local);
}

static int kind_permitted(const char *kinds, const char *kind)
{
	const char *found = strstr(kinds, kind);
	return found && (found == kinds || strchr(", ", found[-1]));
}

int veto_kind(const struct veto *veto, int class)
{
	return kind_permitted(veto->kinds, class == INNER_NATIVE ? "native" : "web");
}

int veto_admits(const struct veto *veto, int class, int64_t wall_ms)
{
	if (!veto_kind(veto, class))
		return -REASON_VETO;
	int minute = week_minute_of(veto, wall_ms);
	int open = minute < 0 ? minute : veto_hours(veto->hours, minute);
	if (open < 0)
		return -REASON_VETO;
	return open ? 0 : -REASON_OUT_OF_HOURS;
}

static int parse_day(const char **at)
{
	static const char *const names[] = {
		"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	for (int day = 0; day < 7; day++) {
		if (!strncasecmp(*at, names[day], 3)) {
			*at += 3;
			return day;
		}
	}
	return -1;
}

static int parse_minute(const char **at)
{
	int hour, minute, used = 0;
	if (sscanf(*at, "%2d:%2d%n", &hour, &minute, &used) != 2 || used < 4)
		return -1;
	if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || (hour == 24 && minute))
		return -1;
	*at += used;
	return hour * 60 + minute;
}

struct span {
	int first_day, last_day, from, to; /* to <= from: over midnight */
};

static int parse_span(const char **at, struct span *ret)
{
	struct span span;
	span.first_day = span.last_day = parse_day(at);
	if (span.first_day < 0)
		return -REASON_BAD_VALUE;
	if (**at == '-') {
		++*at;
		span.last_day = parse_day(at);
	}
	if (span.last_day < 0 || **at != ' ')
		return -REASON_BAD_VALUE;
	*at += strspn(*at, " ");
	span.from = parse_minute(at);
	if (span.from < 0 || *(*at)++ != '-')
		return -REASON_BAD_VALUE;
	span.to = parse_minute(at);
	if (span.to < 0 || span.from == span.to)
		return -REASON_BAD_VALUE;
	*ret = span;
	return 0;
}

static int span_contains(const struct span *span, int week_minute)
{
	int length = (span->to - span->from + DAY_MINUTES) % DAY_MINUTES;
	if (span->to == DAY_MINUTES && span->from == 0)
		length = DAY_MINUTES;
	for (int day = span->first_day;; day = (day + 1) % 7) {
		int since = week_minute - (day * DAY_MINUTES + span->from);
		since = (since % WEEK_MINUTES + WEEK_MINUTES) % WEEK_MINUTES;
		if (since < length)
			return 1;
		if (day == span->last_day)
			return 0;
	}
}

int veto_hours(const char *hours, int week_minute)
{
	const char *at = hours + strspn(hours, " ");
	if (!*at)
		return 1;
	int open = 0;
	for (;;) {
		struct span span;
		int status = parse_span(&at, &span);
		if (status < 0)
			return status;
		open |= span_contains(&span, week_minute);
		at += strspn(at, " ");
		if (!*at)
			return open;
		if (*at != ',')
			return -REASON_BAD_VALUE;
		at++;
		at += strspn(at, " ");
	}
}
