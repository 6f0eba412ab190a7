#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "net/address.h"
#include "net/proxy_v2.h"

#define HEAD "\r\n\r\n\0\r\nQUIT\n"

static const uint8_t tcp4[] = HEAD "\x21\x11\x00\x0c"
				   "\xc0\x00\x02\x07"
				   "\x0a\x00\x00\x01"
				   "\x12\x34\x1d\x13";
static const uint8_t local[] = HEAD "\x20\x00\x00\x00";

static void the_source_is_taken_over(void **state)
{
	char address[CONN_ADDRESS] = "10.0.0.1";
	uint8_t tcp6[16 + 36 + 3] = HEAD "\x21\x21\x00\x27"
					 "\x20\x01\x0d\xb8";
	(void)state;
	tcp6[31] = 0x42;
	assert_int_equal(proxy_v2_parse(tcp4, sizeof(tcp4) - 1, address), 28);
	assert_string_equal(address, "192.0.2.7");
	assert_int_equal(proxy_v2_parse(tcp6, sizeof(tcp6), address), sizeof(tcp6));
	assert_string_equal(address, "2001:db8::42");
}

/* A health check of the balancer itself keeps its own address. */
static void local_changes_nothing(void **state)
{
	char address[CONN_ADDRESS] = "10.0.0.1";
	(void)state;
	assert_int_equal(proxy_v2_parse(local, sizeof(local) - 1, address), 16);
	assert_string_equal(address, "10.0.0.1");
}

static void every_cut_asks_for_more(void **state)
{
	char address[CONN_ADDRESS] = "10.0.0.1";
	(void)state;
	for (size_t len = 0; len < sizeof(tcp4) - 1; len++)
		assert_int_equal(proxy_v2_parse(tcp4, len, address), 0);
	assert_string_equal(address, "10.0.0.1");
}

static void what_is_wrong_is_refused_at_its_first_byte(void **state)
{
	char address[CONN_ADDRESS] = "10.0.0.1";
	uint8_t bytes[sizeof(tcp4) - 1];
	(void)state;
	for (size_t i = 0; i < 13; i++) { /* signature, version and command */
		memcpy(bytes, tcp4, sizeof(bytes));
		bytes[i] ^= 0x40;
		assert_int_equal(proxy_v2_parse(bytes, sizeof(bytes), address),
			-REASON_PROTOCOL);
		if (i < 12)
			assert_int_equal(proxy_v2_parse(bytes, i + 1, address),
				-REASON_PROTOCOL);
	}
	memcpy(bytes, tcp4, sizeof(bytes));
	bytes[14] = 0xff; /* longer than anybody needs */
	assert_int_equal(proxy_v2_parse(bytes, sizeof(bytes), address), -REASON_PROTOCOL);
	memcpy(bytes, tcp4, sizeof(bytes));
	bytes[15] = 4; /* too short for its addresses */
	assert_int_equal(proxy_v2_parse(bytes, sizeof(bytes), address), -REASON_PROTOCOL);
	assert_string_equal(address, "10.0.0.1");
}

static void mapped_addresses_are_ipv4(void **state)
{
	static const uint8_t mapped[16] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9};
	char address[CONN_ADDRESS];
	uint8_t a[ADDRESS_KEY], b[ADDRESS_KEY];
	(void)state;
	address_text6(address, mapped);
	assert_string_equal(address, "192.0.2.9");
	address_key(a, "192.0.2.9");
	address_key(b, "192.0.2.10");
	assert_memory_not_equal(a, b, ADDRESS_KEY);
	address_key(a, "2001:db8:0:7::1");
	address_key(b, "2001:db8:0:7:ffff::");
	assert_memory_equal(a, b, ADDRESS_KEY);
	address_key(b, "2001:db8:0:8::1");
	assert_memory_not_equal(a, b, ADDRESS_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_source_is_taken_over),
		cmocka_unit_test(local_changes_nothing),
		cmocka_unit_test(every_cut_asks_for_more),
		cmocka_unit_test(what_is_wrong_is_refused_at_its_first_byte),
		cmocka_unit_test(mapped_addresses_are_ipv4),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
