#include "permitted.h"

#include <jansson.h>

#include "base/reason.h"
#include "veto.h"

/* Whoever runs the gateway writes any number, and these are added to a clock: a limit beyond this is none. */
#define LONGEST_MS (INT64_C(366) * 24 * 3600 * 1000)

static const struct permitted everything = {
	.rights = INNER_RIGHTS_ALL, .kinds = PERMITTED_KINDS};
static const struct permitted nothing = {.consent = 1, .watermark = 1, .lock_at_end = 1};

static int read_number(const json_t *object, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(object, name);
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -REASON_BAD_MESSAGE;
	*ret = json_integer_value(value);
	return 0;
}

static int read_flag(const json_t *object, const char *name, int *ret)
{
	const json_t *value = json_object_get(object, name);
	if (value && !json_is_boolean(value))
		return -REASON_BAD_MESSAGE;
	*ret = json_is_true(value);
	return 0;
}

static int read_numbers(const json_t *object, struct permitted *permitted)
{
	int64_t rights = 0, kinds = PERMITTED_KINDS;
	const struct {
		const char *name;
		int64_t *ret;
	} numbers[] = {
		{"rights", &rights},
		{"viewer_kinds", &kinds},
		{"max_session_ms", &permitted->max_session_ms},
		{"idle_ms", &permitted->idle_ms},
		{"until_ms", &permitted->until_ms},
		{"clip_max_bytes", &permitted->clip_max_bytes},
		{"file_max_bytes", &permitted->file_max_bytes},
		{"devices_max", &permitted->devices_max},
	};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (read_number(object, numbers[i].name, numbers[i].ret))
			return -REASON_BAD_MESSAGE;
	permitted->rights = (uint16_t)(rights & INNER_RIGHTS_ALL);
	permitted->kinds = (unsigned)(kinds & PERMITTED_KINDS);
	return 0;
}

static int read_policy(const json_t *object, struct permitted *permitted)
{
	if (!json_is_object(object) || read_numbers(object, permitted) ||
		read_flag(object, "consent", &permitted->consent) ||
		read_flag(object, "watermark", &permitted->watermark) ||
		read_flag(object, "lock_at_end", &permitted->lock_at_end))
		return -REASON_BAD_MESSAGE;
	if (permitted->max_session_ms > LONGEST_MS)
		permitted->max_session_ms = 0;
	if (permitted->idle_ms > LONGEST_MS)
		permitted->idle_ms = 0;
	return 0;
}

void permitted_by_policy(const char *text, struct permitted *ret)
{
	struct permitted permitted = everything;
	if (!*text) {
		*ret = everything;
		return;
	}
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	*ret = read_policy(object, &permitted) ? nothing : permitted;
	json_decref(object);
}

void permitted_by_veto(const struct veto *veto, struct permitted *ret)
{
	*ret = (struct permitted){
		.rights = veto_rights(veto, INNER_RIGHTS_ALL),
		.kinds = (veto_kind(veto, INNER_NATIVE) ? PERMITTED_NATIVE : 0u) |
			 (veto_kind(veto, INNER_WEB) ? PERMITTED_WEB : 0u),
		.max_session_ms = veto->max_session_ms,
		.idle_ms = veto->idle_ms,
		.clip_max_bytes = veto->clip_max_bytes,
		.file_max_bytes = veto->file_max_bytes,
		.devices_max = veto->devices_max,
		.consent = veto->consent,
		.watermark = veto->watermark,
		.lock_at_end = veto->lock_at_end,
	};
}

static int64_t least_limit(int64_t a, int64_t b)
{
	if (a <= 0 || b <= 0)
		return a > 0 ? a : b;
	return a < b ? a : b;
}

void permitted_narrow(struct permitted *into, const struct permitted *by)
{
	into->rights &= by->rights;
	into->kinds &= by->kinds;
	into->max_session_ms = least_limit(into->max_session_ms, by->max_session_ms);
	into->idle_ms = least_limit(into->idle_ms, by->idle_ms);
	into->until_ms = least_limit(into->until_ms, by->until_ms);
	into->clip_max_bytes = least_limit(into->clip_max_bytes, by->clip_max_bytes);
	into->file_max_bytes = least_limit(into->file_max_bytes, by->file_max_bytes);
	into->devices_max = least_limit(into->devices_max, by->devices_max);
	into->consent |= by->consent;
	into->watermark |= by->watermark;
	into->lock_at_end |= by->lock_at_end;
}

int permitted_kind(const struct permitted *permitted, enum inner_class class)
{
	unsigned bit = class == INNER_NATIVE ? PERMITTED_NATIVE : PERMITTED_WEB;
	return (permitted->kinds & bit) != 0;
}
