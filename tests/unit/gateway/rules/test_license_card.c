#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rules/license_card.h"

#define NOW INT64_C(1000000)

static struct license_card *make(void)
{
	struct license license = {.id = "lic_7k3qx09fa",
		.tenant = "acme",
		.holder = "Sato 花子",
		.group = "Sales",
		.note = "desk 5",
		.expires_ms = NOW + 1,
		.label_count = 2,
		.labels = {{"floor", "3"}, {"階", "三"}}};
	struct license_card *card;
	assert_int_equal(license_card_make(&license, 7, &card), 0);
	assert_string_equal(card->holder, "Sato 花子");
	assert_string_equal(card->labels, "floor=3\n階=三\n");
	assert_int_equal(card->version, 7);
	return card;
}

static void every_member_of_a_filter_must_fit(void **state)
{
	(void)state;
	struct license_card *card = make();
	const struct license_filter fits[] = {{.online = -1},
		{.online = 0, .tenant = "acme", .group = "Sales", .state = "enabled"},
		{.online = -1, .holder = "sato"}, {.online = -1, .holder = "花"},
		{.online = -1, .label = "floor"}, {.online = -1, .label = "floor=3"},
		{.online = -1, .label = "階=三"}, {.online = -1, .q = "LIC_7K"},
		{.online = -1, .q = "sales"}, {.online = -1, .q = "DESK"},
		{.online = -1, .q = "floor=3"}, {.online = -1, .q = "ACME"}};
	const struct license_filter others[] = {{.online = 1},
		{.online = -1, .tenant = "acm"}, {.online = -1, .group = "sales"},
		{.online = -1, .state = "disabled"}, {.online = -1, .state = "expired"},
		{.online = -1, .holder = "Suzuki"}, {.online = -1, .label = "floo"},
		{.online = -1, .label = "floor="}, {.online = -1, .label = "floor=30"},
		{.online = -1, .label = "loor=3"}, {.online = -1, .q = "elsewhere"},
		{.online = -1, .holder = "sato", .group = "support"}};
	for (size_t i = 0; i < ARRAY_LEN(fits); i++)
		assert_true(license_card_matches(&fits[i], card, NOW));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(license_card_matches(&others[i], card, NOW));
	/* Time goes by. */
	assert_false(license_card_matches(&fits[1], card, NOW + 1));
	assert_true(license_card_matches(&others[4], card, NOW + 1));
	assert_false(license_card_narrows(&fits[0]));
	assert_false(license_card_narrows(&others[1]));
	assert_true(license_card_narrows(&fits[2]));
	assert_true(license_card_narrows(&others[0]));
	free(card);
}

static void the_longest_license_fits(void **state)
{
	(void)state;
	static struct license license;
	struct license_card *card;
	memset(license.holder, 'h', sizeof(license.holder) - 1);
	memset(license.note, 'n', sizeof(license.note) - 1);
	memset(license.group, 'g', sizeof(license.group) - 1);
	license.label_count = LICENSE_LABELS;
	for (size_t i = 0; i < LICENSE_LABELS; i++) {
		memset(license.labels[i].name, 'a', sizeof(license.labels[i].name) - 1);
		memset(license.labels[i].value, 'b', sizeof(license.labels[i].value) - 1);
	}
	assert_int_equal(license_card_make(&license, 1, &card), 0);
	assert_int_equal(strlen(card->labels), LICENSE_LABELS * (32 + 1 + 128 + 1));
	free(card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_of_a_filter_must_fit),
		cmocka_unit_test(the_longest_license_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
