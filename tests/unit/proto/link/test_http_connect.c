#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"
#include "link/http_connect.h"

static void urls(void **state UNUSED)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
		const char *authorization;
	} good[] = {
		{"http://proxy.example:3128", "proxy.example", 3128, ""},
		{"proxy.example:3128", "proxy.example", 3128, ""},
		{"HTTP://proxy.example/", "proxy.example", HTTP_CONNECT_PORT, ""},
		{"http://[2001:db8::1]:80/", "2001:db8::1", 80, ""},
		/* RFC 7617 section 2: Aladdin, open sesame */
		{"http://Aladdin:open%20sesame@p:1", "p", 1,
			"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"http://a:b@c@p:1", "p", 1, "Basic YTpiQGM="},
		{"http://u:%ff%fe%fb@p:1", "p", 1, "Basic dTr//vs="},
	};
	const char *bad[] = {"https://proxy:1", "socks5://proxy:1", "http://", "",
		"http://user@p:1", "http://a:b%2@p:1", "http://a:b%zz@p:1",
		"http://a:b%0d%0a@p:1", "http://p:99999"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct http_connect_proxy proxy;
		assert_int_equal(http_connect_parse(good[i].url, &proxy), 0);
		assert_string_equal(proxy.at.host, good[i].host);
		assert_int_equal(proxy.at.port, good[i].port);
		assert_string_equal(proxy.authorization, good[i].authorization);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_connect_proxy proxy;
		assert_true(http_connect_parse(bad[i], &proxy) < 0);
	}
}

static void exemptions(void **state UNUSED)
{
	const char *list = "localhost, .corp.example,gw.other.example 10.1.2.3";
	assert_true(http_connect_exempt(list, "localhost"));
	assert_true(http_connect_exempt(list, "a.corp.example"));
	assert_true(http_connect_exempt(list, "Corp.Example"));
	assert_true(http_connect_exempt(list, "gw.other.example"));
	assert_true(http_connect_exempt(list, "10.1.2.3"));
	assert_true(http_connect_exempt("*", "anything"));
	assert_false(http_connect_exempt(list, "notcorp.example"));
	assert_false(http_connect_exempt(list, "110.1.2.3"));
	assert_false(http_connect_exempt("", "localhost"));
	assert_false(http_connect_exempt(NULL, "localhost"));
	assert_false(http_connect_exempt(", ,.", "localhost"));
}

static void requests(void **state UNUSED)
{
	struct http_connect_proxy proxy;
	struct text_endpoint to = {"2001:db8::7", 443};
	struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(http_connect_parse("http://u:p@proxy:1", &proxy), 0);
	assert_int_equal(http_connect_request(&proxy, &to, &out), 0);
	const char *expected =
		"CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\n"
		"Proxy-Authorization: Basic dTpw\r\n\r\n";
	assert_int_equal(buf_len(&out), strlen(expected));
	assert_memory_equal(buf_head(&out), expected, strlen(expected));
	buf_done(&out);
}

static int answer(const char *text, size_t len, int *status, size_t *used)
{
	return http_connect_answer((const uint8_t *)text, len, status, used);
}

static void answers(void **state UNUSED)
{
	const char *good = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nrest";
	const char *bad[] = {"SSH-2.0-x\r\n\r\n", "HTTP/2 200\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", "HTTP/1.1\r\n\r\n"};
	int status = 0;
	size_t used = 0;
	for (size_t len = 0; len < strlen(good) - 4; len++)
		assert_int_equal(answer(good, len, &status, &used), 0);
	assert_int_equal(answer(good, strlen(good), &status, &used), 1);
	assert_int_equal(status, 200);
	assert_int_equal(used, strlen(good) - 4);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(answer(bad[i], strlen(bad[i]), &status, &used) < 0);
	static char endless[HTTP_CONNECT_ANSWER_MAX];
	memset(endless, 'x', sizeof(endless));
	memcpy(endless, "HTTP/1.1 200 ", 13);
	assert_true(answer(endless, sizeof(endless), &status, &used) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(exemptions),
		cmocka_unit_test(requests),
		cmocka_unit_test(answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
