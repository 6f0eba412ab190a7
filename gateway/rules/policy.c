#include "rules/policy.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

#define DAY_MIN 1440
#define YEAR_MS (INT64_C(366) * 86400000)
#define BYTES_MAX (INT64_C(1) << 40)
#define DEVICES_MAX 10000

static const char *const members[] = {"rights", "max_session_ms", "idle_ms", "grace_ms",
	"hours", "offset", "lock_at_end", "watermark", "consent", "viewer_kinds",
	"addresses", "zone", "clip_max_bytes", "file_max_bytes", "devices_max",
	"rate_max_bytes", NULL};
static const char *const right_names[] = {"view", "control", "clip_to_host",
	"clip_to_viewer", "file_to_host", "file_to_viewer", NULL};
static const char *const kind_names[] = {"native", "web", NULL};
static const char *const day_names[] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

const char *policy_right_name(size_t index)
{
	return index < ARRAY_LEN(right_names) ? right_names[index] : NULL;
}

PRINTF_LIKE(2, 3)
static int make_id(char ret[static POLICY_ID_SIZE], const char *format, ...)
{
	char id[POLICY_ID_SIZE];
	va_list values;
	va_start(values, format);
	int len = vsnprintf(id, sizeof(id), format, values);
	va_end(values);
	return len < POLICY_ID_SIZE ? text_copy(ret, POLICY_ID_SIZE, id) : -REASON_LIMIT;
}

int policy_id_tenant(char ret[static POLICY_ID_SIZE], const char *tenant)
{
	return make_id(ret, "tenant/%s", tenant);
}

int policy_id_group(char ret[static POLICY_ID_SIZE], const char *tenant,
	const char *group)
{
	return make_id(ret, "group/%s/%s", tenant, group);
}

void policy_default(struct policy *ret)
{
	*ret = (struct policy){.rights = POLICY_RIGHTS_DEFAULT,
		.viewer_kinds = POLICY_NATIVE | POLICY_WEB,
		.grace_ms = POLICY_GRACE_MS};
}

/* A list of words as bits. */
static int read_bits(const json_t *object, const char *name, const char *const words[],
	unsigned *ret, struct field_error *error)
{
	const json_t *list = json_object_get(object, name), *item;
	unsigned bits = 0;
	size_t i;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return field_fail(error, name, "a list of words is expected");
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		size_t at = 0;
		while (text && words[at] && strcmp(words[at], text))
			at++;
		if (!text || !words[at])
			return field_fail(error, name, "\"%.40s\" is not known",
				text ? text : "?");
		bits |= 1u << at;
	}
	*ret = bits;
	return 0;
}

/* "HH:MM" as minutes, at most `most`. */
static int clock_minutes(const char *text, int most, int *ret)
{
	if (strlen(text) != 5 || text[2] != ':')
		return -REASON_BAD_VALUE;
	for (int i = 0; i < 5; i++)
		if (i != 2 && !isdigit((unsigned char)text[i]))
			return -REASON_BAD_VALUE;
	int hour = (text[0] - '0') * 10 + text[1] - '0',
	    minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour * 60 + minute > most)
		return -REASON_BAD_VALUE;
	*ret = hour * 60 + minute;
	return 0;
}

static int read_minutes(const json_t *object, const char *name, int16_t *ret,
	struct field_error *error)
{
	const char *text = json_string_value(json_object_get(object, name));
	int minutes;
	if (!text || clock_minutes(text, DAY_MIN, &minutes))
		return field_fail(error, "hours", "\"%s\" is expected as \"08:00\"",
			name);
	*ret = (int16_t)minutes;
	return 0;
}

static int read_offset(const json_t *object, int *ret, struct field_error *error)
{
	const json_t *member = json_object_get(object, "offset");
	const char *text = json_string_value(member);
	int minutes;
	if (!member || json_is_null(member))
		return 0;
	if (!text || (*text != '+' && *text != '-') ||
		clock_minutes(text + 1, 14 * 60, &minutes))
		return field_fail(error, "offset", "\"+09:00\" is expected");
	*ret = *text == '-' ? -minutes : minutes;
	return 0;
}

static int read_zone(const json_t *object, struct policy_hours *hours,
	struct field_error *error)
{
	char zone[ZONE_NAME_SIZE] = "";
	int r = field_text(object, "zone", FIELD_MAY, zone, sizeof(zone), error);
	if (r || !*zone)
		return r;
	if (hours->offset_min)
		return field_fail(error, "zone", "\"zone\" or \"offset\", not both");
	if (!zone_known(zone))
		return field_fail(error, "zone",
			"a zone like \"Asia/Tokyo\" is expected");
	memcpy(hours->zone, zone, sizeof(hours->zone));
	return 0;
}

static int read_range(const json_t *item, struct policy_hours *hours,
	struct field_error *error)
{
	static const char *const known[] = {"days", "from", "to", NULL};
	unsigned days = 0x7f;
	int16_t from, to;
	if (!json_is_object(item))
		return field_fail(error, "hours",
			"a list of {days, from, to} is expected");
	int r = field_known(item, known, error);
	if (r == 0)
		r = read_bits(item, "days", day_names, &days, error);
	if (r == 0)
		r = read_minutes(item, "from", &from, error);
	if (r == 0)
		r = read_minutes(item, "to", &to, error);
	if (r)
		return r;
	if (from == to || from == DAY_MIN || !days)
		return field_fail(error, "hours", "a range that holds no time");
	hours->ranges[hours->count].days = (uint8_t)days;
	hours->ranges[hours->count].from = from;
	hours->ranges[hours->count].to = to;
	hours->count++;
	return 0;
}

static int read_hours(const json_t *object, struct policy *policy,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "hours"), *item;
	struct policy_hours *hours = &policy->hours[0];
	size_t i;
	int r = read_offset(object, &hours->offset_min, error);
	if (r == 0)
		r = read_zone(object, hours, error);
	if (r || !list || json_is_null(list))
		return r;
	if (!json_is_array(list) || json_array_size(list) > POLICY_RANGES)
		return field_fail(error, "hours",
			"a list of at most %d ranges is expected", POLICY_RANGES);
	json_array_foreach(list, i, item)
	{
		r = read_range(item, hours, error);
		if (r)
			return r;
	}
	/* An empty list says nothing, rather than that nobody may ever come. */
	policy->hours_count = hours->count ? 1 : 0;
	return 0;
}

static int read_addresses(const json_t *object, struct policy *policy,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "addresses"), *item;
	struct policy_addresses *set = &policy->addresses[0];
	size_t i;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > POLICY_ADDRESSES)
		return field_fail(error, "addresses",
			"a list of at most %d networks is expected", POLICY_ADDRESSES);
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		if (!text || ip_rule_parse(text, &set->rules[set->count]))
			return field_fail(error, "addresses",
				"\"%.50s\" is no network like 192.0.2.0/24",
				text ? text : "?");
		set->count++;
	}
	policy->addresses_count = set->count ? 1 : 0;
	return 0;
}

int policy_read_rate(const json_t *object, const char *name, int64_t *ret,
	struct field_error *error)
{
	int64_t rate = *ret;
	int r = field_integer(object, name, FIELD_MAY, 0, POLICY_RATE_MOST, &rate, error);
	if (r == 0 && rate && rate < POLICY_RATE_LEAST)
		r = field_fail(error, name, "0, or at least %d bytes a second",
			POLICY_RATE_LEAST);
	if (r == 0)
		*ret = rate;
	return r;
}

static int read_limits(const json_t *object, struct policy *policy,
	struct field_error *error)
{
	const struct {
		const char *name;
		int64_t most, *ret;
	} limits[] = {
		{"max_session_ms", YEAR_MS, &policy->max_session_ms},
		{"idle_ms", YEAR_MS, &policy->idle_ms},
		{"grace_ms", POLICY_GRACE_MAX_MS, &policy->grace_ms},
		{"clip_max_bytes", BYTES_MAX, &policy->clip_max_bytes},
		{"file_max_bytes", BYTES_MAX, &policy->file_max_bytes},
		{"devices_max", DEVICES_MAX, &policy->devices_max},
	};
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(limits); i++)
		r = field_integer(object, limits[i].name, FIELD_MAY, 0, limits[i].most,
			limits[i].ret, error);
	return r ? r
		 : policy_read_rate(object, "rate_max_bytes", &policy->rate_max_bytes,
			   error);
}

/* Takes over what the object says; on error `policy` is half changed. */
static int read_over(const json_t *object, struct policy *policy,
	struct field_error *error)
{
	if (!json_is_object(object))
		return field_fail(error, "policy", "a JSON object is expected");
	int r = field_known(object, members, error);
	if (r == 0)
		r = read_bits(object, "rights", right_names, &policy->rights, error);
	if (r == 0)
		r = read_limits(object, policy, error);
	if (r == 0)
		r = field_flag(object, "lock_at_end", &policy->lock_at_end, error);
	if (r == 0)
		r = field_flag(object, "watermark", &policy->watermark, error);
	if (r == 0)
		r = field_flag(object, "consent", &policy->consent, error);
	if (r == 0)
		r = read_bits(object, "viewer_kinds", kind_names, &policy->viewer_kinds,
			error);
	if (r == 0)
		r = read_hours(object, policy, error);
	return r ? r : read_addresses(object, policy, error);
}

int policy_read(const json_t *object, struct policy *ret, struct field_error *error)
{
	struct policy policy = {.rights = POLICY_RIGHTS_ALL,
		.viewer_kinds = POLICY_NATIVE | POLICY_WEB,
		.grace_ms = POLICY_GRACE_MAX_MS};
	int r = read_over(object, &policy, error);
	if (r == 0)
		*ret = policy;
	return r;
}

int policy_parse(const char *text, struct policy *ret, struct field_error *error)
{
	json_t *object;
	int r = field_parse(text, &object, error);
	if (r)
		return r;
	r = policy_read(object, ret, error);
	json_decref(object);
	return r;
}

int policy_parse_top(const char *text, struct policy *ret, struct field_error *error)
{
	struct policy policy;
	json_t *object;
	int r = field_parse(text, &object, error);
	if (r)
		return r;
	policy_default(&policy);
	r = read_over(object, &policy, error);
	json_decref(object);
	if (r == 0)
		*ret = policy;
	return r;
}

static int64_t least_limit(int64_t a, int64_t b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

int policy_narrow(struct policy *into, const struct policy *by)
{
	if (into->hours_count + by->hours_count > POLICY_LEVELS ||
		into->addresses_count + by->addresses_count > POLICY_LEVELS)
		return -REASON_LIMIT;
	into->rights &= by->rights;
	into->viewer_kinds &= by->viewer_kinds;
	into->max_session_ms = least_limit(into->max_session_ms, by->max_session_ms);
	into->idle_ms = least_limit(into->idle_ms, by->idle_ms);
	into->clip_max_bytes = least_limit(into->clip_max_bytes, by->clip_max_bytes);
	into->file_max_bytes = least_limit(into->file_max_bytes, by->file_max_bytes);
	into->devices_max = least_limit(into->devices_max, by->devices_max);
	into->rate_max_bytes = least_limit(into->rate_max_bytes, by->rate_max_bytes);
	if (by->grace_ms < into->grace_ms)
		into->grace_ms = by->grace_ms;
	into->lock_at_end |= by->lock_at_end;
	into->watermark |= by->watermark;
	into->consent |= by->consent;
	for (size_t i = 0; i < by->hours_count; i++)
		into->hours[into->hours_count++] = by->hours[i];
	for (size_t i = 0; i < by->addresses_count; i++)
		into->addresses[into->addresses_count++] = by->addresses[i];
	return 0;
}

int policy_admit(const struct policy *policy, const char *kind, const char *address,
	int64_t now_ms)
{
	unsigned bit = 0;
	for (size_t i = 0; kind_names[i]; i++)
		if (strcmp(kind_names[i], kind) == 0)
			bit = 1u << i;
	if (!(policy->viewer_kinds & bit))
		return -REASON_POLICY;
	for (size_t i = 0; i < policy->addresses_count; i++)
		if (!ip_rule_match(policy->addresses[i].rules, policy->addresses[i].count,
			    address))
			return -REASON_ADDRESS_REFUSED;
	return policy_hours_permit(policy, now_ms) ? 0 : -REASON_OUT_OF_HOURS;
}

int policy_print_open(const struct policy *policy, int64_t now_ms, char **ret)
{
	json_t *object =
		json_pack("{s:i, s:I, s:I, s:I, s:b, s:b, s:b, s:I, s:i, s:I, s:I, s:I, "
			  "s:I, s:I}",
			"rights", (int)policy->rights, "max_session_ms",
			(json_int_t)policy->max_session_ms, "idle_ms",
			(json_int_t)policy->idle_ms, "grace_ms",
			(json_int_t)policy->grace_ms, "lock_at_end", policy->lock_at_end,
			"watermark", policy->watermark, "consent", policy->consent,
			"until_ms", (json_int_t)policy_hours_end(policy, now_ms),
			"viewer_kinds", (int)policy->viewer_kinds, "clip_max_bytes",
			(json_int_t)policy->clip_max_bytes, "file_max_bytes",
			(json_int_t)policy->file_max_bytes, "devices_max",
			(json_int_t)policy->devices_max, "rate_max_bytes",
			(json_int_t)policy->rate_max_bytes, "tenant_rate_max_bytes",
			(json_int_t)policy->tenant_rate_max_bytes);
	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}
