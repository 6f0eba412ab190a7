/* policy: what a company permits in a session. Levels (operator, tenant, group, license) are merged,
 * and each can only narrow what the one above left.
 *
 * A policy is a JSON object. A member that is absent narrows nothing; at the top (the operator's own)
 * it means the default:
 *   "rights"          ["view","control","clip_to_host","clip_to_viewer","file_to_host",
 *                     "file_to_viewer"], default: the first four
 *   "max_session_ms"  longest session, 0: no limit           (least of all levels)
 *   "idle_ms"         longest time without input, 0: no limit
 *   "grace_ms"        how long a session waits for a lost end, default 60000
 *   "hours"           [{"days":["mon",…],"from":"08:00","to":"20:00"}], default: always; a range over
 *                     midnight belongs to the day on which it begins; "24:00" is the end of a day
 *   "zone"            "Asia/Tokyo": the clock that "hours" means, summer time included, default UTC
 *   "offset"          "+09:00": the same without summer time; a level has one of the two
 *   "lock_at_end"     lock the desktop when the session ends (any level can demand it)
 *   "watermark", "consent"   as lock_at_end: shown to the viewer; asked at the office
 *   "viewer_kinds"    ["native","web"], default both
 *   "addresses"       ["192.0.2.0/24","2001:db8::/32"] where viewers may come from, default: all
 *   "clip_max_bytes"  largest text that may be copied, 0: no limit (of the company's)
 *   "file_max_bytes"  largest file, 0: no limit
 *   "devices_max"     viewer devices that may use one license, 0: no limit
 *   "rate_max_bytes"  how many bytes a second one session may carry each way, at least 16384, 0: no limit;
 *                     the relay holds to it
 * The documents are STATE_POLICY: "default", "tenant/T", "group/T/G"; the license has its own inside.
 *
 * Thread: any; pure: time is an argument (wall clock, ms). Errors: -REASON_BAD_VALUE and the field.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"
#include "rules/ip_rule.h"
#include "zone/zone.h"

/* The bits are those of the tunnel (e2e/inner.h), for OPEN. */
#define POLICY_VIEW 0x01
#define POLICY_CONTROL 0x02
#define POLICY_CLIP_TO_HOST 0x04
#define POLICY_CLIP_TO_VIEWER 0x08
#define POLICY_FILE_TO_HOST 0x10
#define POLICY_FILE_TO_VIEWER 0x20
#define POLICY_RIGHTS_ALL 0x3f
#define POLICY_RIGHTS_DEFAULT 0x0f

#define POLICY_NATIVE 0x01
#define POLICY_WEB 0x02

#define POLICY_LEVELS 4
#define POLICY_RANGES 16
#define POLICY_ADDRESSES 64
#define POLICY_GRACE_MS 60000
#define POLICY_GRACE_MAX_MS 3600000
#define POLICY_ID_SIZE 160
#define POLICY_RATE_LEAST 16384
#define POLICY_RATE_MOST INT64_C(10000000000)

struct policy_hours {
	int offset_min;            /* of the company's clock from UTC */
	char zone[ZONE_NAME_SIZE]; /* that clock's zone, or "" */
	size_t count;
	struct {
		uint8_t days;     /* bit 0: Monday */
		int16_t from, to; /* minutes of the day; to <= from: over midnight */
	} ranges[POLICY_RANGES];
};

struct policy_addresses {
	size_t count;
	struct ip_rule rules[POLICY_ADDRESSES];
};

struct policy {
	unsigned rights, viewer_kinds;
	int64_t max_session_ms, idle_ms, grace_ms;
	int64_t clip_max_bytes, file_max_bytes, devices_max, rate_max_bytes;
	/* Of the company's record (tenant.h), for the relay: what all its sessions may carry together. */
	int64_t tenant_rate_max_bytes;
	int lock_at_end, watermark, consent;
	/* One set per level that says something; all of them have to permit. */
	size_t hours_count, addresses_count;
	struct policy_hours hours[POLICY_LEVELS];
	struct policy_addresses addresses[POLICY_LEVELS];
};

/* Ids of the documents; `group` "" is no group. */
#define POLICY_ID_DEFAULT "default"
MUST_CHECK int policy_id_tenant(char ret[static POLICY_ID_SIZE], const char *tenant);
MUST_CHECK int policy_id_group(char ret[static POLICY_ID_SIZE], const char *tenant,
	const char *group);

/* What is permitted when nobody says anything. */
void policy_default(struct policy *ret);
/* One level. Unknown members are errors: a mistyped limit must not be no limit. */
MUST_CHECK int policy_read(const json_t *object, struct policy *ret,
	struct field_error *error);
MUST_CHECK int policy_parse(const char *text, struct policy *ret,
	struct field_error *error);
/* The top level, POLICY_ID_DEFAULT. */
MUST_CHECK int policy_parse_top(const char *text, struct policy *ret,
	struct field_error *error);
/* Narrows `into` by a further level. -REASON_LIMIT after POLICY_LEVELS levels with hours. */
MUST_CHECK int policy_narrow(struct policy *into, const struct policy *by);

/* 0, -REASON_POLICY (kind of viewer), -REASON_ADDRESS_REFUSED, -REASON_OUT_OF_HOURS. */
MUST_CHECK int policy_admit(const struct policy *policy, const char *kind,
	const char *address, int64_t now_ms);
/* When the hours that permit `now_ms` end; 0: never. */
int64_t policy_hours_end(const struct policy *policy, int64_t now_ms);
/* Whether the hours of all levels permit this moment. */
int policy_hours_permit(const struct policy *policy, int64_t now_ms);
/* For OPEN and POLICY: {"rights":15,"max_session_ms":…,"idle_ms":…,"grace_ms":…,"lock_at_end":…,
 * "watermark":…,"consent":…,"until_ms":…,"viewer_kinds":3,"clip_max_bytes":…,"file_max_bytes":…,
 * "devices_max":…,"rate_max_bytes":…,"tenant_rate_max_bytes":…}; the caller frees. -REASON_NO_MEMORY. */
MUST_CHECK int policy_print_open(const struct policy *policy, int64_t now_ms, char **ret);

/* A rate in a document: bytes a second, 0 or POLICY_RATE_LEAST and more. */
MUST_CHECK int policy_read_rate(const json_t *object, const char *name, int64_t *ret,
	struct field_error *error);
/* The name of one POLICY_* bit of rights, "view"; NULL beyond the last. */
const char *policy_right_name(size_t index);

#endif
