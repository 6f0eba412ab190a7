#include "net/bucket.h"

#include "base/check.h"

#define TOKEN 1000
#define MOST 1000000 /* of rate and burst: keeps every product below 2^63 */

void bucket_start(struct bucket *bucket, int64_t rate, int64_t burst, int64_t now_ms)
{
	CHECK(rate > 0 && rate <= MOST && burst > 0 && burst <= MOST);
	*bucket = (struct bucket){rate, burst, burst * TOKEN, now_ms};
}

bool bucket_take(struct bucket *bucket, int64_t now_ms)
{
	int64_t full = bucket->burst * TOKEN;
	int64_t passed_ms = now_ms - bucket->last_ms;
	if (passed_ms > 0) {
		/* rate tokens per 1000 ms are rate thousandths per ms; a long rest fills it
		 * without multiplying large numbers. */
		bucket->level = passed_ms >= full
					? full
					: bucket->level + passed_ms * bucket->rate;
		if (bucket->level > full)
			bucket->level = full;
		bucket->last_ms = now_ms;
	}
	if (bucket->level < TOKEN)
		return false;
	bucket->level -= TOKEN;
	return true;
}
