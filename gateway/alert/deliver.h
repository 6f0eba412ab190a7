/* deliver: takes alarms out of the spool and sends them, again and again with longer pauses, until they
 * arrive or are DELIVER_GIVE_UP_MS old; what became of each is noted in the alarm.
 *
 * Thread: DELIVER_THREADS of its own, which block on receivers; one receiver never has more than one
 * of them. deliver_put from any thread that may block. Owner: alerts.c.
 */
#ifndef ALERT_DELIVER_H
#define ALERT_DELIVER_H

#include "alert/letter.h"
#include "base/check.h"

#define DELIVER_THREADS 3
#define DELIVER_GIVE_UP_MS (INT64_C(24) * 3600000)

struct deliver;
struct sealed_keys;
struct store;

struct deliver_parts {
	struct store *store; /* borrowed, as the keys */
	struct sealed_keys *keys;
	const char *node, *dir, *syslog_socket;
};

struct deliver_settings {
	struct target_rules targets;
	char ca_file[512];
	int64_t retry_ms; /* the first pause; each next is three times as long, at most an hour */
};

MUST_CHECK int deliver_new(const struct deliver_parts *parts,
	const struct deliver_settings *settings, struct deliver **ret);
MUST_CHECK int deliver_start(struct deliver *deliver);
void deliver_set(struct deliver *deliver, const struct deliver_settings *settings);
/* To every route of the alarm that waits; durable when it returns. */
MUST_CHECK int deliver_put(struct deliver *deliver, const struct alarm *alarm);
/* One letter at once, for people who test a route. */
MUST_CHECK int deliver_now(struct deliver *deliver, const struct route *route,
	const struct alarm *alarm, char error[static LETTER_ERROR]);
/* Ends what is under way; it is tried again after the next start. Accepts NULL, returns NULL. */
struct deliver *deliver_free(struct deliver *deliver);

#endif
