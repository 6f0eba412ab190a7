/* usage: what was carried and how many sessions ended, summed up from journal rows so that charts of a year
 * need not read them: documents of STATE_USAGE, called pages here.
 *
 *   "l/LICENSE/2026-11"      hours of a month, of one license      keys "000" to "743": hour of the month
 *   "t/TENANT/2026-11"       the same of a company ("" is the operator), and under "t/ * /" of all
 *   "m/TENANT/2026-11/S"     licenses of a company in a month      keys are license ids; S is a letter
 *   "d/TENANT/2026-11-22/S"  the same of a day, kept for two months   from a to p, by the id
 *
 * (without the blanks around the star; months, days and hours are those of UTC). The body is
 *
 *   {"bandwidth":SEQ,"session":SEQ,"sums":"KEY to_viewer to_host sessions session_ms;…"}
 *
 * with the lines in order of key. The two numbers are how far the journal's rows of each kind are in: a row
 * that is not after them is in already, so that rows may be offered again after a crash. The body is
 * read by a scanner of its own: a chart reads megabytes of it.
 *
 * Thread: any; pure. Errors: -REASON_STATE_DAMAGED, -REASON_NO_MEMORY, -REASON_BAD_VALUE.
 */
#ifndef RULES_USAGE_H
#define RULES_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define USAGE_ID 96
#define USAGE_KEY 44
#define USAGE_EVERYBODY "*"
#define USAGE_DAYS_KEPT 62

struct usage_sum {
	uint64_t to_viewer, to_host, sessions, session_ms;
};

struct usage_line {
	char key[USAGE_KEY];
	struct usage_sum sum;
};

enum usage_kind { USAGE_BANDWIDTH, USAGE_SESSION, USAGE_KINDS };

struct usage_page {
	uint64_t marks[USAGE_KINDS];
	struct usage_line *lines; /* in order of key */
	size_t count, room;
};

/* `body` NULL: an empty page. */
MUST_CHECK int usage_page_read(const char *body, struct usage_page *ret);
/* The caller frees *ret. */
MUST_CHECK int usage_page_write(const struct usage_page *page, char **ret);
MUST_CHECK int usage_page_add(struct usage_page *page, const char *key,
	const struct usage_sum *more);
void usage_page_done(struct usage_page *page);

/* Reading a body line by line, without a page. */
struct usage_scan {
	const char *at;
};
MUST_CHECK int usage_scan_begin(const char *body, uint64_t marks[static USAGE_KINDS],
	struct usage_scan *ret);
/* 1: a line. 0: no more. */
MUST_CHECK int usage_scan_next(struct usage_scan *scan, struct usage_line *ret);

void usage_sum_add(struct usage_sum *sum, const struct usage_sum *more);

/* What one row says. -REASON_BAD_VALUE: nothing that counts. */
struct usage_row {
	int64_t at_ms; /* the hour it counts for */
	struct usage_sum sum;
};
MUST_CHECK int usage_row_read(enum usage_kind kind, const char *body, int64_t at_ms,
	struct usage_row *ret);

/* Names of the pages that a row goes into, and its keys there. */
void usage_id_license(const char *license, int64_t at_ms, char ret[static USAGE_ID]);
void usage_id_tenant(const char *tenant, int64_t at_ms, char ret[static USAGE_ID]);
void usage_id_month(const char *tenant, int64_t at_ms, const char *license,
	char ret[static USAGE_ID]);
void usage_id_day(const char *tenant, int64_t at_ms, const char *license,
	char ret[static USAGE_ID]);
void usage_hour_key(int64_t at_ms, char ret[static USAGE_KEY]);
/* The first moment of the month that stands in a name ("…/2026-11…"), or of the day; -1: none. */
int64_t usage_id_start_ms(const char *id);
int64_t usage_month_start_ms(int64_t at_ms);

#endif
