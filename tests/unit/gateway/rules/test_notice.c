#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/notice.h"

#define DAY INT64_C(86400000)
#define NOW (INT64_C(20000) * DAY)

static struct notice fresh(void)
{
	return (struct notice){.id = "ntc_0123456789abcdef",
		.created_ms = NOW,
		.places = NOTICE_CONSOLE | NOTICE_VIEWER | NOTICE_AGENT};
}

static int change(struct notice *notice, const char *text, char field[static 64])
{
	struct field_error error = {0};
	json_t *object = json_loads(text, 0, NULL);
	assert_non_null(object);
	int r = notice_change(notice, object, &error);
	json_decref(object);
	memcpy(field, error.field, 64);
	return r;
}

static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{\"kind\":\"news\",\"text\":{\"ja\":\"お知らせ\"}}", NULL},
		{"{\"kind\":\"planned_stop\",\"text\":{\"en\":\"x\"},\"from_ms\":5,\"to_"
		 "ms\":9}",
			NULL},
		{"{\"kind\":\"end_of_service\",\"text\":{\"en\":\"x\"},\"from_ms\":5}",
			NULL},
		{"{\"kind\":\"news\"}", "text"},
		{"{\"kind\":\"party\",\"text\":{\"en\":\"x\"}}", "kind"},
		{"{\"kind\":\"news\",\"text\":\"x\"}", "text"},
		{"{\"kind\":\"news\",\"text\":{\"fr\":\"x\"}}", "fr"},
		{"{\"kind\":\"news\",\"text\":{\"en\":\"a\\u001b[1m\"}}", "en"},
		{"{\"kind\":\"planned_stop\",\"text\":{\"en\":\"x\"}}", "from_ms"},
		{"{\"kind\":\"planned_stop\",\"text\":{\"en\":\"x\"},\"from_ms\":5}",
			"to_ms"},
		{"{\"kind\":\"news\",\"text\":{\"en\":\"x\"},\"from_ms\":5,\"to_ms\":5}",
			"to_ms"},
		{"{\"kind\":\"end_of_service\",\"text\":{\"en\":\"x\"}}", "from_ms"},
		{"{\"kind\":\"news\",\"text\":{\"en\":\"x\"},\"places\":[\"wall\"]}",
			"places"},
		{"{\"kind\":\"news\",\"text\":{\"en\":\"x\"},\"places\":[]}", "places"},
		{"{\"kind\":\"news\",\"text\":{\"en\":\"x\"},\"colour\":1}", "colour"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct notice notice = fresh(), before = notice;
		char field[64];
		int r = change(&notice, rows[i][0], field);
		if (!rows[i][1]) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, -REASON_BAD_VALUE);
		assert_string_equal(field, rows[i][1]);
		assert_memory_equal(&notice, &before, sizeof(notice));
	}
}

static void test_it_is_written_and_read(void **state)
{
	(void)state;
	struct notice notice = fresh(), again;
	struct field_error error;
	char field[64], *text;
	assert_int_equal(change(&notice,
				 "{\"kind\":\"planned_stop\",\"text\":{\"ja\":\"停止\"},"
				 "\"from_ms\":\"2026-12-01T00:00:00+09:00\","
				 "\"to_ms\":\"2026-12-01T02:00:00+09:00\",\"places\":"
				 "[\"viewer\"]}",
				 field),
		0);
	assert_int_equal(notice_write(&notice, &text), 0);
	assert_int_equal(notice_read(text, &again, &error), 0);
	assert_memory_equal(&notice, &again, sizeof(notice));
	free(text);
	json_t *item = notice_item(&again);
	assert_string_equal(json_string_value(json_object_get(json_object_get(item,
								      "text"),
				    "en")),
		"停止");
	assert_int_equal(again.to_ms - again.from_ms, 2 * 3600000);
	json_decref(item);
}

static void test_who_sees_it_when_and_where(void **state)
{
	(void)state;
	static const struct {
		int kind;
		const char *of, *to;
		int64_t from, until, show, now;
		unsigned place;
		int seen;
	} rows[] = {
		{NOTICE_PLANNED_STOP, "", "acme", NOW + DAY, NOW + 2 * DAY, 0, NOW,
			NOTICE_VIEWER, 1},
		{NOTICE_PLANNED_STOP, "", "acme", NOW + DAY, NOW + 2 * DAY, 0,
			NOW + 2 * DAY, NOTICE_VIEWER, 0},
		{NOTICE_PLANNED_STOP, "", "acme", NOW + 9 * DAY, NOW + 10 * DAY,
			NOW + 5 * DAY, NOW + 4 * DAY, NOTICE_VIEWER, 0},
		{NOTICE_PLANNED_STOP, "acme", "acme", NOW + DAY, NOW + 2 * DAY, 0, NOW,
			NOTICE_AGENT, 1},
		{NOTICE_PLANNED_STOP, "acme", "other", NOW + DAY, NOW + 2 * DAY, 0, NOW,
			NOTICE_AGENT, 0},
		{NOTICE_PLANNED_STOP, "acme", "", NOW + DAY, NOW + 2 * DAY, 0, NOW,
			NOTICE_CONSOLE, 1},
		{NOTICE_END_OF_SERVICE, "", "acme", NOW + DAY, 0, 0, NOW + 900 * DAY,
			NOTICE_CONSOLE, 1},
		{NOTICE_NEWS, "", "acme", 0, 0, 0, NOW + 29 * DAY, NOTICE_CONSOLE, 1},
		{NOTICE_NEWS, "", "acme", 0, 0, 0, NOW + 30 * DAY, NOTICE_CONSOLE, 0},
		{NOTICE_NEWS, "", "acme", 0, 0, 0, NOW, 0x08u, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct notice notice = fresh();
		notice.kind = rows[i].kind;
		strcpy(notice.tenant, rows[i].of);
		notice.from_ms = rows[i].from;
		notice.to_ms = rows[i].until;
		notice.show_from_ms = rows[i].show;
		assert_int_equal(notice_concerns(&notice, rows[i].to, rows[i].place,
					 rows[i].now),
			rows[i].seen);
	}
}

static void test_a_planned_stop_is_told_a_month_before(void **state)
{
	(void)state;
	struct notice notice = fresh();
	notice.kind = NOTICE_PLANNED_STOP;
	notice.from_ms = NOW + 30 * DAY;
	notice.to_ms = notice.from_ms + DAY;
	assert_false(notice_is_short(&notice));
	notice.from_ms--;
	assert_true(notice_is_short(&notice));
	notice.kind = NOTICE_NEWS;
	assert_false(notice_is_short(&notice));
	notice.from_ms = NOW - 1;
	assert_int_equal(notice_lead_ms(&notice), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_it_is_written_and_read),
		cmocka_unit_test(test_who_sees_it_when_and_where),
		cmocka_unit_test(test_a_planned_stop_is_told_a_month_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
