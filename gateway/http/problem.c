#include "http/problem.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/detail.h"

static const struct {
	int reason, status;
} statuses[] = {
	{REASON_USAGE, 400},
	{REASON_BAD_VALUE, 400},
	{REASON_BAD_MESSAGE, 400},
	{REASON_LICENSE_KEY_MALFORMED, 400},
	{REASON_CONFIG, 400},
	{REASON_NOT_FOUND, 404},
	{REASON_CONFLICT, 409},
	{REASON_LIMIT, 422},
	{REASON_UNAUTHENTICATED, 401},
	{REASON_FORBIDDEN, 403},
	{REASON_POLICY, 403},
	{REASON_ADDRESS_REFUSED, 403},
	{REASON_PASSWORD_WRONG, 401},
	{REASON_PASSWORD_WEAK, 400},
	{REASON_PASSWORD_CHANGE_NEEDED, 403},
	{REASON_TOTP_NEEDED, 401},
	{REASON_TOTP_SETUP_NEEDED, 403},
	{REASON_STEP_UP_NEEDED, 403},
	{REASON_CROSS_SITE, 403},
	{REASON_TENANT_DISABLED, 403},
	{REASON_MISSING_PROGRAM, 503},
	{REASON_DIRECTORY_UNREACHABLE, 503},
	{REASON_TOTP_WRONG, 401},
	{REASON_LOCKED_OUT, 429},
	{REASON_THROTTLED, 429},
	{REASON_STORE_UNAVAILABLE, 503},
	{REASON_BUSY, 503},
	{REASON_DRAINING, 503},
	{REASON_TIMEOUT, 503},
	{REASON_RECORDING_FAILED, 503},
	{REASON_HOST_OFFLINE, 409},
	{REASON_RECEIVER_FAILED, 502},
	{REASON_TLS_UNTRUSTED, 502},
	{REASON_DISK_FULL, 507},
};

static const struct {
	int status, reason;
	const char *phrase;
} phrases[] = {
	{200, 0, "OK"},
	{201, 0, "Created"},
	{202, 0, "Accepted"},
	{204, 0, "No Content"},
	{303, 0, "See Other"},
	{304, 0, "Not Modified"},
	{400, REASON_BAD_VALUE, "Bad Request"},
	{401, REASON_UNAUTHENTICATED, "Unauthorized"},
	{403, REASON_FORBIDDEN, "Forbidden"},
	{404, REASON_NOT_FOUND, "Not Found"},
	{405, REASON_BAD_VALUE, "Method Not Allowed"},
	{408, REASON_TIMEOUT, "Request Timeout"},
	{409, REASON_CONFLICT, "Conflict"},
	{413, REASON_LIMIT, "Content Too Large"},
	{414, REASON_LIMIT, "URI Too Long"},
	{415, REASON_BAD_VALUE, "Unsupported Media Type"},
	{417, REASON_BAD_VALUE, "Expectation Failed"},
	{422, REASON_LIMIT, "Unprocessable Content"},
	{429, REASON_THROTTLED, "Too Many Requests"},
	{431, REASON_LIMIT, "Request Header Fields Too Large"},
	{500, REASON_INTERNAL, "Internal Server Error"},
	{501, REASON_BAD_VALUE, "Not Implemented"},
	{502, REASON_RECEIVER_FAILED, "Bad Gateway"},
	{503, REASON_BUSY, "Service Unavailable"},
	{505, REASON_VERSION, "HTTP Version Not Supported"},
	{507, REASON_DISK_FULL, "Insufficient Storage"},
};

int problem_status(int reason)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].reason == abs(reason))
			return statuses[i].status;
	return 500;
}

const char *problem_phrase(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

int problem_reason(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status && phrases[i].reason)
			return phrases[i].reason;
	return REASON_INTERNAL;
}

json_t *problem_json(int status, int reason, const char *detail, enum reason_lang lang)
{
	const char *text = reason_text(reason, lang);
	char room[DETAIL_MAX];

	detail = detail_in(lang, detail, room);
	return json_pack("{s:s, s:s, s:i, s:s*, s:s, s:s, s:s}", "type", "about:blank",
		"title", text, "status", status, "detail", detail, "code",
		reason_symbol(reason), "message", text, "hint",
		reason_hint(reason, lang));
}
