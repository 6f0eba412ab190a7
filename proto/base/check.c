#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
	/* Straight to the descriptor: the log may be what is broken. */
	dprintf(2, "%s:%d: check failed: %s\n", file, line, condition);
	abort();
}
