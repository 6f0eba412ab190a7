/* dates: the ways in which people write a point in time on a command line.
 *
 *   2026-12-31                  a day; its first or last moment, in the time zone of the caller
 *   2026-12-31T18:00            local time; 2026-12-31T18:00:00Z and +09:00 forms as they say
 *   now, today, yesterday, tomorrow
 *   +30d, -12h, -90m, +2w       from now
 *
 * Thread: main (local time zone). Errors: -REASON_BAD_VALUE.
 */
#ifndef CTL_DATES_H
#define CTL_DATES_H

#include <stdint.h>

#include "base/check.h"

enum dates_edge { DATES_FIRST, DATES_LAST };

/* `edge` says which moment of a whole day is meant: "--to 2026-11-30" includes the 30th. */
MUST_CHECK int dates_parse(const char *text, enum dates_edge edge, int64_t *ret_ms);
#define DATES_TEXT 32
/* "2026-11-22 15:04:05" in local time; "" for 0. */
void dates_text(int64_t ms, char ret[static DATES_TEXT]);

#endif
