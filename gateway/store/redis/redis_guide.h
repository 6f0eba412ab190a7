/* redis_guide: asks the sentinels where the primary is, and listens for the news that it is another one.
 *
 * It holds on to one sentinel: there it hears "+switch-master" and asks for the address, in this order, so
 * that no change falls between. A sentinel that does not answer, or does not know the name, is left for
 * the next one. What it finds it writes into the address; whether that Redis is a primary is seen when it
 * is greeted (redis_hello).
 *
 * Thread: that of the event_base. Owner: redis_link.
 */
#ifndef REDIS_REDIS_GUIDE_H
#define REDIS_REDIS_GUIDE_H

#include "base/check.h"
#include "store/redis/redis_address.h"

struct event_base;
struct redis_guide;

/* address->host is set; or none of the sentinels told, and `fault` says why. */
typedef void (*redis_guide_told)(void *ctx, const char *fault);

/* `address` is borrowed. -REASON_NO_MEMORY. */
MUST_CHECK int redis_guide_new(struct event_base *base, struct redis_address *address,
	redis_guide_told told, void *ctx, struct redis_guide **ret);
void redis_guide_start(struct redis_guide *guide);
/* The primary does not answer, or is none any more: perhaps there is another one. */
void redis_guide_ask(struct redis_guide *guide);
/* Accepts NULL, returns NULL. */
struct redis_guide *redis_guide_free(struct redis_guide *guide);

#endif
