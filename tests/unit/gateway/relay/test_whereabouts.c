#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "relay/whereabouts.h"

static void what_is_announced_is_read_again(void **state)
{
	(void)state;
	static const struct whereabouts all[] = {{"n1", "", ""},
		{"n1", "a.example.com:443", ""}, {"n1", "", "[2001:db8::7]:7443"},
		{"node \"7\"", "a.example.com:443", "10.0.0.7:7443"}};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		char text[WHEREABOUTS_TEXT];
		struct whereabouts read = {"x", "x", "x"};
		assert_int_equal(whereabouts_print(&all[i], text), 0);
		assert_int_equal(whereabouts_parse(text, &read), 0);
		assert_string_equal(read.node, all[i].node);
		assert_string_equal(read.address, all[i].address);
		assert_string_equal(read.peer, all[i].peer);
	}
}

/* The longest names that a node can have fit into a lease. */
static void the_longest_fits(void **state)
{
	(void)state;
	struct whereabouts at = {0}, read;
	char text[WHEREABOUTS_TEXT], host[TEXT_HOST_SIZE];
	memset(at.node, '"', sizeof(at.node) - 1);
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = 0;
	snprintf(at.address, sizeof(at.address), "%s:65535", host);
	snprintf(at.peer, sizeof(at.peer), "%s:65535", host);
	assert_int_equal(whereabouts_print(&at, text), 0);
	assert_int_equal(whereabouts_parse(text, &read), 0);
	assert_string_equal(read.address, at.address);
	assert_string_equal(read.peer, at.peer);
}

static void a_former_generation_announces_its_name(void **state)
{
	(void)state;
	struct whereabouts read = {"x", "x", "x"};
	assert_int_equal(whereabouts_parse("node-7", &read), 0);
	assert_string_equal(read.node, "node-7");
	assert_string_equal(read.address, "");
	assert_string_equal(read.peer, "");
}

static void what_cannot_be_read_changes_nothing(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "{", "{}", "{\"node\":\"\"}",
		"{\"node\":7}", "{\"node\":\"n\",\"address\":\"nothing\"}",
		"{\"node\":\"n\",\"address\":\"a:0\"}",
		"{\"node\":\"n\",\"address\":\":443\"}",
		"{\"node\":\"n\",\"peer\":\"a:99999\"}", "{\"node\":\"n\",\"peer\":[1]}",
		"n\n1",
		"a name that is longer than sixty-four bytes cannot be the name of any "
		"node"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct whereabouts read = {"x", "y", "z"};
		assert_int_not_equal(whereabouts_parse(wrong[i], &read), 0);
		assert_string_equal(read.node, "x");
		assert_string_equal(read.peer, "z");
	}
	char *much = malloc(WHEREABOUTS_TEXT + 1);
	memset(much, ' ', WHEREABOUTS_TEXT);
	much[0] = '{';
	much[WHEREABOUTS_TEXT] = 0;
	struct whereabouts read;
	assert_int_equal(whereabouts_parse(much, &read), -REASON_LIMIT);
	free(much);
}

static void an_address_is_host_and_port(void **state)
{
	(void)state;
	char address[WHEREABOUTS_ADDRESS] = "before";
	assert_int_equal(whereabouts_address("a:443", address), 0);
	assert_string_equal(address, "a:443");
	assert_int_equal(whereabouts_address("", address), 0);
	assert_string_equal(address, "");
	assert_int_equal(whereabouts_address("a", address), -REASON_BAD_VALUE);
	assert_int_equal(whereabouts_address("7443", address), -REASON_BAD_VALUE);
	assert_int_equal(whereabouts_address("a:b", address), -REASON_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_announced_is_read_again),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(a_former_generation_announces_its_name),
		cmocka_unit_test(what_cannot_be_read_changes_nothing),
		cmocka_unit_test(an_address_is_host_and_port),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
