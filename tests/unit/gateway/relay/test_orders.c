#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/reason.h"
#include "relay/orders.h"

static void an_order_is_read(void **state)
{
	struct order order;
	(void)state;
	assert_int_equal(
		orders_parse(
			"{\"order\":\"revoke\",\"license\":\"lic_0123456zz\","
			"\"reason\":\"LICENSE_DISABLED\",\"by\":\"boss\",\"more\":1}",
			&order),
		0);
	assert_int_equal(order.kind, ORDER_REVOKE);
	assert_string_equal(order.license, "lic_0123456zz");
	assert_string_equal(order.by, "boss");
	assert_int_equal(order.reason, REASON_LICENSE_DISABLED);
	assert_int_equal(order.within_ms, -1);
	assert_int_equal(
		orders_parse("{\"order\":\"revoke\",\"tenant\":\"acme\",\"reason\":"
			     "\"TENANT_DISABLED\"}",
			&order),
		0);
	assert_string_equal(order.tenant, "acme");
	assert_string_equal(order.license, "");
	assert_int_equal(
		orders_parse("{\"order\":\"drain\",\"node\":\"n1\",\"within_ms\":3000}",
			&order),
		0);
	assert_int_equal(order.kind, ORDER_DRAIN);
	assert_int_equal(order.within_ms, 3000);
	assert_int_equal(order.reason, REASON_ADMIN_DISCONNECT);
	assert_int_equal(
		orders_parse(
			"{\"order\":\"policy\",\"tenant\":\"acme\",\"license\":\"\"}",
			&order),
		0);
	assert_int_equal(order.kind, ORDER_POLICY);
	assert_string_equal(order.tenant, "acme");
	assert_string_equal(order.license, "");
	assert_int_equal(orders_parse("{\"order\":\"notices\"}", &order), 0);
	assert_int_equal(order.kind, ORDER_NOTICES);
}

/* An order that misses its object must fall on nobody. */
static void half_an_order_is_none(void **state)
{
	static const char *const texts[] = {"", "[]", "null", "{}", "{\"order\":1}",
		"{\"order\":\"explode\"}", "{\"order\":\"disconnect\"}",
		"{\"order\":\"disconnect\",\"session\":\"\"}", "{\"order\":\"revoke\"}",
		"{\"order\":\"revoke\",\"session\":\"ses_1\"}", "{\"order\":\"drain\"}",
		"{\"order\":\"revoke\",\"license\":7}",
		"{\"order\":\"revoke\",\"license\":\"lic_0123456zz_and_more\"}",
		"{\"order\":\"revoke\",\"license\":\"a\",\"reason\":\"NO_SUCH_REASON\"}",
		"{\"order\":\"drain\",\"node\":\"n\",\"within_ms\":-5}",
		"{\"order\":\"drain\",\"node\":\"n\",\"within_ms\":\"5\"}",
		"{\"order\":\"revoke\",\"license\":\"a\",\"license\":\"b\"}"};
	struct order order = {.kind = 77};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(orders_parse(texts[i], &order), -REASON_BAD_MESSAGE);
	assert_int_equal(order.kind, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_read),
		cmocka_unit_test(half_an_order_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
