#include "rules/retention.h"

#define DAY_MS INT64_C(86400000)

static int64_t before_ms(int64_t days, int64_t least, int64_t now_ms)
{
	if (!days)
		days = RETENTION_DAYS;
	if (days < least)
		days = least;
	if (days > RETENTION_MAX_DAYS)
		days = RETENTION_MAX_DAYS;
	int64_t before = now_ms - days * DAY_MS;
	/* Down to midnight UTC: what is kept begins with a whole day. */
	return before > 0 ? before / DAY_MS * DAY_MS : 0;
}

int64_t retention_before_ms(int64_t days, int64_t now_ms)
{
	return before_ms(days, RETENTION_MIN_DAYS, now_ms);
}

int64_t retention_counts_before_ms(int64_t days, int64_t now_ms)
{
	return before_ms(days, RETENTION_COUNTS_MIN_DAYS, now_ms);
}
