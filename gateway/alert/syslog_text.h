/* syslog_text: an alarm as one message of RFC 5424 in UTF-8.
 *
 * Thread: any; pure. Nothing of an alarm can end the message or its structured data.
 */
#ifndef ALERT_SYSLOG_TEXT_H
#define ALERT_SYSLOG_TEXT_H

#include "base/check.h"
#include "rules/alarm.h"

#define SYSLOG_TEXT_SIZE 2048

/* `host` names the sender. Returns the length. */
size_t syslog_text_write(const struct alarm *alarm, const char *host,
	enum reason_lang lang, char ret[static SYSLOG_TEXT_SIZE]);

#endif
