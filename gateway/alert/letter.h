/* letter: one alarm on its way to one receiver, and how it is sent: by webhook, mail or syslog.
 *
 * Thread: any that may block; sending takes at most LETTER_TIME_MS. Owner: the caller; a letter borrows.
 * Errors: -REASON_ADDRESS_REFUSED (target.h), -REASON_TLS_UNTRUSTED, -REASON_TIMEOUT,
 * -REASON_RECEIVER_FAILED when it cannot be reached or says no, each with one line in `error`.
 */
#ifndef ALERT_LETTER_H
#define ALERT_LETTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "alert/target.h"
#include "base/check.h"
#include "rules/alarm.h"
#include "rules/route.h"

#define LETTER_TIME_MS 15000
#define LETTER_ERROR 160

struct letter {
	const struct route *route;
	const struct alarm *alarm;
	const char *id;   /* the same at every try: the receiver can tell repetitions */
	const char *node; /* who sends */
	/* how */
	const struct target_rules *targets;
	const char *ca_file;        /* "": the machine's own */
	const char *syslog_socket;  /* of "unix" */
	const atomic_int *gives_up; /* not 0: stop at once; may be NULL */
};

MUST_CHECK int letter_send(const struct letter *letter, char error[static LETTER_ERROR]);

#endif
