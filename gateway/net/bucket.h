/* bucket: a token bucket: `rate` tokens a second, at most `burst` saved up. For what a peer may do
 * often, but not without end.
 *
 * Thread: that of the owner; pure arithmetic over the caller's time.
 */
#ifndef NET_BUCKET_H
#define NET_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t rate, burst;
	int64_t level;   /* thousandths of a token */
	int64_t last_ms; /* when `level` was true */
};

/* Full at the start. */
void bucket_start(struct bucket *bucket, int64_t rate, int64_t burst, int64_t now_ms);
/* Takes one token, or says false and takes nothing. */
bool bucket_take(struct bucket *bucket, int64_t now_ms);

#endif
