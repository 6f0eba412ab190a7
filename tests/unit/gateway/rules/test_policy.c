#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "rules/policy.h"

static struct policy parsed(const char *text)
{
	struct policy policy;
	struct field_error error = {0};
	int r = policy_parse(text, &policy, &error);
	if (r)
		fail_msg("%s: %s %s", text, error.field, error.message);
	return policy;
}

static int64_t at(const char *text)
{
	int64_t ms;
	assert_int_equal(clock_parse(text, &ms), 0);
	return ms;
}

static void test_wrong_fields_are_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{\"right\":[]}", "right"},
		{"{\"rights\":\"view\"}", "rights"},
		{"{\"rights\":[\"fly\"]}", "rights"},
		{"{\"rights\":[1]}", "rights"},
		{"{\"max_session_ms\":-1}", "max_session_ms"},
		{"{\"max_session_ms\":\"1h\"}", "max_session_ms"},
		{"{\"max_session_ms\":1.5}", "max_session_ms"},
		{"{\"idle_ms\":99999999999999}", "idle_ms"},
		{"{\"grace_ms\":3600001}", "grace_ms"},
		{"{\"lock_at_end\":1}", "lock_at_end"},
		{"{\"viewer_kinds\":[\"phone\"]}", "viewer_kinds"},
		{"{\"addresses\":[\"192.0.2.1/24\"]}", "addresses"},
		{"{\"addresses\":\"192.0.2.1\"}", "addresses"},
		{"{\"offset\":\"9\"}", "offset"},
		{"{\"offset\":\"+15:00\"}", "offset"},
		{"{\"offset\":\"+09:60\"}", "offset"},
		{"{\"offset\":\"+ 9:00\"}", "offset"},
		{"{\"offset\":900}", "offset"},
		{"{\"hours\":{}}", "hours"},
		{"{\"hours\":[7]}", "hours"},
		{"{\"hours\":[{\"from\":\"08:00\"}]}", "hours"},
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"08:00\"}]}", "hours"},
		{"{\"hours\":[{\"from\":\"24:00\",\"to\":\"08:00\"}]}", "hours"},
		{"{\"hours\":[{\"from\":\"8:00\",\"to\":\"24:01\"}]}", "hours"},
		{"{\"hours\":[{\"from\":\"08:60\",\"to\":\"12:00\"}]}", "hours"},
		{"{\"hours\":[{\"days\":[\"monday\"],\"from\":\"08:00\",\"to\":\"12:00\"}"
		 "]}",
			"days"},
		{"{\"hours\":[{\"days\":[],\"from\":\"08:00\",\"to\":\"12:00\"}]}",
			"hours"},
		{"{\"hours\":[{\"day\":\"mon\",\"from\":\"08:00\",\"to\":\"12:00\"}]}",
			"day"},
		{"{\"zone\":\"Nowhere/Town\"}", "zone"},
		{"{\"zone\":\"+09:00\"}", "zone"},
		{"{\"zone\":9}", "zone"},
		{"{\"zone\":\"Asia/Tokyo\",\"offset\":\"+09:00\"}", "zone"},
		{"{\"clip_max_bytes\":-1}", "clip_max_bytes"},
		{"{\"file_max_bytes\":\"1\"}", "file_max_bytes"},
		{"{\"devices_max\":10001}", "devices_max"},
		{"{\"rate_max_bytes\":16383}", "rate_max_bytes"},
		{"{\"rate_max_bytes\":-1}", "rate_max_bytes"},
		{"{\"rate_max_bytes\":1e6}", "rate_max_bytes"},
		{"{\"tenant_rate_max_bytes\":0}", "tenant_rate_max_bytes"},
		{"[]", ""},
		{"{\"rights\":[],\"rights\":[\"view\"]}", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy policy = {.rights = 99};
		struct field_error error = {0};
		assert_int_equal(policy_parse(rows[i][0], &policy, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, rows[i][1]);
		assert_true(*error.message);
		assert_int_equal(policy.rights, 99);
	}
}

static void test_levels_only_narrow(void **state)
{
	(void)state;
	struct policy policy;
	struct field_error error;
	policy_default(&policy);
	assert_int_equal(policy.rights, POLICY_RIGHTS_DEFAULT);
	assert_int_equal(policy_parse_top("{\"grace_ms\":90000}", &policy, &error), 0);
	assert_int_equal(policy.rights, POLICY_RIGHTS_DEFAULT);
	assert_int_equal(policy.grace_ms, 90000);
	assert_int_equal(
		policy_parse_top("{\"rights\":[\"view\",\"control\",\"file_to_host\"]}",
			&policy, &error),
		0);
	assert_int_equal(policy.grace_ms, POLICY_GRACE_MS);
	struct policy empty = parsed("{}");
	struct policy before = policy;
	assert_int_equal(policy_narrow(&policy, &empty), 0);
	assert_memory_equal(&policy, &before, sizeof(policy));
	struct policy level =
		parsed("{\"rights\":[\"control\",\"file_to_host\",\"file_to_viewer\"],"
		       "\"max_session_ms\":5000,\"idle_ms\":900,\"grace_ms\":100000,"
		       "\"watermark\":true,\"viewer_kinds\":[\"native\"],"
		       "\"clip_max_bytes\":1000,\"devices_max\":2,"
		       "\"rate_max_bytes\":2000000}");
	assert_int_equal(policy_narrow(&policy, &level), 0);
	assert_int_equal(policy.rights, POLICY_CONTROL | POLICY_FILE_TO_HOST);
	assert_int_equal(policy.max_session_ms, 5000);
	assert_int_equal(policy.grace_ms, POLICY_GRACE_MS);
	struct policy wider =
		parsed("{\"rights\":[\"view\",\"control\"],\"max_session_ms\":0,"
		       "\"idle_ms\":1000,\"watermark\":false,\"clip_max_bytes\":2000,"
		       "\"devices_max\":0,\"file_max_bytes\":50,"
		       "\"rate_max_bytes\":1000000}");
	assert_int_equal(policy_narrow(&policy, &wider), 0);
	assert_int_equal(policy.rights, POLICY_CONTROL);
	assert_int_equal(policy.max_session_ms, 5000);
	assert_int_equal(policy.idle_ms, 900);
	assert_int_equal(policy.clip_max_bytes, 1000);
	assert_int_equal(policy.devices_max, 2);
	assert_int_equal(policy.rate_max_bytes, 1000000);
	assert_int_equal(policy.file_max_bytes, 50);
	assert_int_equal(policy.watermark, 1);
	assert_int_equal(policy.viewer_kinds, POLICY_NATIVE);
	/* Nobody comes in when the levels leave no kind. */
	struct policy web = parsed("{\"viewer_kinds\":[\"web\"]}");
	assert_int_equal(policy_narrow(&policy, &web), 0);
	assert_int_equal(policy_admit(&policy, "native", "192.0.2.1", 0), -REASON_POLICY);
	assert_int_equal(policy_admit(&policy, "web", "192.0.2.1", 0), -REASON_POLICY);
	struct policy hours =
		parsed("{\"hours\":[{\"from\":\"08:00\",\"to\":\"12:00\"}]}");
	for (int i = 0; i < POLICY_LEVELS; i++)
		assert_int_equal(policy_narrow(&policy, &hours), 0);
	assert_int_equal(policy_narrow(&policy, &hours), -REASON_LIMIT);
}

static void test_hours(void **state)
{
	(void)state;
	static const struct {
		const char *policy, *at, *end; /* end NULL: refused, "": never */
	} rows[] = {
		{"{}", "2026-11-22T12:00:00Z", ""},
		{"{\"hours\":[]}", "2026-11-22T12:00:00Z", ""},
		{"{\"hours\":[{\"from\":\"00:00\",\"to\":\"24:00\"}]}",
			"2026-11-22T12:00:00Z", ""},
		/* 2026-11-22 is a Sunday. */
		{"{\"hours\":[{\"days\":[\"sun\"],\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T12:00:00Z", "2026-11-22T20:00:00Z"},
		{"{\"hours\":[{\"days\":[\"mon\"],\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T12:00:00Z", NULL},
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T07:59:59Z", NULL},
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T08:00:00Z", "2026-11-22T20:00:00Z"},
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T19:59:59Z", "2026-11-22T20:00:00Z"},
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T20:00:00Z", NULL},
		/* The company's clock. */
		{"{\"offset\":\"+09:00\",\"hours\":[{\"days\":[\"mon\"],\"from\":\"08:"
		 "00\",\"to\":"
		 "\"20:00\"}]}",
			"2026-11-22T23:30:00Z", "2026-11-23T11:00:00Z"},
		{"{\"offset\":\"-08:00\",\"hours\":[{\"days\":[\"sat\"],\"from\":\"08:"
		 "00\",\"to\":"
		 "\"20:00\"}]}",
			"2026-11-22T03:00:00Z", "2026-11-22T04:00:00Z"},
		/* Over midnight, and from one week into the next. */
		{"{\"hours\":[{\"days\":[\"sat\"],\"from\":\"22:00\",\"to\":\"06:00\"}]}",
			"2026-11-22T05:00:00Z", "2026-11-22T06:00:00Z"},
		{"{\"hours\":[{\"days\":[\"sat\"],\"from\":\"22:00\",\"to\":\"06:00\"}]}",
			"2026-11-22T23:00:00Z", NULL},
		{"{\"hours\":[{\"days\":[\"sun\"],\"from\":\"22:00\",\"to\":\"06:00\"}]}",
			"2026-11-23T05:59:00Z", "2026-11-23T06:00:00Z"},
		/* Ranges that touch are one. */
		{"{\"hours\":[{\"from\":\"08:00\",\"to\":\"12:00\"},{\"from\":\"12:00\","
		 "\"to\":"
		 "\"13:30\"}]}",
			"2026-11-22T09:00:00Z", "2026-11-22T13:30:00Z"},
		/* A place's own clock. In Berlin it is 01:59 and then 03:00 … */
		{"{\"zone\":\"Asia/Tokyo\",\"hours\":[{\"days\":[\"mon\"],\"from\":"
		 "\"08:00\",\"to\":\"20:00\"}]}",
			"2026-11-22T23:30:00Z", "2026-11-23T11:00:00Z"},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"08:00\",\"to\":"
		 "\"20:00\"}]}",
			"2026-07-01T06:00:00Z", "2026-07-01T18:00:00Z"},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"08:00\",\"to\":"
		 "\"20:00\"}]}",
			"2026-12-01T06:30:00Z", NULL},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"00:00\",\"to\":"
		 "\"06:00\"}]}",
			"2026-03-28T23:30:00Z", "2026-03-29T04:00:00Z"},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"01:00\",\"to\":"
		 "\"02:30\"}]}",
			"2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z"},
		/* … and in autumn twice 02:30. */
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"00:00\",\"to\":"
		 "\"06:00\"}]}",
			"2026-10-24T22:30:00Z", "2026-10-25T05:00:00Z"},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"02:30\",\"to\":"
		 "\"04:00\"}]}",
			"2026-10-25T00:40:00Z", "2026-10-25T01:00:00Z"},
		{"{\"zone\":\"Australia/Lord_Howe\",\"hours\":[{\"from\":\"01:00\","
		 "\"to\":\"03:00\"}]}",
			"2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z"},
		{"{\"zone\":\"Europe/Berlin\",\"hours\":[{\"from\":\"00:00\",\"to\":"
		 "\"24:00\"}]}",
			"2026-10-24T22:30:00Z", ""},
		/* Before 1970 the week goes on all the same. */
		{"{\"offset\":\"-12:00\",\"hours\":[{\"days\":[\"wed\"],\"from\":\"08:"
		 "00\",\"to\":"
		 "\"20:00\"}]}",
			"1970-01-01T00:00:00Z", "1970-01-01T08:00:00Z"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy policy = parsed(rows[i].policy);
		int64_t now = at(rows[i].at);
		int r = policy_admit(&policy, "native", "192.0.2.1", now);
		assert_int_equal(r, rows[i].end ? 0 : -REASON_OUT_OF_HOURS);
		if (rows[i].end)
			assert_int_equal(policy_hours_end(&policy, now),
				*rows[i].end ? at(rows[i].end) : 0);
	}
	/* All levels have to permit; the first that ends, ends it. */
	struct policy a = parsed("{\"hours\":[{\"from\":\"08:00\",\"to\":\"18:00\"}]}");
	struct policy b = parsed("{\"hours\":[{\"from\":\"10:00\",\"to\":\"20:00\"}]}");
	assert_int_equal(policy_narrow(&a, &b), 0);
	assert_int_equal(policy_admit(&a, "web", "x", at("2026-11-22T09:00:00Z")),
		-REASON_OUT_OF_HOURS);
	assert_int_equal(policy_admit(&a, "web", "x", at("2026-11-22T19:00:00Z")),
		-REASON_OUT_OF_HOURS);
	assert_int_equal(policy_admit(&a, "web", "x", at("2026-11-22T12:00:00Z")), 0);
	assert_int_equal(policy_hours_end(&a, at("2026-11-22T12:00:00Z")),
		at("2026-11-22T18:00:00Z"));
}

static void test_addresses(void **state)
{
	(void)state;
	struct policy policy =
		parsed("{\"addresses\":[\"192.0.2.0/24\",\"2001:db8::/32\"]}");
	assert_int_equal(policy_admit(&policy, "web", "192.0.2.200", 0), 0);
	assert_int_equal(policy_admit(&policy, "web", "2001:db8::5", 0), 0);
	assert_int_equal(policy_admit(&policy, "web", "192.0.3.1", 0),
		-REASON_ADDRESS_REFUSED);
	struct policy by =
		parsed("{\"addresses\":[\"192.0.2.128/25\",\"198.51.100.0/24\"]}");
	assert_int_equal(policy_narrow(&policy, &by), 0);
	assert_int_equal(policy_admit(&policy, "web", "192.0.2.200", 0), 0);
	assert_int_equal(policy_admit(&policy, "web", "192.0.2.1", 0),
		-REASON_ADDRESS_REFUSED);
	assert_int_equal(policy_admit(&policy, "web", "198.51.100.1", 0),
		-REASON_ADDRESS_REFUSED);
	assert_int_equal(policy_admit(&policy, "phone", "192.0.2.200", 0),
		-REASON_POLICY);
}

static void test_what_goes_into_open(void **state)
{
	(void)state;
	struct policy policy;
	char *text;
	policy_default(&policy);
	assert_int_equal(policy_print_open(&policy, 0, &text), 0);
	assert_string_equal(text,
		"{\"rights\":15,\"max_session_ms\":0,\"idle_ms\":0,\"grace_ms\":60000,"
		"\"lock_at_end\":false,\"watermark\":false,\"consent\":false,"
		"\"until_ms\":0,\"viewer_kinds\":3,\"clip_max_bytes\":0,"
		"\"file_max_bytes\":0,\"devices_max\":0,"
		"\"rate_max_bytes\":0,\"tenant_rate_max_bytes\":0}");
	free(text);
	assert_string_equal(policy_right_name(0), "view");
	assert_null(policy_right_name(6));
	char id[POLICY_ID_SIZE], name[200];
	assert_int_equal(policy_id_group(id, "acme", "sales"), 0);
	assert_string_equal(id, "group/acme/sales");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(policy_id_tenant(id, name), -REASON_LIMIT);
	assert_string_equal(id, "group/acme/sales");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_fields_are_named),
		cmocka_unit_test(test_levels_only_narrow),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_what_goes_into_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
