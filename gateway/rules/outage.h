/* outage: a time in which a node's own probe failed, or nobody probed because it did not run
 * (STATE_OUTAGE, id "out_…": the newest comes first in a list), and what availability follows from them.
 *
 * JSON body: "id", "node", "target" ("public", "admin", "node"), "cause" (text), "from_ms", "to_ms" (0: it
 * lasts), "covered" (other nodes served meanwhile: the node's fault, not the service's).
 * Availability of a time = (planned - down) / planned, where planned is what was measured without the
 * planned stops of notices, and down is the union of the outages that nothing covered, outside of them.
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_OUTAGE_H
#define RULES_OUTAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"

#define OUTAGE_ID_SIZE 33

struct outage {
	char id[OUTAGE_ID_SIZE], node[65], target[16], cause[161];
	int64_t from_ms, to_ms;
	int covered;
};

/* Gives it its id. */
MUST_CHECK int outage_begin(struct outage *outage);
MUST_CHECK int outage_read(const char *body, struct outage *ret,
	struct field_error *error);
/* The caller frees. */
MUST_CHECK int outage_write(const struct outage *outage, char **ret);
/* A new reference; NULL without memory. */
json_t *outage_show(const struct outage *outage, int64_t now_ms);

struct outage_span {
	int64_t from_ms, to_ms;
};

struct availability {
	int64_t measured_ms, planned_ms, down_ms; /* measured: stops included */
	int64_t faults, mttr_ms, longest_ms;
	int64_t ppm; /* available, in millionths; 1000000 when nothing was planned */
};

/* Of [from, to). Sorts and joins the spans in place; an outage that began in a planned stop and did not
 * outlast it is no fault. */
void outage_availability(struct outage_span *down, size_t down_count,
	struct outage_span *stops, size_t stop_count, struct outage_span measured,
	struct availability *ret);

#endif
