#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "http/body.h"
#include "http/problem.h"
#include "http/router.h"

/* A handler's answer, gathered. */
struct got {
	char text[16384];
	size_t len;
	int fail_after;
};

static int sink(void *ctx, const void *bytes, size_t len)
{
	struct got *got = ctx;
	if (got->fail_after && got->len >= (size_t)got->fail_after)
		return -REASON_LEG_CLOSED;
	assert_true(got->len + len < sizeof(got->text));
	memcpy(got->text + got->len, bytes, len);
	got->len += len;
	got->text[got->len] = '\0';
	return 0;
}

static struct request *request_of(const char *text)
{
	struct request *request;
	size_t used;
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(request_feed(request, (const uint8_t *)text, strlen(text),
				 &used),
		REQUEST_DONE);
	return request;
}

static int gated, handled;

static int gate(void *ctx, struct exchange *exchange, int permission)
{
	(void)ctx;
	gated = permission;
	return permission == 9 ? exchange_problem(exchange, REASON_FORBIDDEN, NULL) : 0;
}

static void show(void *ctx, struct exchange *exchange)
{
	(void)ctx;
	handled++;
	const char *id = exchange_param(exchange, "id");
	exchange_json(exchange, 200, json_pack("{s:s}", "id", id ? id : ""));
}

static const struct router_route routes[] = {
	{REQUEST_GET, "/a/{id}", 1, show},
	{REQUEST_GET, "/a", 2, show},
	{REQUEST_POST, "/a", 3, show},
	{REQUEST_GET, "/secret", 9, show},
	{REQUEST_GET, "/a/{id}/b", 4, show},
};
static const struct router router = {
	.routes = routes, .count = ARRAY_LEN(routes), .gate = gate};

static void dispatch(const char *text, struct got *got)
{
	struct request *request = request_of(text);
	struct exchange exchange;
	memset(got, 0, sizeof(*got));
	gated = handled = 0;
	exchange_init(&exchange, request, "192.0.2.1", sink, got);
	router_dispatch(&router, &exchange);
	exchange_done(&exchange);
	request_free(request);
}

static void paths_find_their_handlers(void **state)
{
	(void)state;
	struct got got;
	dispatch("GET /a/x%2fy HTTP/1.1\r\nHost: h\r\n\r\n", &got);
	assert_non_null(strstr(got.text, "{\"id\":\"x/y\"}"));
	assert_int_equal(gated, 1);
	dispatch("GET /a/7/b HTTP/1.1\r\nHost: h\r\n\r\n", &got);
	assert_non_null(strstr(got.text, "{\"id\":\"7\"}"));
	dispatch("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", &got);
	assert_int_equal(gated, 2);
	assert_null(strstr(got.text, "{\""));
	static const char *const unknown[] = {
		"/", "/b", "/a/", "/a/7/", "/a/7/c", "//a", "/a/7/b/c"};
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		char text[80];
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
			unknown[i]);
		dispatch(text, &got);
		assert_non_null(strstr(got.text, "HTTP/1.1 404 "));
		assert_int_equal(handled, 0);
	}
	dispatch("DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n", &got);
	assert_non_null(strstr(got.text, "HTTP/1.1 405 "));
	assert_non_null(strstr(got.text, "Allow: GET, POST\r\n"));
	assert_non_null(strstr(got.text, "\"detail\":\"method: GET, POST\""));
	assert_non_null(strstr(got.text, "\"code\":\"BAD_VALUE\""));
}

static void the_gate_stands_before_the_handler(void **state)
{
	(void)state;
	struct got got;
	dispatch("GET /secret HTTP/1.1\r\nHost: h\r\n\r\n", &got);
	assert_non_null(strstr(got.text, "HTTP/1.1 403 "));
	assert_non_null(strstr(got.text, "\"code\":\"FORBIDDEN\""));
	assert_int_equal(handled, 0);
}

static void every_reason_has_a_status_and_a_phrase(void **state)
{
	(void)state;
	int number;
	for (size_t i = 0; reason_at(i, &number); i++) {
		int status = problem_status(number);
		assert_true(status >= 400 && status < 600);
		assert_string_not_equal(problem_phrase(status), "Unknown");
		json_t *body = problem_json(status, -number, "detail", REASON_JA);
		assert_non_null(body);
		assert_string_equal(json_string_value(json_object_get(body, "code")),
			reason_at(i, NULL));
		assert_true(json_string_length(json_object_get(body, "hint")) > 0);
		json_decref(body);
	}
	static const int parser[] = {400, 408, 413, 414, 417, 431, 501, 503, 505};
	for (size_t i = 0; i < ARRAY_LEN(parser); i++)
		assert_int_not_equal(problem_reason(parser[i]), REASON_INTERNAL);
}

static void streams_are_chunked_and_cut_when_they_fail(void **state)
{
	(void)state;
	struct got got = {0};
	struct request *request = request_of("GET /s HTTP/1.1\r\nHost: h\r\n\r\n");
	struct exchange exchange;
	exchange_init(&exchange, request, "", sink, &got);
	assert_int_equal(exchange_begin(&exchange, "text/csv"), 0);
	assert_int_equal(exchange_put(&exchange, "hello ", 6), 0);
	assert_int_equal(exchange_put(&exchange, "world", 5), 0);
	assert_int_equal(exchange_end(&exchange), 0);
	exchange_done(&exchange);
	assert_non_null(strstr(got.text, "Transfer-Encoding: chunked\r\n"));
	assert_non_null(strstr(got.text, "\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"));

	/* An error in the middle must not look like an end. */
	memset(&got, 0, sizeof(got));
	exchange_init(&exchange, request, "", sink, &got);
	assert_int_equal(exchange_begin(&exchange, "text/csv"), 0);
	assert_int_equal(exchange_put(&exchange, "hello", 5), 0);
	exchange_problem(&exchange, REASON_STORE_UNAVAILABLE, NULL);
	assert_int_equal(exchange.keep, 0);
	assert_int_not_equal(exchange.broken, 0);
	exchange_done(&exchange);
	assert_null(strstr(got.text, "0\r\n\r\n"));
	request_free(request);

	/* HTTP/1.0 knows no chunks: the end of the connection ends it. */
	memset(&got, 0, sizeof(got));
	request = request_of("GET /s HTTP/1.0\r\n\r\n");
	exchange_init(&exchange, request, "", sink, &got);
	assert_int_equal(exchange_begin(&exchange, "text/csv"), 0);
	assert_int_equal(exchange_put(&exchange, "hello", 5), 0);
	assert_int_equal(exchange_end(&exchange), 0);
	assert_int_equal(exchange.keep, 0);
	exchange_done(&exchange);
	assert_non_null(strstr(got.text, "\r\n\r\nhello"));
	assert_null(strstr(got.text, "chunked"));
	request_free(request);
}

static int body_status(const char *json, const char *type, char *detail)
{
	char text[1000];
	struct got got = {0};
	struct exchange exchange;
	struct body body;
	snprintf(text, sizeof(text),
		"POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		type, strlen(json), json);
	struct request *request = request_of(text);
	exchange_init(&exchange, request, "", sink, &got);
	if (!body_parse(&body, &exchange)) {
		const char *name = body_text(&body, "name", 5, BODY_NEED);
		body_number(&body, "count", 1, 10, 1);
		if (!body_check(&body, &exchange)) {
			assert_non_null(name);
			exchange_empty(&exchange);
		}
		body_done(&body);
	}
	exchange_done(&exchange);
	request_free(request);
	strcpy(detail, got.text);
	return exchange.status;
}

static void members_are_checked_one_by_one(void **state)
{
	(void)state;
	static const struct {
		const char *json, *named;
		int status;
	} cases[] = {
		{"{\"name\":\"abc\",\"count\":10}", "", 204},
		{"{\"name\":\"abcdef\"}", "name", 400},
		{"{\"name\":\"\"}", "name", 400},
		{"{\"name\":\"a\\tb\"}", "name", 400},
		{"{\"name\":\"a\",\"count\":11}", "count", 400},
		{"{\"name\":\"a\",\"count\":1.5}", "count", 400},
		{"{\"name\":\"a\",\"count\":\"1\"}", "count", 400},
		{"{\"name\":\"a\",\"more\":1}", "more", 400},
		{"{}", "name", 400},
		{"\"name\"", "expected", 400},
		{"{\"name\":", "line 1", 400},
	};
	char detail[16384];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(body_status(cases[i].json,
					 "application/json; charset=utf-8", detail),
			cases[i].status);
		assert_non_null(strstr(detail, cases[i].named));
	}
	assert_int_equal(body_status("{\"name\":\"a\"}", "text/plain", detail), 415);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_handlers),
		cmocka_unit_test(the_gate_stands_before_the_handler),
		cmocka_unit_test(every_reason_has_a_status_and_a_phrase),
		cmocka_unit_test(streams_are_chunked_and_cut_when_they_fail),
		cmocka_unit_test(members_are_checked_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
