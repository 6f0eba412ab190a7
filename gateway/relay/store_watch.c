#include "relay/store_watch.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "metrics/metrics.h"
#include "relay/desk.h"
#include "rules/audit.h"
#include "store/journal.h"
#include "store/store_open.h"

/* Nobody waits for it: it is spooled where the store is away, and the journal says what it does not take. */
static void record(struct house *house, enum audit_event event, json_t *fields)
{
	char *body;
	if (audit_body(event, house->node, "", fields, &body))
		return;
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "",
		.license = "",
		.at_ms = clock_wall_ms(),
		.body = body};
	journal_append(house->store->journal, &row, 1, NULL, NULL, NULL);
	free(body);
}

static void go_away(struct store_watch *watch, struct house *house, int64_t since_ms)
{
	watch->since_ms = since_ms;
	watch->opened = atomic_load(&house->cached_sessions);
	log_line(LOG_WARN,
		"the store is away: viewers that were let in before may come in from the "
		"cache",
		LOG_U("for_ms", (uint64_t)house->cache_ms));
	record(house, AUDIT_CACHE_ENTERED,
		json_pack("{s:s, s:I}", "node", house->node, "since_ms",
			(json_int_t)since_ms));
}

static void come_back(struct store_watch *watch, struct house *house)
{
	int64_t opened = atomic_load(&house->cached_sessions) - watch->opened;
	log_line(LOG_INFO, "the store is back: nobody comes in from the cache any more",
		LOG_U("sessions_from_cache", (uint64_t)opened));
	record(house, AUDIT_CACHE_LEFT,
		json_pack("{s:s, s:I, s:I}", "node", house->node, "since_ms",
			(json_int_t)watch->since_ms, "sessions", (json_int_t)opened));
	watch->since_ms = 0;
}

void store_watch_tick(struct store_watch *watch, struct house *house)
{
	struct store_health health;
	if (!house->cache_ms)
		return;
	store_health(house->store, &health);
	if (health.fault && !watch->since_ms)
		go_away(watch, house,
			health.since_ms ? health.since_ms : clock_wall_ms());
	else if (!health.fault && watch->since_ms)
		come_back(watch, house);
}
