#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alarm.h"
#include "rules/alert.h"
#include "rules/alert_count.h"
#include "rules/alert_event.h"

#define MINUTE 60000
#define NOW INT64_C(1795340429000)

static void test_every_company_has_rules_of_its_own(void **state)
{
	(void)state;
	for (int when = 0; when < ALERT_WHENS; when++) {
		const struct alert_kind *kind = alert_kind_at((size_t)when);
		struct alert alert, again;
		struct field_error error;
		char *text, id[ALERT_ID_SIZE];
		if (kind->reach == ALERT_OF_NOBODY) {
			assert_int_equal(alert_default(&alert, "", (enum alert_when)when,
						 NOW),
				-REASON_NOT_FOUND);
			continue;
		}
		assert_int_equal(alert_default(&alert, "", (enum alert_when)when, NOW),
			0);
		assert_int_equal(alert_write(&alert, &text), 0);
		assert_int_equal(alert_read(text, &again, &error), 0);
		assert_memory_equal(&alert, &again, sizeof(alert));
		free(text);
		int r = alert_default(&alert, "acme", (enum alert_when)when, NOW);
		assert_int_equal(r,
			kind->reach == ALERT_OF_OPERATOR ? -REASON_NOT_FOUND : 0);
		if (r)
			continue;
		snprintf(id, sizeof(id), "alr_acme.%s", kind->name);
		assert_string_equal(alert.id, id);
	}
}

static void test_what_is_wrong_with_a_rule_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *tenant, *text, *field;
	} rows[] = {
		{"", "{\"when\":\"disk\"}", NULL},
		{"acme", "{\"when\":\"veto\",\"routes\":[\"rte_0123456789abcdef\"]}",
			NULL},
		{"acme", "{\"when\":\"disk\"}", "when"},
		{"", "{}", "when"},
		{"", "{\"when\":\"rain\"}", "when"},
		{"", "{\"when\":\"test\"}", "when"},
		{"", "{\"when\":\"veto\",\"threshold\":0}", "threshold"},
		{"", "{\"when\":\"veto\",\"window_ms\":999}", "window_ms"},
		{"", "{\"when\":\"veto\",\"quiet_ms\":-1}", "quiet_ms"},
		{"", "{\"when\":\"veto\",\"routes\":\"rte_1\"}", "routes"},
		{"", "{\"when\":\"veto\",\"routes\":[1]}", "routes"},
		{"", "{\"when\":\"veto\",\"routes\":[\"lic_1\"]}", "routes"},
		{"", "{\"when\":\"veto\",\"state\":\"off\"}", "state"},
		{"", "{\"when\":\"veto\",\"name\":\"a\\u202eb\"}", "name"},
		{"", "{\"when\":\"veto\",\"nmae\":\"x\"}", "nmae"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct alert alert = {0}, before;
		struct field_error error = {0};
		strcpy(alert.tenant, rows[i].tenant);
		before = alert;
		json_t *object = json_loads(rows[i].text, 0, NULL);
		int r = alert_change(&alert, object, &error);
		json_decref(object);
		assert_int_equal(r, rows[i].field ? -REASON_BAD_VALUE : 0);
		if (!rows[i].field)
			continue;
		assert_string_equal(error.field, rows[i].field);
		assert_memory_equal(&alert, &before, sizeof(alert));
	}
}

static void test_what_a_rule_watches_for_stays(void **state)
{
	(void)state;
	struct alert alert;
	struct field_error error;
	assert_int_equal(alert_default(&alert, "", ALERT_VETO, NOW), 0);
	json_t *object = json_loads("{\"when\":\"disk\"}", 0, NULL);
	assert_int_equal(alert_change(&alert, object, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.field, "when");
	json_decref(object);
}

static void test_rows_mean(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *license, *body;
		int when; /* -1: nothing */
		const char *subject;
		int64_t amount;
	} rows[] = {
		{"login", "lic_a",
			"{\"result\":\"refused\",\"reason\":\"PASSWORD_WRONG\"}",
			ALERT_LOGIN_FAILED, "lic_a", 1},
		{"login", "lic_a",
			"{\"result\":\"refused\",\"reason\":\"LICENSE_UNKNOWN\","
			"\"address\":"
			"\"192.0.2.7\"}",
			ALERT_LOGIN_FAILED, "192.0.2.7", 1},
		{"login", "lic_a", "{\"result\":\"ok\",\"reason\":\"\"}", -1, NULL, 0},
		{"login", "lic_a", "{\"result\":\"refused\",\"reason\":\"DRAINING\"}", -1,
			NULL, 0},
		{"login", "lic_a", "{\"result\":\"refused\",\"reason\":\"OUT_OF_HOURS\"}",
			ALERT_OUT_OF_HOURS, "lic_a", 1},
		{"audit", "", "{\"event\":\"SIGN_IN_REFUSED\",\"account\":\"sato\"}",
			ALERT_LOGIN_FAILED, "sato", 1},
		{"audit", "",
			"{\"event\":\"SIGN_IN_REFUSED\",\"account\":\"unknown\","
			"\"address\":\"192.0.2.7\"}",
			ALERT_LOGIN_FAILED, "192.0.2.7", 1},
		{"audit", "lic_a",
			"{\"event\":\"DEVICE_NEW\",\"device\":\"dev_1\",\"name\":\"PC\"}",
			ALERT_DEVICE_NEW, "lic_a dev_1 (PC)", 1},
		{"audit", "", "{\"event\":\"JOURNAL_VERIFIED\",\"fault\":\"hash\"}",
			ALERT_JOURNAL, "hash", 1},
		{"audit", "", "{\"event\":\"JOURNAL_VERIFIED\"}", -1, NULL, 0},
		{"audit", "",
			"{\"event\":\"ACT_UNDONE\",\"of\":\"BACKUP_MADE\",\"reason\":"
			"\"DISK_FULL\"}",
			ALERT_BACKUP_FAILED, "DISK_FULL", 1},
		{"audit", "", "{\"event\":\"ACT_UNDONE\",\"of\":\"TOKEN_CREATED\"}", -1,
			NULL, 0},
		{"session", "lic_a", "{\"event\":\"close\",\"reason\":\"VETO\"}",
			ALERT_VETO, "lic_a", 1},
		{"session", "lic_a",
			"{\"event\":\"close\",\"id\":\"ses_1\",\"receipts\":{\"agree\":"
			"\"no\"}}",
			ALERT_RECEIPTS_DIFFER, "ses_1", 1},
		{"session", "lic_a",
			"{\"event\":\"close\",\"reason\":\"VIEWER_LEFT\",\"receipts\":"
			"{\"agree\":\"yes\"}}",
			-1, NULL, 0},
		{"session", "lic_a", "{\"event\":\"open\",\"reason\":\"VETO\"}", -1, NULL,
			0},
		{"bandwidth", "lic_a", "{\"bytes_to_viewer\":7,\"bytes_to_host\":2}",
			ALERT_BANDWIDTH, "lic_a", 9},
		{"login", "lic_a", "[1]", -1, NULL, 0},
		{"login", "lic_a", "no JSON", -1, NULL, 0},
		{"login", "lic_a", "{\"result\":7,\"reason\":[]}", -1, NULL, 0},
		{"weather", "lic_a", "{}", -1, NULL, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct alert_event events[ALERT_EVENT_MOST];
		const struct alert_row row = {
			rows[i].kind, "acme", rows[i].license, rows[i].body, NOW};
		size_t count = alert_event_of(&row, events);
		assert_int_equal(count, rows[i].when < 0 ? 0 : 1);
		if (!count)
			continue;
		assert_int_equal((int)events[0].when, rows[i].when);
		assert_string_equal(events[0].subject, rows[i].subject);
		assert_int_equal(events[0].amount, rows[i].amount);
		int is_operators =
			alert_kind_at((size_t)rows[i].when)->reach == ALERT_OF_OPERATOR;
		assert_string_equal(events[0].tenant, is_operators ? "" : "acme");
	}
}

static void test_a_window_moves(void **state)
{
	(void)state;
	static const struct {
		int64_t at, amount, sum;
	} rows[] = {
		{0, 1, 1},
		{MINUTE, 1, 2},
		{9 * MINUTE, 1, 3},
		{10 * MINUTE, 1, 3},  /* the first has left */
		{9 * MINUTE, 1, 4},   /* late, but still within */
		{-60 * MINUTE, 1, 4}, /* too late to count */
		{21 * MINUTE, 5, 5},
		{500 * MINUTE, 1, 1},
	};
	struct alert_count count = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(alert_count_add(&count, 10 * MINUTE, NOW + rows[i].at,
					 rows[i].amount),
			rows[i].sum);
	assert_false(alert_count_is_over(&count, NOW + 505 * MINUTE));
	assert_true(alert_count_is_over(&count, NOW + 511 * MINUTE));
	assert_int_equal(alert_count_add(&count, 20 * MINUTE, NOW + 500 * MINUTE, 1), 1);
	alert_count_reset(&count);
	assert_int_equal(alert_count_add(&count, 20 * MINUTE, NOW + 500 * MINUTE, 1), 1);
}

static struct alarm raised(const char *subject, int64_t at_ms)
{
	struct alert alert;
	struct alarm alarm;
	assert_int_equal(alert_default(&alert, "acme", ALERT_LOGIN_FAILED, NOW), 0);
	strcpy(alert.routes[0], "rte_0123456789abcdef");
	alert.route_count = 1;
	assert_int_equal(alarm_raise(&alarm, &alert, subject, at_ms, 7), 0);
	return alarm;
}

static void test_the_same_alarm_has_the_same_id(void **state)
{
	(void)state;
	struct alarm a = raised("lic_a", NOW), b = raised("lic_a", NOW),
		     other = raised("lic_b", NOW), newer = raised("lic_a", NOW + 1);
	assert_string_equal(a.id, b.id);
	assert_string_not_equal(a.id, other.id);
	assert_true(strcmp(newer.id, a.id) < 0); /* the newest comes first */
}

static void test_an_alarm_is_written_and_read(void **state)
{
	(void)state;
	struct alarm alarm = raised("佐藤 \"花子\"", NOW), again;
	struct field_error error;
	char *text;
	strcpy(alarm.node, "node-1");
	strcpy(alarm.deliveries[0].error, "503");
	alarm.deliveries[0].state = ALARM_FAILED;
	alarm.deliveries[0].tries = 3;
	assert_int_equal(alarm_write(&alarm, &text), 0);
	assert_int_equal(alarm_read(text, &again, &error), 0);
	free(text);
	assert_memory_equal(&alarm, &again, sizeof(alarm));
	assert_non_null(alarm_delivery_to(&again, "rte_0123456789abcdef"));
	assert_null(alarm_delivery_to(&again, "rte_x"));
}

static void test_an_alarm_speaks_both_languages(void **state)
{
	(void)state;
	struct alarm alarm = raised("lic_a", NOW);
	char en[ALERT_TEXT_SIZE], ja[ALERT_TEXT_SIZE];
	alarm_text(&alarm, REASON_EN, en);
	alarm_text(&alarm, REASON_JA, ja);
	assert_string_equal(en, "Failed sign-ins of lic_a: 7 within 10 min");
	assert_string_equal(ja, "サインインの失敗: lic_a（10分以内に7回）");
	/* What stands in braces in a subject is no mark. */
	alarm = raised("{value}{subject}", NOW);
	alarm_text(&alarm, REASON_EN, en);
	assert_string_equal(en, "Failed sign-ins of {value}{subject}: 7 within 10 min");
	for (int when = 0; when < ALERT_WHENS; when++) {
		alarm.when = when;
		alarm_text(&alarm, REASON_EN, en);
		assert_null(strstr(en, "{window}"));
		assert_true(*alarm_hint(&alarm, REASON_JA));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_company_has_rules_of_its_own),
		cmocka_unit_test(test_what_is_wrong_with_a_rule_is_named),
		cmocka_unit_test(test_what_a_rule_watches_for_stays),
		cmocka_unit_test(test_rows_mean),
		cmocka_unit_test(test_a_window_moves),
		cmocka_unit_test(test_the_same_alarm_has_the_same_id),
		cmocka_unit_test(test_an_alarm_is_written_and_read),
		cmocka_unit_test(test_an_alarm_speaks_both_languages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
