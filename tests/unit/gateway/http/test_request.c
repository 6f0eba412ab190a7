#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"
#include "http/request.h"

#define HOST "Host: gw\r\n"

/* Feeds the text in steps of `step` bytes; returns the last result. */
static int feed(struct request *request, const char *text, size_t len, size_t step,
	size_t *used)
{
	int status = REQUEST_MORE;
	*used = 0;
	while (status == REQUEST_MORE && *used < len) {
		size_t left = len - *used, taken = 0;
		status = request_feed(request, (const uint8_t *)text + *used,
			left < step ? left : step, &taken);
		if (status < 0)
			return status;
		assert_true(taken || status == REQUEST_DONE);
		*used += taken;
	}
	return status;
}

static struct request *parsed(const char *text)
{
	struct request *request;
	size_t used;
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, text, strlen(text), strlen(text), &used),
		REQUEST_DONE);
	return request;
}

static void what_clients_send(void **state)
{
	(void)state;
	struct request *request =
		parsed("GET /api/v1/licenses/lic%5fa?limit=5&q=a+b%26 HTTP/1.1\r\n" HOST
		       "X-Thing:  a b \r\nConnection: keep-alive\r\n\r\n");
	assert_int_equal(request->method, REQUEST_GET);
	assert_string_equal(request->path, "/api/v1/licenses/lic%5fa");
	assert_int_equal(request->segment_count, 4);
	assert_string_equal(request->segments[3], "lic_a");
	assert_string_equal(request_query(request, "limit"), "5");
	assert_string_equal(request_query(request, "q"), "a b&");
	assert_null(request_query(request, "other"));
	assert_string_equal(request_header(request, "x-thing"), "a b");
	assert_true(request->keep);
	assert_int_equal(request->body_len, 0);
	request_free(request);

	request = parsed("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
	assert_string_equal(request->body, "abc");
	assert_false(request->keep);
	request_free(request);
}

static void bytes_may_come_one_by_one_and_two_at_once(void **state)
{
	(void)state;
	static const char text[] =
		"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"4\r\nWiki\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
		"GET /b HTTP/1.1\r\n" HOST "\r\n";
	for (size_t step = 1; step < sizeof(text); step++) {
		struct request *request;
		size_t used, more;
		assert_int_equal(request_new(&request), 0);
		assert_int_equal(feed(request, text, sizeof(text) - 1, step, &used),
			REQUEST_DONE);
		assert_string_equal(request->body, "Wiki0123456789abcdef");
		request_free(request);
		assert_int_equal(request_new(&request), 0);
		assert_int_equal(feed(request, text + used, sizeof(text) - 1 - used, step,
					 &more),
			REQUEST_DONE);
		assert_string_equal(request->path, "/b");
		assert_int_equal(used + more, sizeof(text) - 1);
		request_free(request);
	}
}

static const struct {
	const char *why, *text;
	int status;
} refused[] = {
	{"length and coding",
		"POST / HTTP/1.1\r\n" HOST
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		400},
	{"coding and length",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
		400},
	{"two lengths",
		"POST / HTTP/1.1\r\n" HOST
		"Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
		400},
	{"length list", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\n", 400},
	{"signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n", 400},
	{"negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\n", 400},
	{"hex length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\n", 400},
	{"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
	{"overflowing length",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551619\r\n\r\n",
		413},
	{"length beyond the limit",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 16777217\r\n\r\n", 413},
	{"two codings",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		400},
	{"coding list",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
		501},
	{"disguised coding",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
	{"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"line feed only", "GET / HTTP/1.1\nHost: gw\n\n", 400},
	{"one line feed", "GET / HTTP/1.1\r\nHost: gw\nA: b\r\n\r\n", 400},
	{"carriage return only", "GET / HTTP/1.1\r\nHost: gw\rA: b\r\n\r\n", 400},
	{"folded line", "GET / HTTP/1.1\r\nHost: gw\r\n folded\r\n\r\n", 400},
	{"blank before colon", "GET / HTTP/1.1\r\nHost : gw\r\n\r\n", 400},
	{"blank in name", "GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n", 400},
	{"no colon", "GET / HTTP/1.1\r\n" HOST "abc\r\n\r\n", 400},
	{"empty name", "GET / HTTP/1.1\r\n" HOST ": c\r\n\r\n", 400},
	{"control character", "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n", 400},
	{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
	{"empty first line", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
	{"two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
	{"blank at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
	{"no version", "GET /\r\n" HOST "\r\n", 400},
	{"version 2", "GET / HTTP/2.0\r\n" HOST "\r\n", 505},
	{"unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
	{"small method", "get / HTTP/1.1\r\n" HOST "\r\n", 501},
	{"absolute target", "GET http://gw/ HTTP/1.1\r\n" HOST "\r\n", 400},
	{"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
	{"dots", "GET /a/../b HTTP/1.1\r\n" HOST "\r\n", 400},
	{"hidden dots", "GET /a/%2e%2e/b HTTP/1.1\r\n" HOST "\r\n", 400},
	{"encoded NUL", "GET /a%00b HTTP/1.1\r\n" HOST "\r\n", 400},
	{"encoded line end", "GET /a%0d%0ab HTTP/1.1\r\n" HOST "\r\n", 400},
	{"half an encoding", "GET /a%4 HTTP/1.1\r\n" HOST "\r\n", 400},
	{"not UTF-8", "GET /a%ff HTTP/1.1\r\n" HOST "\r\n", 400},
	{"raw 8 bit", "GET /a\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400},
	{"query twice", "GET /?a=1&a=2 HTTP/1.1\r\n" HOST "\r\n", 400},
	{"two authorizations",
		"GET / HTTP/1.1\r\n" HOST
		"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
		400},
	{"unknown expectation",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: magic\r\n\r\n",
		417},
	{"chunk extension",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n0\r\n\r\n",
		400},
	{"chunk without size",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\n", 400},
	{"chunk longer than said",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n3\r\nWiki\r\n0\r\n\r\n",
		400},
	{"chunk with line feed",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n4\nWiki\r\n0\r\n\r\n",
		400},
	{"signed chunk",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n-4\r\nWiki\r\n",
		400},
	{"huge chunk",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
		413},
	{"many digits",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n0000000000004\r\nWiki\r\n",
		400},
	{"trailer",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
		400},
};

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		size_t len = strlen(refused[i].text), used;
		for (size_t step = 1; step <= len; step += len - 1) {
			struct request *request;
			assert_int_equal(request_new(&request), 0);
			int status = feed(request, refused[i].text, len, step, &used);
			if (status >= 0 || request->status != refused[i].status)
				fail_msg("%s: %d, HTTP %d", refused[i].why, status,
					request->status);
			/* And it stays refused. */
			assert_true(request_feed(request, (const uint8_t *)"x", 1,
					    &used) < 0);
			request_free(request);
		}
	}
}

static void a_nul_is_refused(void **state)
{
	(void)state;
	static const char text[] = "GET / HTTP/1.1\r\nHost: g\0w\r\n\r\n";
	struct request *request;
	size_t used;
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, text, sizeof(text) - 1, 64, &used),
		-REASON_BAD_MESSAGE);
	assert_int_equal(request->status, 400);
	request_free(request);
}

static void head_and_body_are_bounded(void **state)
{
	(void)state;
	struct request *request;
	size_t used;
	char *text = malloc(200000);
	assert_non_null(text);
	memset(text, 'a', 200000);
	memcpy(text, "GET /", 5);
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, text, 200000, 1000, &used), -REASON_LIMIT);
	assert_int_equal(request->status, 431);
	assert_true(used <= REQUEST_HEAD_MAX + 1000);
	request_free(request);

	/* A chunked body grows only up to the limit. */
	static const char head[] =
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10001\r\n";
	memset(text, 'a', 200000);
	memcpy(text, head, sizeof(head) - 1);
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, text, 200000, 1000, &used), -REASON_LIMIT);
	assert_int_equal(request->status, 413);
	request_free(request);

	/* The largest permitted one. */
	assert_int_equal(request_new(&request), 0);
	int len =
		sprintf(text, "POST / HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n");
	memset(text + len, 'b', 65536);
	assert_int_equal(feed(request, text, (size_t)len + 65536, 999, &used),
		REQUEST_DONE);
	assert_int_equal(request->body_len, 65536);
	request_free(request);

	/* Sixty-five headers. */
	len = sprintf(text, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < REQUEST_HEADERS; i++)
		len += sprintf(text + len, "A: b\r\n");
	len += sprintf(text + len, "\r\n");
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, text, (size_t)len, 1000, &used), -REASON_LIMIT);
	assert_int_equal(request->status, 431);
	request_free(request);
	free(text);
}

static void an_expectation_waits_for_its_answer(void **state)
{
	(void)state;
	static const char head[] = "POST / HTTP/1.1\r\n" HOST
				   "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
	struct request *request;
	size_t used;
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(feed(request, head, sizeof(head) - 1, 1000, &used),
		REQUEST_MORE);
	assert_true(request->head_done && request->expects);
	assert_int_equal(feed(request, "ab", 2, 2, &used), REQUEST_DONE);
	assert_false(request->expects);
	request_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_send),
		cmocka_unit_test(bytes_may_come_one_by_one_and_two_at_once),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(head_and_body_are_bounded),
		cmocka_unit_test(an_expectation_waits_for_its_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
