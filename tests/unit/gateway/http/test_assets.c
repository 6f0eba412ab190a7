/* Files of the console: which form, what browsers may keep, what is said where nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "http/assets.h"
#include "http/request.h"

static const uint8_t plain[] = "plain", zipped[] = "zipped", missing[] = "<h1>404</h1>";

static const struct assets_file files[] = {
	{"/", "text/html; charset=utf-8", "aaaa", ASSETS_ASK,
		{{plain, 5}, {zipped, 6}, {zipped, 4}}},
	{"/assets/x-1.js", "text/javascript", "bbbb", ASSETS_LASTING, {{plain, 5}}},
	{"/given.json", "application/json", "", ASSETS_FRESH, {{plain, 5}}},
	{"/file.html", "text/html", "dddd", ASSETS_ASK, {{plain, 5}}, "a-file.html"},
	{ASSETS_MISSING, "text/html; charset=utf-8", "cccc", ASSETS_ASK, {{missing, 12}}},
};
static const struct assets assets = {files, 5, CONSOLE_POLICY};

static char got[8192];
static size_t got_len;

static int sink(void *ctx, const void *bytes, size_t len)
{
	(void)ctx;
	assert_true(got_len + len < sizeof(got));
	memcpy(got + got_len, bytes, len);
	got_len += len;
	got[got_len] = '\0';
	return 0;
}

/* Whether it was answered; the answer is in `got`. */
static int ask(int (*serve)(const struct assets *, struct exchange *), const char *line,
	const char *headers)
{
	struct request *request;
	struct exchange exchange;
	char text[1024];
	size_t used;
	int len = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line,
		headers);

	got_len = 0;
	got[0] = '\0';
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(request_feed(request, (const uint8_t *)text, (size_t)len, &used),
		REQUEST_DONE);
	exchange_init(&exchange, request, "192.0.2.1", sink, NULL);
	int served = serve(&assets, &exchange);
	if (served)
		exchange_done(&exchange);
	request_free(request);
	return served;
}

static void best_form_that_is_accepted(void **state)
{
	(void)state;
	const struct assets_file *file = &files[0];
	assert_int_equal(assets_choose(file, NULL), ASSETS_PLAIN);
	assert_int_equal(assets_choose(file, ""), ASSETS_PLAIN);
	assert_int_equal(assets_choose(file, "identity"), ASSETS_PLAIN);
	assert_int_equal(assets_choose(file, "gzip"), ASSETS_GZIP);
	assert_int_equal(assets_choose(file, "GZIP ;q=0.5"), ASSETS_GZIP);
	assert_int_equal(assets_choose(file, "gzip, deflate, br, zstd"), ASSETS_BROTLI);
	assert_int_equal(assets_choose(file, "br;q=0, gzip"), ASSETS_GZIP);
	assert_int_equal(assets_choose(file, "br; q=0.0,gzip;q=0"), ASSETS_PLAIN);
	assert_int_equal(assets_choose(file, "bro,gzipped"), ASSETS_PLAIN);
	assert_int_equal(assets_choose(&files[1], "br, gzip"), ASSETS_PLAIN);
}

static void page_is_asked_for_each_time(void **state)
{
	(void)state;
	assert_true(ask(assets_answer, "GET /", ""));
	assert_non_null(strstr(got, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(got, "Cache-Control: no-cache\r\n"));
	assert_non_null(strstr(got, "ETag: \"aaaa\"\r\n"));
	assert_non_null(strstr(got, "Vary: Accept-Encoding\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nplain"));
	assert_null(strstr(got, "Content-Encoding"));

	assert_true(ask(assets_answer, "GET /", "If-None-Match: \"x\", \"aaaa\"\r\n"));
	assert_non_null(strstr(got, "HTTP/1.1 304 Not Modified"));
	assert_null(strstr(got, "Content-Length"));
	assert_null(strstr(got, "plain"));
	/* Another form is another entity. */
	assert_true(ask(assets_answer, "GET /",
		"If-None-Match: \"aaaa\"\r\nAccept-Encoding: gzip\r\n"));
	assert_non_null(strstr(got, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(got, "Content-Encoding: gzip\r\n"));
	assert_non_null(strstr(got, "ETag: \"aaaa-g\"\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nzipped"));
}

static void hashed_names_last(void **state)
{
	(void)state;
	assert_true(ask(assets_answer, "GET /assets/x-1.js", ""));
	assert_non_null(strstr(got, "max-age=31536000, immutable"));
	assert_true(ask(assets_answer, "HEAD /assets/x-1.js", ""));
	assert_non_null(strstr(got, "Content-Length: 5\r\n"));
	assert_null(strstr(got, "plain\n"));
	assert_true(got_len > 4 && !memcmp(got + got_len - 4, "\r\n\r\n", 4));
}

static void what_changes_is_not_kept(void **state)
{
	(void)state;
	assert_true(ask(assets_answer, "GET /given.json", "If-None-Match: \"\"\r\n"));
	assert_non_null(strstr(got, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(got, "Cache-Control: no-store\r\n"));
	assert_null(strstr(got, "ETag"));
}

static void a_file_for_the_disk_is_not_shown(void **state)
{
	(void)state;
	assert_true(ask(assets_answer, "GET /file.html", ""));
	assert_non_null(strstr(got,
		"Content-Disposition: attachment; filename=\"a-file.html\"\r\n"));
	assert_true(ask(assets_answer, "GET /", ""));
	assert_null(strstr(got, "Content-Disposition"));
}

static void policy_permits_own_files_only(void **state)
{
	(void)state;
	assert_true(ask(assets_answer, "GET /", ""));
	for (const char *const *part = (const char *const[]){"default-src 'none'",
		     "script-src 'self';", "style-src 'self';", "connect-src 'self';",
		     "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'",
		     "require-trusted-types-for 'script'", NULL};
		*part; part++)
		assert_non_null(strstr(got, *part));
	assert_null(strstr(got, "unsafe"));
	assert_null(strstr(got, "http:"));
	char *first = strstr(got, "Content-Security-Policy:");
	assert_null(strstr(first + 1, "Content-Security-Policy:"));
}

static void only_browsers_get_a_page_of_nothing(void **state)
{
	(void)state;
	assert_false(ask(assets_answer, "GET /nothing", ""));
	assert_false(ask(assets_answer, "GET /missing.html", ""));
	assert_false(ask(assets_answer, "POST /", ""));
	assert_false(ask(assets_missing, "GET /nothing", ""));
	assert_false(ask(assets_missing, "GET /nothing", "Accept: application/json\r\n"));
	assert_false(ask(assets_missing, "POST /nothing", "Accept: text/html\r\n"));
	assert_false(ask(assets_missing, "GET /api/v1/nothing", "Accept: text/html\r\n"));
	assert_true(ask(assets_missing, "GET /nothing", "Accept: text/html,*/*\r\n"));
	assert_non_null(strstr(got, "HTTP/1.1 404 Not Found"));
	assert_non_null(strstr(got, "<h1>404</h1>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(best_form_that_is_accepted),
		cmocka_unit_test(page_is_asked_for_each_time),
		cmocka_unit_test(hashed_names_last),
		cmocka_unit_test(what_changes_is_not_kept),
		cmocka_unit_test(a_file_for_the_disk_is_not_shown),
		cmocka_unit_test(policy_permits_own_files_only),
		cmocka_unit_test(only_browsers_get_a_page_of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
