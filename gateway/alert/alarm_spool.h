/* alarm_spool: alarms on their way out, as files of DIR/alerts: what was put is still there after
 * kill -9, and is bounded. An alarm names accounts and addresses, so it is sealed under its company's
 * key; with that key it is gone.
 *
 *   ALARM-ROUTE.json   {"tenant","route","tries","next_ms","made_ms","alarm":"a sealed_box_text()"}
 *
 * Thread: any that may wait for the store (a company's first key); a lock inside. Owner: the spool owns
 * its entries; alarm_spool_take() lends one until it is given back. Errors: -REASON_DISK_FULL,
 * -REASON_FILE_UNWRITABLE, -REASON_LIMIT when it is full, those of sealed_keys_load().
 */
#ifndef ALERT_ALARM_SPOOL_H
#define ALERT_ALARM_SPOOL_H

#include <stdint.h>

#include "base/check.h"
#include "rules/alarm.h"

#define ALARM_SPOOL_MOST 1000
#define ALARM_SPOOL_ID (ALARM_ID_SIZE + ALERT_ROUTE_ID_SIZE)

struct alarm_spool;
struct sealed_keys;

struct alarm_spool_entry {
	char id[ALARM_SPOOL_ID]; /* ALARM-ROUTE: the receiver's idempotency id too */
	char route[ALERT_ROUTE_ID_SIZE];
	struct alarm alarm;
	int64_t tries, next_ms, made_ms; /* wall clock */
};

/* Makes the directory and reads what is left from before; what stands there in the clear, from an older
 * program, is sealed. The keys are borrowed. */
MUST_CHECK int alarm_spool_open(const char *dir, struct sealed_keys *keys,
	struct alarm_spool **ret);
struct alarm_spool *alarm_spool_free(struct alarm_spool *spool);
/* Durable when it returns. What is there already stays as it is. */
MUST_CHECK int alarm_spool_put(struct alarm_spool *spool, const struct alarm *alarm,
	const char *route, int64_t now_ms);
/* The next that is due and whose route has nothing else under way; NULL when there is none, and then
 * *ret_wait_ms says how long it will be so. */
struct alarm_spool_entry *alarm_spool_take(struct alarm_spool *spool, int64_t now_ms,
	int64_t *ret_wait_ms);
/* It has arrived or is given up: forgotten. */
void alarm_spool_done(struct alarm_spool *spool, struct alarm_spool_entry *entry);
/* To be tried again at entry->next_ms. */
void alarm_spool_again(struct alarm_spool *spool, struct alarm_spool_entry *entry);
size_t alarm_spool_count(struct alarm_spool *spool);

#endif
