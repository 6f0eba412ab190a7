/* policy_hours: which moments the hours of a policy permit, by the clock of a place. */
#include "rules/policy.h"

#define DAY_MIN 1440
#define WEEK_MIN (7 * DAY_MIN)
/* 1970-01-01 was a Thursday; Monday is day 0. */
#define EPOCH_DAY 3
/* Zones change their clocks at such minutes of UTC and at no others. */
#define TURN_MIN 15

/* Minutes until the end of the range that holds this minute of the week; 0: it is in none. */
static int minutes_left(const struct policy_hours *hours, int minute)
{
	int longest = 0;
	for (size_t i = 0; i < hours->count; i++) {
		int from = hours->ranges[i].from, to = hours->ranges[i].to;
		int length = to > from ? to - from : to - from + DAY_MIN;
		for (int day = 0; day < 7; day++) {
			if (!(hours->ranges[i].days >> day & 1))
				continue;
			int into =
				(minute - day * DAY_MIN - from + 2 * WEEK_MIN) % WEEK_MIN;
			if (into < length && length - into > longest)
				longest = length - into;
		}
	}
	return longest;
}

/* A zone that the system does not know any more leaves no hour: nobody can say what was meant. */
static int left_at(const struct policy_hours *hours, int64_t minute)
{
	int offset = hours->offset_min;
	if (*hours->zone && zone_offset(hours->zone, minute * 60000, &offset))
		return 0;
	int64_t local = minute + offset + EPOCH_DAY * DAY_MIN;
	return minutes_left(hours, (int)((local % WEEK_MIN + WEEK_MIN) % WEEK_MIN));
}

/* The minute (since 1970) at which one set of hours ends, following ranges that touch; 0: never. In a
 * zone the clock may be set on the way, so it is read again wherever that can happen. */
static int64_t set_end(const struct policy_hours *hours, int64_t minute)
{
	int64_t at = minute;
	for (int left; (left = left_at(hours, at)) > 0;) {
		int step = *hours->zone ? TURN_MIN - (int)(at % TURN_MIN) : left;
		at += left < step ? left : step;
		if (at - minute >= WEEK_MIN)
			return 0;
	}
	return at;
}

int64_t policy_hours_end(const struct policy *policy, int64_t now_ms)
{
	int64_t minute = now_ms / 60000, end = 0;
	for (size_t i = 0; i < policy->hours_count; i++) {
		int64_t at = set_end(&policy->hours[i], minute);
		if (at && (!end || at < end))
			end = at;
	}
	return end * 60000;
}

int policy_hours_permit(const struct policy *policy, int64_t now_ms)
{
	for (size_t i = 0; i < policy->hours_count; i++)
		if (!left_at(&policy->hours[i], now_ms / 60000))
			return 0;
	return 1;
}
