#include <string.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/inner_payload.h"

static struct inner_payload_viewer viewer(void)
{
	struct inner_payload_viewer payload = {.class = INNER_NATIVE, .wanted = 0x0123};
	strcpy(payload.user, "鈴木");
	strcpy(payload.device, "laptop");
	return payload;
}

static void both_payloads_come_back(void **state)
{
	(void)state;
	struct inner_payload_host host = {1}, host_back;
	struct inner_payload_viewer payload = viewer(), back;
	uint8_t bytes[INNER_PAYLOAD_MAX];
	size_t len;
	assert_int_equal(inner_payload_pack_host(&host, bytes, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(bytes, "\1\0\1\1", 4);
	assert_int_equal(inner_payload_parse_host(bytes, len, &host_back), 0);
	assert_int_equal(host_back.version, 1);
	assert_int_equal(inner_payload_pack_viewer(&payload, bytes, &len), 0);
	assert_memory_equal(bytes, "\x10\0\6鈴木\x11\0\6laptop\x12\0\1\1\x13\0\2\1\x23",
		len);
	assert_int_equal(inner_payload_parse_viewer(bytes, len, &back), 0);
	assert_string_equal(back.user, payload.user);
	assert_string_equal(back.device, payload.device);
	assert_int_equal(back.class, INNER_NATIVE);
	assert_int_equal(back.wanted, 0x0123);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(inner_payload_parse_viewer(bytes, cut, &back),
			-REASON_BAD_MESSAGE);
}

static void unknown_types_are_skipped(void **state)
{
	(void)state;
	struct inner_payload_host host = {0};
	static const uint8_t bytes[] = {
		0x02, 0, 1, 9, 0x70, 0, 0, 0x01, 0, 1, 7, 0xff, 0, 2, 1, 1};
	assert_int_equal(inner_payload_parse_host(bytes, sizeof(bytes), &host), 0);
	assert_int_equal(host.version, 7);
}

static void bad_payloads_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"", 0}, {"\x11\0\1a\x12\0\1\1\x13\0\2\0\1", 13}, /* no user */
		{"\x10\0\0\x11\0\1\n\x12\0\1\1\x13\0\2\0\1", 16}, /* control character */
		{"\x10\0\0\x11\0\1\xff\x12\0\1\1\x13\0\2\0\1", 16}, /* UTF-8 */
		{"\x10\0\0\x11\0\1a\x12\0\1\4\x13\0\2\0\1", 16},    /* class */
		{"\x10\0\0\x11\0\1a\x12\0\2\1\1\x13\0\2\0\1", 17},
		{"\x10\0\0\x11\0\1a\x12\0\1\1\x13\0\1\1", 15},           /* rights */
		{"\x10\0\0\x10\0\0\x11\0\1a\x12\0\1\1\x13\0\2\0\1", 19}, /* twice */
	};
	static const uint8_t big[INNER_PAYLOAD_MAX + 1];
	struct inner_payload_viewer payload;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(inner_payload_parse_viewer(rows[i].bytes, rows[i].len,
					 &payload),
			-REASON_BAD_MESSAGE);
	assert_int_equal(inner_payload_parse_viewer(
				 "\x10\0\0\x11\0\1a\x12\0\1\1\x13\0\2\0\1", 16, &payload),
		0);
	assert_int_equal(inner_payload_parse_viewer(big, sizeof(big), &payload),
		-REASON_LIMIT);
}

static void bad_values_are_not_sent(void **state)
{
	(void)state;
	uint8_t bytes[INNER_PAYLOAD_MAX];
	size_t len;
	struct inner_payload_viewer payload = viewer();
	memset(payload.device, 'a', sizeof(payload.device)); /* no end */
	assert_int_equal(inner_payload_pack_viewer(&payload, bytes, &len),
		-REASON_BAD_VALUE);
	payload = viewer();
	payload.user[0] = '\x1b';
	assert_int_equal(inner_payload_pack_viewer(&payload, bytes, &len),
		-REASON_BAD_VALUE);
	payload = viewer();
	payload.class = 0;
	assert_int_equal(inner_payload_pack_viewer(&payload, bytes, &len),
		-REASON_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_payloads_come_back),
		cmocka_unit_test(unknown_types_are_skipped),
		cmocka_unit_test(bad_payloads_are_refused),
		cmocka_unit_test(bad_values_are_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
