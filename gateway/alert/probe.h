/* probe: asks this node's own listeners every minute, and keeps what fails as outages. A minute in which
 * nobody asked, because the node did not run, is one too: DIR/alerts/alive has the time of the last
 * question.
 *
 * Thread: one of its own ("probe"); probe_facts from any. Owner: alerts.c. An outage that the store does
 * not take is offered again with every question; if the node ends before, the gap tells of it.
 * Errors: -REASON_NO_MEMORY.
 */
#ifndef ALERT_PROBE_H
#define ALERT_PROBE_H

#include <stdint.h>

#include "alert/probe_ask.h"
#include "base/check.h"

struct probe;
struct store;

enum probe_target { PROBE_PUBLIC, PROBE_ADMIN, PROBE_TARGETS };

struct probe_parts {
	struct store *store;
	const char *node, *dir;               /* borrowed; DIR/alerts */
	const char *endpoints[PROBE_TARGETS]; /* copied */
	int64_t every_ms;
};

struct probe_facts {
	int64_t every_ms, asked, last_ms;        /* how many questions since the start */
	int64_t p50_us, p95_us, worst_us;        /* of the last PROBE_KEPT answers */
	int64_t failing_since_ms[PROBE_TARGETS]; /* 0: it answers */
	struct probe_answer last[PROBE_TARGETS];
	char endpoints[PROBE_TARGETS][280];
};

#define PROBE_KEPT 512

MUST_CHECK int probe_start(const struct probe_parts *parts, struct probe **ret);
void probe_set(struct probe *probe, int64_t every_ms);
void probe_facts(struct probe *probe, struct probe_facts *ret);
const char *probe_target_name(enum probe_target target);
/* Accepts NULL, returns NULL. */
struct probe *probe_free(struct probe *probe);

#endif
