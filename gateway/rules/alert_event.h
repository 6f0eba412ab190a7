/* alert_event: what a row of the journal means to alert rules.
 *
 * Thread: any; pure. A row that cannot be read means nothing.
 */
#ifndef RULES_ALERT_EVENT_H
#define RULES_ALERT_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "rules/alert.h"

#define ALERT_EVENT_MOST 2

/* Whom or what an alarm would be about: a license, an account, an address, a session. */
struct alert_event {
	enum alert_when when;
	char tenant[TENANT_ID_SIZE], license[32];
	char subject[ALERT_SUBJECT_SIZE];
	int64_t at_ms, amount;
};

struct alert_row {
	const char *kind; /* "login", "audit", "session", "bandwidth" */
	const char *tenant, *license, *body;
	int64_t at_ms;
};

/* Returns how many events. */
size_t alert_event_of(const struct alert_row *row,
	struct alert_event ret[static ALERT_EVENT_MOST]);

#endif
