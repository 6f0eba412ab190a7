/* retention: how long journal rows are kept: 400 days by default, so that a year can be looked back
 * on from any day of the next month. There are two classes: records (audit, logins, sessions) and
 * counts (bandwidth), each with its own time; a tenant can have a time of its own for its records.
 *
 * Thread: any; pure.
 */
#ifndef RULES_RETENTION_H
#define RULES_RETENTION_H

#include <stdint.h>

#define RETENTION_DAYS 400
/* Guidelines ask for a year. */
#define RETENTION_MIN_DAYS 365
#define RETENTION_MAX_DAYS 3653
/* Counts are no evidence of who did what, and sums of them are kept as long as records. */
#define RETENTION_COUNTS_MIN_DAYS 31

/* Rows before this moment may go: a row is kept for whole days of 24 hours, and the last of them to
 * its end. `days` outside the limits is brought to the nearest one; 0 is the default. */
int64_t retention_before_ms(int64_t days, int64_t now_ms);
int64_t retention_counts_before_ms(int64_t days, int64_t now_ms);

#endif
