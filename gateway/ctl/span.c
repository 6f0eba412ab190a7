#include "ctl/span.h"

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
