#include "ctl/span.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

int span_parse(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; digits && digits < 7 && i < ARRAY_LEN(units); i++)
		if (!strcmp(text + digits, units[i].unit)) {
			*ret_ms = atoll(text) * units[i].ms;
			return 0;
		}
	return -REASON_BAD_VALUE;
}

void span_text(int64_t ms, char ret[static SPAN_TEXT])
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && ms < units[i].ms)
		i++;
	int64_t whole = ms / units[i].ms, rest = ms % units[i].ms;
	int64_t next = i + 1 < ARRAY_LEN(units) ? rest / units[i + 1].ms : 0;
	if (ms > 0 && ms < 1000)
		snprintf(ret, SPAN_TEXT, "%" PRId64 "ms", ms);
	else if (next)
		snprintf(ret, SPAN_TEXT, "%" PRId64 "%s %" PRId64 "%s", whole,
			units[i].unit, next, units[i + 1].unit);
	else
		snprintf(ret, SPAN_TEXT, "%" PRId64 "%s", whole, units[i].unit);
}
