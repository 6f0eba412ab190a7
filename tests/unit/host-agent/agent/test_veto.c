/* The host's own rules: what a typing mistake, an hour of the week and a wish for more may do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/reason.h"
#include "e2e/inner.h"
#include "veto.h"

#define AT(day, hour, minute) ((day)*24 * 60 + (hour)*60 + (minute))

static void hours_by_table(void **state)
{
	(void)state;
	static const struct {
		const char *hours;
		int week_minute, open;
	} cases[] = {
		{"", AT(6, 3, 0), 1},
		{"Mon-Fri 08:00-20:00", AT(0, 8, 0), 1},
		{"Mon-Fri 08:00-20:00", AT(0, 7, 59), 0},
		{"Mon-Fri 08:00-20:00", AT(4, 19, 59), 1},
		{"Mon-Fri 08:00-20:00", AT(4, 20, 0), 0},
		{"Mon-Fri 08:00-20:00", AT(5, 12, 0), 0},
		{"Mon-Fri 08:00-20:00, Sat 09:00-12:00", AT(5, 9, 0), 1},
		{"Sat-Mon 10:00-11:00", AT(6, 10, 30), 1},
		{"Sat-Mon 10:00-11:00", AT(1, 10, 30), 0},
		{"Fri 22:00-06:00", AT(5, 5, 59), 1}, /* over midnight */
		{"Fri 22:00-06:00", AT(4, 5, 59), 0},
		{"Sun 22:00-06:00", AT(0, 1, 0), 1}, /* and over the end of the week */
		{"Wed 00:00-24:00", AT(2, 23, 59), 1},
		{"Wed 00:00-24:00", AT(3, 0, 0), 0},
		{"weekdays", 0, -REASON_BAD_VALUE},
		{"Mon 8-20", 0, -REASON_BAD_VALUE},
		{"Mon 08:00-25:00", 0, -REASON_BAD_VALUE},
		{"Mon 08:60-09:00", 0, -REASON_BAD_VALUE},
		{"Mon 08:00-08:00", 0, -REASON_BAD_VALUE},
		{"Mon 08:00-09:00,", 0, -REASON_BAD_VALUE},
		{"Mon 08:00-09:00 Tue 08:00-09:00", 0, -REASON_BAD_VALUE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (veto_hours(cases[i].hours, cases[i].week_minute) != cases[i].open)
			fail_msg("«%s» at %d", cases[i].hours, cases[i].week_minute);
}

static void rights_are_only_cleared(void **state)
{
	(void)state;
	struct veto veto = {.file_to_host = 1, .file_to_viewer = 1};
	for (unsigned bits = 0; bits < 16; bits++) {
		veto.view_only = bits & 1;
		veto.clipboard_to_host = (bits & 2) != 0;
		veto.clipboard_to_viewer = (bits & 4) != 0;
		for (unsigned rights = 0; rights <= INNER_RIGHTS_ALL; rights++) {
			uint16_t left = veto_rights(&veto, (uint16_t)rights);
			assert_int_equal(left & ~rights, 0);
			if (veto.view_only)
				assert_int_equal(left & (INNER_RIGHT_CONTROL |
								INNER_RIGHT_CLIP_TO_HOST),
					0);
			if (!veto.clipboard_to_viewer)
				assert_int_equal(left & INNER_RIGHT_CLIP_TO_VIEWER, 0);
			assert_int_equal(left & INNER_RIGHT_VIEW,
				rights & INNER_RIGHT_VIEW);
		}
	}
}

static int read_text(const char *text, struct veto *veto, struct conf_error *error)
{
	char path[] = "/tmp/veto-test-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int status = veto_read(path, veto, error);
	unlink(path);
	return status;
}

static void file_is_read_whole_or_not_at_all(void **state)
{
	(void)state;
	struct veto veto = {0};
	struct conf_error error = {0};
	assert_int_equal(read_text("[session]\nview_only = yes\nmax_session = "
				   "8h\n[clipboard]\nto_host = no\n",
				 &veto, &error),
		0);
	assert_int_equal(veto.view_only, 1);
	assert_int_equal(veto.max_session_ms, 8 * 3600 * 1000);
	assert_int_equal(veto.clipboard_to_host, 0);
	assert_int_equal(veto.clipboard_to_viewer, 1);
	veto_done(&veto);

	assert_int_equal(read_text("[session]\nview_onyl = yes\n", &veto, &error),
		-REASON_CONFIG);
	assert_int_equal(error.line, 2);
	assert_int_equal(read_text("[session]\nhours = always\n", &veto, &error),
		-REASON_CONFIG);
	assert_int_equal(read_text("[session]\nviewers = telnet\n", &veto, &error),
		-REASON_CONFIG);
}

static void missing_file_is_the_defaults(void **state)
{
	(void)state;
	struct veto veto = {0};
	struct conf_error error = {0};
	assert_int_equal(veto_read("/nonexistent/veto.conf", &veto, &error), 0);
	assert_int_equal(veto_rights(&veto, INNER_RIGHTS_ALL), INNER_RIGHTS_ALL);
	assert_int_equal(veto_admits(&veto, INNER_NATIVE, 0), 0);
	assert_int_equal(veto_admits(&veto, INNER_WEB, 0), 0);
	veto_done(&veto);
}

static void kinds_of_viewers(void **state)
{
	(void)state;
	struct veto veto = {0};
	struct conf_error error = {0};
	assert_int_equal(read_text("[session]\nviewers = native\n", &veto, &error), 0);
	assert_int_equal(veto_admits(&veto, INNER_NATIVE, 0), 0);
	assert_int_equal(veto_admits(&veto, INNER_WEB, 0), -REASON_VETO);
	veto_done(&veto);
}

/* The same moment by three clocks; in Berlin summer ends between the last two. */
static void hours_mean_the_clock_of_the_zone(void **state)
{
	static const struct {
		const char *zone, *at;
		int status;
	} rows[] = {
		{"Asia/Tokyo", "2026-11-22T23:30:00Z", 0}, /* Monday 08:30 */
		{"Asia/Tokyo", "2026-11-22T22:59:00Z", -REASON_OUT_OF_HOURS},
		{"UTC", "2026-11-22T23:30:00Z", -REASON_OUT_OF_HOURS},
		{"America/New_York", "2026-11-23T13:00:00Z", 0},
		{"Europe/Berlin", "2026-10-23T06:30:00Z", 0},
		{"Europe/Berlin", "2026-10-26T06:30:00Z", -REASON_OUT_OF_HOURS},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[200];
		struct veto veto = {0};
		struct conf_error error = {0};
		int64_t ms;
		snprintf(text, sizeof(text),
			"[session]\nhours = Mon-Fri 08:00-20:00\nzone = %s\n",
			rows[i].zone);
		assert_int_equal(read_text(text, &veto, &error), 0);
		assert_int_equal(clock_parse(rows[i].at, &ms), 0);
		if (veto_admits(&veto, INNER_NATIVE, ms) != rows[i].status)
			fail_msg("%s at %s", rows[i].zone, rows[i].at);
		veto_done(&veto);
	}
	struct veto veto = {0};
	struct conf_error error = {0};
	assert_int_equal(read_text("[session]\nzone = Tokyo\n", &veto, &error),
		-REASON_CONFIG);
	assert_int_equal(error.line, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_by_table),
		cmocka_unit_test(rights_are_only_cleared),
		cmocka_unit_test(file_is_read_whole_or_not_at_all),
		cmocka_unit_test(missing_file_is_the_defaults),
		cmocka_unit_test(kinds_of_viewers),
		cmocka_unit_test(hours_mean_the_clock_of_the_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
