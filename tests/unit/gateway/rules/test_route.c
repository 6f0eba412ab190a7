#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rules/route.h"

static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
#define MAIL "\"kind\":\"mail\",\"server\":\"mx.example:587\",\"from\":\"a@b.example\""
	static const struct {
		const char *tenant, *text, *field;
	} rows[] = {
		{"", "{\"kind\":\"webhook\",\"url\":\"https://x.example/a?b=1\"}", NULL},
		{"", "{\"kind\":\"webhook\",\"url\":\"https://[2001:db8::1]:8443/\"}",
			NULL},
		{"", "{\"kind\":\"syslog\",\"target\":\"unix\"}", NULL},
		{"", "{\"kind\":\"syslog\",\"target\":\"tls://log.example\"}", NULL},
		{"", "{" MAIL ",\"to\":[\"it@b.example\"]}", NULL},
		{"", "{}", "kind"},
		{"", "{\"kind\":\"pigeon\"}", "kind"},
		{"", "{\"kind\":\"webhook\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"http://x.example/\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"https://u:p@x.example/\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"https:///x\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"https://x.example/#a\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"https://x.example/a b\"}", "url"},
		{"", "{\"kind\":\"webhook\",\"url\":\"https://x.example:99999/\"}",
			"url"},
		{"",
			"{\"kind\":\"webhook\",\"url\":\"https://x.example/\",\"secret\":"
			"\"short\"}",
			"secret"},
		{"",
			"{\"kind\":\"webhook\",\"url\":\"https://x.example/\",\"target\":"
			"\"unix\"}",
			"target"},
		{"acme", "{\"kind\":\"syslog\",\"target\":\"unix\"}", "target"},
		{"", "{\"kind\":\"syslog\",\"target\":\"file:///etc\"}", "target"},
		{"", "{\"kind\":\"syslog\",\"target\":\"udp://a/b\"}", "target"},
		{"", "{" MAIL "}", "to"},
		{"", "{" MAIL ",\"to\":[]}", "to"},
		{"", "{" MAIL ",\"to\":[\"it@b.example\\r\\nBcc: x@y\"]}", "to"},
		{"", "{" MAIL ",\"to\":[\"it@b.example\\u0000\"]}", "to"},
		{"", "{" MAIL ",\"to\":[\"<it@b.example>\"]}", "to"},
		{"", "{" MAIL ",\"to\":[\"it\"]}", "to"},
		{"", "{" MAIL ",\"to\":[\"it@b@c\"]}", "to"},
		{"",
			"{\"kind\":\"mail\",\"server\":\"mx.example\",\"from\":\"a b@c\","
			"\"to\":[\"it@b.example\"]}",
			"from"},
		{"",
			"{\"kind\":\"mail\",\"server\":\"mx/e\",\"from\":\"a@c\","
			"\"to\":[\"it@b.example\"]}",
			"server"},
		{"",
			"{" MAIL ",\"to\":[\"it@b.example\"],\"security\":\"none\","
			"\"password\":\"secret\"}",
			"security"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct route route = {0}, before;
		struct field_error error = {0};
		strcpy(route.tenant, rows[i].tenant);
		before = route;
		json_t *object = json_loads(rows[i].text, JSON_ALLOW_NUL, NULL);
		assert_non_null(object);
		int r = route_change(&route, object, &error);
		json_decref(object);
		if (!rows[i].field) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, -REASON_BAD_VALUE);
		assert_string_equal(error.field, rows[i].field);
		assert_memory_equal(&route, &before, sizeof(route));
	}
}

static void test_secrets_are_kept_and_not_shown(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{\"kind\":\"webhook\",\"url\":\"https://x.example/\",\"secret\":"
		"\"canary-canary-canary\"}",
		"{" MAIL ",\"to\":[\"it@b.example\"],\"user\":\"u\",\"password\":"
		"\"canary-canary-canary\"}"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct route route = {.id = "rte_0123456789abcdef"}, again;
		struct field_error error;
		char *body;
		json_t *object = json_loads(texts[i], 0, NULL);
		assert_int_equal(route_change(&route, object, &error), 0);
		json_decref(object);
		assert_int_equal(route_write(&route, &body), 0);
		assert_non_null(strstr(body, "canary"));
		assert_int_equal(route_read(body, &again, &error), 0);
		assert_memory_equal(&route, &again, sizeof(route));
		free(body);
		object = route_show(&again);
		body = json_dumps(object, 0);
		assert_null(strstr(body, "canary"));
		assert_non_null(strstr(body, "has_"));
		free(body);
		json_decref(object);
	}
}

static void test_transports(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum route_transport transport;
		uint16_t port;
	} rows[] = {{"unix", ROUTE_UNIX, 0}, {"udp://a", ROUTE_UDP, 514},
		{"tcp://a", ROUTE_TCP, 601}, {"tls://a", ROUTE_TCP_TLS, 6514},
		{"tls://[::1]:7", ROUTE_TCP_TLS, 7}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum route_transport transport;
		struct text_endpoint at;
		assert_int_equal(route_transport(rows[i].text, &transport, &at), 0);
		assert_int_equal(transport, rows[i].transport);
		assert_int_equal(at.port, rows[i].port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_secrets_are_kept_and_not_shown),
		cmocka_unit_test(test_transports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
