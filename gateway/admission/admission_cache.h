/* admission_cache: what this node has read from the store about licenses whose viewers it has let in itself, so
 * that they may come in again while the store is away (degraded_mode = cache; docs/decisions/0023).
 *
 * Nothing in it is newer than the last look into the store: put() alone makes an entry, and every entry ends
 * `window_ms` after its last put, by the monotonic clock and by that of the wall, whichever says so first (a
 * machine that slept has a monotonic clock that did not). Failed tries while the store is away are counted here,
 * beside those that the store had.
 * Bounded: ADMISSION_CACHE_LICENSES licenses of ADMISSION_CACHE_DEVICES devices each; the one that was put longest
 * ago goes first. An entry is some 30 KB, most of it room for policy and counts of tries: 32 MB in all, and nothing
 * where nobody came in.
 * Thread: any, one lock. Owner: admission. It has hashes of passwords and secrets: wiped when it goes.
 */
#ifndef ADMISSION_ADMISSION_CACHE_H
#define ADMISSION_ADMISSION_CACHE_H

#include <stdint.h>

#include "base/check.h"
#include "rules/license.h"
#include "rules/lockout.h"
#include "rules/policy.h"
#include "rules/tenant.h"

#define ADMISSION_CACHE_LICENSES 1024
#define ADMISSION_CACHE_DEVICES 8

struct admission_cache;

struct admission_cached {
	struct license license;
	struct tenant tenant;
	struct policy policy; /* of all levels */
	char host_name[129];
	uint8_t host[32];  /* the device that is bound as host */
	int64_t proved_ms; /* when the viewer last showed a one-time code; 0: never */
};

MUST_CHECK int admission_cache_new(int64_t window_ms, struct admission_cache **ret);
/* Accepts NULL, returns NULL. */
struct admission_cache *admission_cache_free(struct admission_cache *cache);

/* As just read from the store; this device is let in. `tries`: those of the license, as the store has them.
 * Without memory nothing is remembered. */
void admission_cache_put(struct admission_cache *cache,
	const struct admission_cached *cached, const uint8_t device[static 32],
	const struct lockout_book *tries);
/* Something was ordered about this license, this company ("": whatever license or company): what is known of it is
 * not used until it was put again. */
void admission_cache_spoil(struct admission_cache *cache, const char *license,
	const char *tenant);
/* Whether this node has let this device in, however long ago. */
int admission_cache_knows(struct admission_cache *cache, const char *license,
	const uint8_t device[static 32]);
/* -REASON_NOT_FOUND: never let in here, or too long ago. */
MUST_CHECK int admission_cache_get(struct admission_cache *cache, const char *license,
	const uint8_t device[static 32], struct admission_cached *ret);
/* As lockout_wait(), lockout_charge(), lockout_forgive() and lockout_give_back(); a license that is not here is
 * locked for lock_ms. */
int64_t admission_cache_charge(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix, int64_t now_ms,
	int *ret_locks);
void admission_cache_forgive(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix);
void admission_cache_give_back(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix);

#endif
