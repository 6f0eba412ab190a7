/* throttle: how fast bytes may pass: `rate` a second, and at once what was saved up within BURST_MS
 * (at least THROTTLE_BURST bytes). Nothing is refused: whoever went too far is told how long to rest.
 * Generic cell rate algorithm (ITU-T I.371, annex A): one number, the moment at which all that has
 * passed would be through at the rate. So several that share one rest in the order in which they came.
 *
 * Thread: any; one atomic number, no lock. Bytes, bytes a second, µs (monotonic).
 */
#ifndef NET_THROTTLE_H
#define NET_THROTTLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define THROTTLE_RATE_LEAST 16384
#define THROTTLE_RATE_MOST INT64_C(10000000000)
#define THROTTLE_BURST 65536
#define THROTTLE_BURST_MS 100
/* Nobody rests longer: what is beyond is forgiven. */
#define THROTTLE_REST_MOST_US INT64_C(10000000)

struct throttle {
	_Atomic int64_t rate; /* 0: no limit */
	_Atomic int64_t due_ns;
};

/* A new rate, between LEAST and MOST or 0; a former debt stays. */
void throttle_set(struct throttle *throttle, int64_t rate);
/* These bytes pass. Returns for how many µs no more should; 0: go on. */
MUST_CHECK int64_t throttle_take(struct throttle *throttle, size_t bytes, int64_t now_us);

#endif
