#include "rules/alert_event.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Refusals that somebody who guesses or pretends would meet. */
static const char *const failures[] = {"PASSWORD_WRONG", "TOTP_WRONG", "LICENSE_UNKNOWN",
	"PROOF_WRONG", "LOCKED_OUT", "HOST_NOT_BOUND", "DEVICE_UNKNOWN"};

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static size_t put(struct alert_event *ret, const struct alert_row *row,
	enum alert_when when, const char *subject, int64_t amount)
{
	*ret = (struct alert_event){.when = when, .at_ms = row->at_ms, .amount = amount};
	/* What belongs to the service itself is the operator's, whoever caused it. */
	if (alert_kind_at(when)->reach == ALERT_OF_TENANT)
		text_clip(ret->tenant, sizeof(ret->tenant), row->tenant);
	text_clip(ret->license, sizeof(ret->license), row->license);
	field_plain(ret->subject, sizeof(ret->subject), *subject ? subject : "?");
	return 1;
}

static int is_failure(const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (!strcmp(failures[i], reason))
			return 1;
	return 0;
}

static size_t of_login(const struct alert_row *row, const json_t *body,
	struct alert_event *ret)
{
	const char *reason = text(body, "reason");
	/* The id of a license that is not ours is whatever a stranger made up. */
	const char *subject = !strcmp(reason, "LICENSE_UNKNOWN") || !*row->license
				      ? text(body, "address")
				      : row->license;

	if (strcmp(text(body, "result"), "refused"))
		return 0;
	if (is_failure(reason))
		return put(ret, row, ALERT_LOGIN_FAILED, subject, 1);
	if (!strcmp(reason, "OUT_OF_HOURS"))
		return put(ret, row, ALERT_OUT_OF_HOURS, subject, 1);
	if (!strcmp(reason, "VETO"))
		return put(ret, row, ALERT_VETO, subject, 1);
	return 0;
}

/* Names that are no account's are not recorded: then the address is all there is. */
static const char *who(const json_t *body)
{
	const char *account = text(body, "account");

	return *account && strcmp(account, "unknown") ? account : text(body, "address");
}

static size_t of_audit(const struct alert_row *row, const json_t *body,
	struct alert_event *ret)
{
	const char *event = text(body, "event");
	char subject[ALERT_SUBJECT_SIZE];

	if (!strcmp(event, "SIGN_IN_REFUSED"))
		return put(ret, row, ALERT_LOGIN_FAILED, who(body), 1);
	if (!strcmp(event, "DEVICE_NEW")) {
		snprintf(subject, sizeof(subject), "%s %.60s (%.60s)", row->license,
			text(body, "device"), text(body, "name"));
		return put(ret, row, ALERT_DEVICE_NEW, subject, 1);
	}
	if (!strcmp(event, "BACKUP_FAILED"))
		return put(ret, row, ALERT_BACKUP_FAILED, text(body, "reason"), 1);
	if (!strcmp(event, "ACT_UNDONE") && !strncmp(text(body, "of"), "BACKUP_", 7))
		return put(ret, row, ALERT_BACKUP_FAILED, text(body, "reason"), 1);
	if (!strcmp(event, "JOURNAL_VERIFIED") && *text(body, "fault"))
		return put(ret, row, ALERT_JOURNAL, text(body, "fault"), 1);
	return 0;
}

static size_t of_session(const struct alert_row *row, const json_t *body,
	struct alert_event *ret)
{
	const char *reason = text(body, "reason");
	size_t count = 0;

	if (strcmp(text(body, "event"), "close"))
		return 0;
	if (!strcmp(reason, "VETO") || !strcmp(reason, "CONSENT_REFUSED"))
		count += put(&ret[count], row, ALERT_VETO, row->license, 1);
	if (!strcmp(text(json_object_get(body, "receipts"), "agree"), "no"))
		count +=
			put(&ret[count], row, ALERT_RECEIPTS_DIFFER, text(body, "id"), 1);
	return count;
}

static size_t of_bandwidth(const struct alert_row *row, const json_t *body,
	struct alert_event *ret)
{
	int64_t bytes = json_integer_value(json_object_get(body, "bytes_to_viewer")) +
			json_integer_value(json_object_get(body, "bytes_to_host"));

	return bytes > 0 ? put(ret, row, ALERT_BANDWIDTH, row->license, bytes) : 0;
}

size_t alert_event_of(const struct alert_row *row,
	struct alert_event ret[static ALERT_EVENT_MOST])
{
	static const struct {
		const char *kind;
		size_t (*read)(const struct alert_row *row, const json_t *body,
			struct alert_event *ret);
	} readers[] = {{"login", of_login}, {"audit", of_audit}, {"session", of_session},
		{"bandwidth", of_bandwidth}};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (strcmp(readers[i].kind, row->kind))
			continue;
		json_t *body = json_loads(row->body, 0, NULL);
		if (json_is_object(body))
			count = readers[i].read(row, body, ret);
		json_decref(body);
	}
	return count;
}
