/* breaker: leaves a server that does not answer alone for a while, so that nobody waits for it.
 *
 * Closed: all may ask. After `failures` in a row it opens: nobody asks for pause_ms. Then one at a time
 * may try; the first success closes it, a failure opens it again.
 * Thread: any; pure: time is an argument (monotonic). The owner keeps the lock.
 */
#ifndef DIRECTORY_BREAKER_H
#define DIRECTORY_BREAKER_H

#include <stdint.h>

struct breaker {
	int64_t failures, open_until_ms, trying_until_ms;
};

struct breaker_limits {
	int64_t failures, pause_ms;
};

/* Whether to ask now; who is told yes reports by breaker_tell(). */
int breaker_asks(struct breaker *breaker, const struct breaker_limits *limits,
	int64_t now_ms);
enum breaker_news { BREAKER_ANSWERED, BREAKER_SILENT };
void breaker_tell(struct breaker *breaker, const struct breaker_limits *limits,
	enum breaker_news news, int64_t now_ms);

#endif
