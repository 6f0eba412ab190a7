/* redis_health: what is known of the Redis behind a store, kept where every thread can look.
 *
 * Thread: any. Owner: redis_link, which tells most of it.
 */
#ifndef REDIS_REDIS_HEALTH_H
#define REDIS_REDIS_HEALTH_H

#include <stdatomic.h>

#include "base/check.h"
#include "store/store_health.h"

struct journal_spool;
struct redis_health;

MUST_CHECK int redis_health_new(struct redis_health **ret);
void redis_health_up(struct redis_health *health, const char *notes);
void redis_health_down(struct redis_health *health, int fault, const char *text);
void redis_health_clock(struct redis_health *health, int64_t ahead_ms);
void redis_health_emptied(struct redis_health *health);
/* `full`: what was to be put in last found no room. */
void redis_health_spool(struct redis_health *health, const struct journal_spool *spool,
	uint64_t max, int full);
void redis_health_read(struct redis_health *health, struct store_health *ret);
const atomic_uint *redis_health_count(const struct redis_health *health);
/* Accepts NULL, returns NULL. */
struct redis_health *redis_health_free(struct redis_health *health);

#endif
