/* alerts_inside: what alerts.c and alerts_watch.c share and nobody else sees.
 *
 * Thread: alerts_watch_* on the thread of the watch, which may block on the store.
 */
#ifndef ALERT_ALERTS_INSIDE_H
#define ALERT_ALERTS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "alert/alert_book.h"
#include "alert/alert_raise.h"
#include "alert/alert_rows.h"
#include "alert/alert_states.h"
#include "alert/alerts.h"
#include "alert/deliver.h"
#include "base/post.h"

struct alerts {
	struct alerts_parts parts;
	struct deliver *deliver;
	struct alert_book *book;
	struct alert_rows rows;
	struct alert_raise raise;
	struct alert_states states;
	struct probe *probe;
	char dir[4200];
	struct post_pump *pump;
	struct bus_subscription *news;
	atomic_llong scan_ms;
	int64_t probe_ms; /* before the start */
	atomic_int stops, tests;
	int started, rules_stale, troubled;
	struct {
		int known;
		enum alert_when when;
		char tenant[TENANT_ID_SIZE];
	} absent[64];
	size_t absent_next;
	int64_t rules_due_ms, scan_due_ms, sweep_due_ms, purge_due_ms;
	pthread_t thread;
};

/* Rules and alarms that are open since before. */
void alerts_watch_begin(struct alerts *alerts);
/* What is due now. What goes wrong is said in the log and tried again. */
void alerts_watch_tick(struct alerts *alerts);
/* A bus_handler: rules or companies have changed. */
void alerts_watch_news(void *ctx, const char *topic, const char *json);

#endif
