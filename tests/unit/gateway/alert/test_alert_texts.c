#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "alert/mail_text.h"
#include "alert/syslog_text.h"
#include "alert/target.h"
#include "alert/webhook.h"

#define NOW INT64_C(1795340429000)

static int permits(const char *networks, const char *tenant, const char *address)
{
	struct target_rules rules;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	assert_int_equal(target_parse(&rules, networks), 0);
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return target_permits(&rules, tenant, (struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return target_permits(&rules, tenant, (struct sockaddr *)&v6);
}

static void test_where_letters_may_go(void **state)
{
	(void)state;
	static const struct {
		const char *networks, *tenant, *address;
		int may;
	} rows[] = {
		{"", "", "192.0.2.7", 1},
		{"", "acme", "192.0.2.7", 1},
		{"", "", "10.1.2.3", 1},
		{"", "acme", "10.1.2.3", 0},
		{"", "acme", "172.20.0.1", 0},
		{"", "acme", "192.168.0.1", 0},
		{"", "acme", "100.64.0.1", 0},
		{"", "acme", "fd00::1", 0},
		{"", "acme", "2001:db8::1", 1},
		{"", "", "127.0.0.1", 0},
		{"", "", "127.200.0.1", 0},
		{"", "", "::1", 0},
		{"", "", "::ffff:127.0.0.1", 0},
		{"", "acme", "::ffff:10.0.0.1", 0},
		{"", "", "169.254.169.254", 0},
		{"", "", "fe80::1", 0},
		{"", "", "0.0.0.0", 0},
		{"", "", "::", 0},
		{"", "", "224.0.0.1", 0},
		{"", "", "255.255.255.255", 0},
		{"", "", "ff02::1", 0},
		{"10.0.0.0/8, 127.0.0.1", "acme", "10.1.2.3", 1},
		{"10.0.0.0/8, 127.0.0.1", "acme", "127.0.0.1", 1},
		{"10.0.0.0/8, 127.0.0.1", "", "192.0.2.7", 0},
	};
	struct target_rules rules;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(permits(rows[i].networks, rows[i].tenant,
					 rows[i].address),
			rows[i].may);
	assert_int_equal(target_parse(&rules, "10.0.0.0/8 and more"), -REASON_BAD_VALUE);
}

/* HMAC-SHA256 of RFC 4231, test case 2 has no dot, so the value is from another program:
 * printf '1795340429.{"a":1}' | openssl dgst -sha256 -hmac key-of-the-test */
static void test_a_signature_is_what_others_compute(void **state)
{
	(void)state;
	char text[WEBHOOK_SIGNATURE];
	assert_int_equal(webhook_sign("key-of-the-test", NOW, "{\"a\":1}", text), 0);
	assert_string_equal(text,
		"t=1795340429,v1="
		"d2b3786905efb5dd7b7a455b869d42976942f4ef148f2ac8a23eaaac57916bfd");
}

static void write_mail(const char *subject, const char *body, char *ret, size_t size)
{
	static const char *const to[] = {"it@b.example", "boss@b.example"};
	struct buf out;
	buf_init(&out, 65536);
	assert_int_equal(mail_text_write(&(struct mail_text){.from = "engawa@b.example",
						 .to = to,
						 .to_count = 2,
						 .subject = subject,
						 .body = body,
						 .id = "alm_1",
						 .now_ms = NOW},
				 &out),
		0);
	assert_true(buf_len(&out) < size);
	memcpy(ret, buf_head(&out), buf_len(&out));
	ret[buf_len(&out)] = '\0';
	buf_done(&out);
}

static void test_mail_lines_are_short_and_nothing_is_injected(void **state)
{
	(void)state;
	char text[16384];
	write_mail("警報: 佐藤 花子\r\nBcc: x@evil.example\r\n\r\nbody "
		   "警報警報警報警報警報警報警報",
		"一行目\n.\r\nQUIT\n", text, sizeof(text));
	assert_null(strstr(text, "Bcc"));
	assert_null(strstr(text, "QUIT"));
	assert_non_null(strstr(text, "Date: Sun, 22 Nov 2026 09:40:29 +0000\r\n"));
	assert_non_null(strstr(text,
		"To: <it@b.example>,\r\n <boss@b.example>\r\nSubject: =?UTF-8?B?"));
	for (const char *line = text; *line;) {
		const char *end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(end - line <= 76);
		assert_null(memchr(line, '\n', (size_t)(end - line)));
		line = end + 2;
	}
	char *end_of_head = strstr(text, "\r\n\r\n");
	assert_non_null(end_of_head);
	assert_null(strstr(end_of_head + 4, "\r\n\r\n"));
}

static void test_syslog_cannot_be_broken_out_of(void **state)
{
	(void)state;
	struct alert alert;
	struct alarm alarm;
	char text[SYSLOG_TEXT_SIZE];
	assert_int_equal(alert_default(&alert, "acme", ALERT_RECEIPTS_DIFFER, NOW), 0);
	assert_int_equal(alarm_raise(&alarm, &alert, "a\"] <1>1 \\evil 花", NOW, 1), 0);
	size_t len = syslog_text_write(&alarm, "my node", REASON_JA, text);
	assert_int_equal(len, strlen(text));
	assert_int_equal(strncmp(text,
				 "<83>1 2026-11-22T09:40:29.000Z mynode engawa-gateway - "
				 "receipts_differ [engawa@32473 alarm=\"alm_",
				 90),
		0);
	assert_non_null(strstr(text, "subject=\"a\\\"\\] <1>1 \\\\evil 花\"] \xef\xbb\xbf"
				     "両端の記録が一致しない"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_letters_may_go),
		cmocka_unit_test(test_a_signature_is_what_others_compute),
		cmocka_unit_test(test_mail_lines_are_short_and_nothing_is_injected),
		cmocka_unit_test(test_syslog_cannot_be_broken_out_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
