#include "alert/syslog_text.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define FACILITY_AUTHPRIV 10
#define SEVERITY_ERROR 3
#define SEVERITY_WARNING 4
/* RFC 5612: the enterprise number for documentation; Engawa has none of its own. */
#define DATA_ID "engawa@32473"

/* RFC 5424 section 6.3.3: these three must be escaped in a value. */
static size_t put_value(char *ret, size_t size, const char *name, const char *value)
{
	size_t len = (size_t)snprintf(ret, size, " %s=\"", name);
	char clipped[200];

	text_clip(clipped, sizeof(clipped), value);
	for (const char *at = clipped; *at && len + 4 < size; at++) {
		if (strchr("\"\\]", *at))
			ret[len++] = '\\';
		ret[len++] = *at;
	}
	ret[len++] = '"';
	return len;
}

/* A name of the header: printable ASCII without blanks. */
static void header_name(char *ret, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text && len + 1 < size; text++)
		if (*text > 0x20 && *text < 0x7f)
			ret[len++] = *text;
	if (!len)
		ret[len++] = '-';
	ret[len] = '\0';
}

size_t syslog_text_write(const struct alarm *alarm, const char *host,
	enum reason_lang lang, char ret[static SYSLOG_TEXT_SIZE])
{
	const struct alert_kind *kind = alert_kind_at((size_t)alarm->when);
	int severity =
		kind->urgency == ALERT_URGENCY_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING;
	char at[CLOCK_TEXT], text[ALERT_TEXT_SIZE], name[200];
	const char *const values[][2] = {{"alarm", alarm->id}, {"alert", alarm->alert},
		{"tenant", alarm->tenant}, {"license", alarm->license},
		{"subject", alarm->subject}};

	clock_text(alarm->at_ms, at);
	alarm_text(alarm, lang, text);
	header_name(name, sizeof(name), host);
	size_t len = (size_t)snprintf(ret, SYSLOG_TEXT_SIZE,
		"<%d>1 %s %s engawa-gateway - %s [" DATA_ID,
		FACILITY_AUTHPRIV * 8 + severity, at, name, kind->name);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		len += put_value(ret + len, SYSLOG_TEXT_SIZE - len, values[i][0],
			values[i][1]);
	/* The byte order mark says that the text is UTF-8 (section 6.4). */
	return len + (size_t)snprintf(ret + len, SYSLOG_TEXT_SIZE - len,
			     "] \xef\xbb\xbf%s", text);
}
