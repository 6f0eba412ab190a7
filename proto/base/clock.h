/* clock: the only place where time is read. Timers use mono, people and journals use wall.
 *
 * Thread: any. A test may take over both clocks (clock_fake) so that hours pass in no time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/check.h"

#define CLOCK_TEXT 32 /* "2026-11-22T06:00:00.123Z" and its NUL */

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
/* Milliseconds since 1970 UTC. */
int64_t clock_wall_ms(void);

/* RFC 3339, UTC, milliseconds. */
void clock_text(int64_t wall_ms, char ret[static CLOCK_TEXT]);
/* RFC 3339 with any offset, or a plain date (its first moment in UTC). -REASON_BAD_VALUE. */
MUST_CHECK int clock_parse(const char *text, int64_t *ret_wall_ms);

/* Tests only: both clocks stand still at these values until set again; (-1, -1) ends it. */
void clock_fake(int64_t mono_us, int64_t wall_ms);

#endif
