#include "directory/breaker.h"

int breaker_asks(struct breaker *breaker, const struct breaker_limits *limits,
	int64_t now_ms)
{
	if (breaker->failures < limits->failures)
		return 1;
	if (now_ms < breaker->open_until_ms || now_ms < breaker->trying_until_ms)
		return 0;
	/* Should this one never report, another may try after the same pause. */
	breaker->trying_until_ms = now_ms + limits->pause_ms;
	return 1;
}

void breaker_tell(struct breaker *breaker, const struct breaker_limits *limits,
	enum breaker_news news, int64_t now_ms)
{
	breaker->trying_until_ms = 0;
	if (news == BREAKER_ANSWERED) {
		breaker->failures = 0;
		return;
	}
	/* Those that were on their way when it opened must not prolong the pause. */
	if (breaker->failures >= limits->failures && now_ms < breaker->open_until_ms)
		return;
	if (++breaker->failures >= limits->failures)
		breaker->open_until_ms = now_ms + limits->pause_ms;
}
