#include "rules/alert_count.h"

#include <string.h>

static int64_t width(const struct alert_count *count)
{
	int64_t ms = count->window_ms / ALERT_COUNT_SLOTS;
	return ms > 0 ? ms : 1;
}

static void move_on(struct alert_count *count, int64_t slot)
{
	int64_t steps = slot - count->newest;

	if (steps >= ALERT_COUNT_SLOTS)
		memset(count->slots, 0, sizeof(count->slots));
	for (int64_t i = 1; i <= steps && steps < ALERT_COUNT_SLOTS; i++)
		count->slots[(count->newest + i) % ALERT_COUNT_SLOTS] = 0;
	count->newest = slot;
}

int64_t alert_count_add(struct alert_count *count, int64_t window_ms, int64_t at_ms,
	int64_t amount)
{
	int64_t sum = 0;

	if (count->window_ms != window_ms)
		*count = (struct alert_count){.window_ms = window_ms};
	int64_t slot = at_ms / width(count);
	if (slot > count->newest)
		move_on(count, slot);
	if (slot > count->newest - ALERT_COUNT_SLOTS)
		count->slots[slot % ALERT_COUNT_SLOTS] += amount;
	for (int i = 0; i < ALERT_COUNT_SLOTS; i++)
		sum += count->slots[i];
	return sum;
}

void alert_count_reset(struct alert_count *count)
{
	memset(count->slots, 0, sizeof(count->slots));
}

int alert_count_is_over(const struct alert_count *count, int64_t now_ms)
{
	return !count->window_ms ||
	       now_ms / width(count) - count->newest >= ALERT_COUNT_SLOTS;
}
