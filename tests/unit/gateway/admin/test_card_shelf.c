/* Cards put in and taken out in every order stand in order, each id once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/card_shelf.h"
#include "rules/license_card.h"

#define MANY 2500 /* more than the shelf makes room for at once */

static void name(unsigned number, char ret[static LICENSE_KEY_ID_SIZE])
{
	snprintf(ret, LICENSE_KEY_ID_SIZE, "lic_%09u", number);
}

static void put(struct card_shelf *shelf, unsigned number, uint64_t version)
{
	struct license_card *card = calloc(1, sizeof(*card));
	assert_non_null(card);
	name(number, card->id);
	card->version = version;
	assert_int_equal(card_shelf_put(shelf, card), 0);
}

static struct license_card *find(const struct card_shelf *shelf, unsigned number)
{
	char id[LICENSE_KEY_ID_SIZE];
	name(number, id);
	return card_shelf_at(shelf, card_shelf_place(shelf, id), id);
}

static void in_order(const struct card_shelf *shelf)
{
	for (size_t i = 1; i < shelf->count; i++)
		assert_true(strcmp(shelf->cards[i - 1]->id, shelf->cards[i]->id) < 0);
}

static void test_any_order_becomes_the_order_of_ids(void **state)
{
	struct card_shelf shelf = {0};
	(void)state;
	/* 1009 has no factor in common with MANY: every number once, in no order. */
	for (unsigned i = 0; i < MANY; i++)
		put(&shelf, i * 1009 % MANY, 1);
	assert_int_equal(shelf.count, MANY);
	in_order(&shelf);
	for (unsigned i = 0; i < MANY; i++)
		assert_non_null(find(&shelf, i));
	assert_null(find(&shelf, MANY));
	card_shelf_done(&shelf);
	assert_int_equal(shelf.count, 0);
}

static void test_a_newer_card_takes_the_place(void **state)
{
	struct card_shelf shelf = {0};
	(void)state;
	put(&shelf, 1, 1);
	put(&shelf, 2, 1);
	find(&shelf, 1)->online = 1;
	put(&shelf, 1, 2);
	assert_int_equal(shelf.count, 2);
	assert_int_equal(find(&shelf, 1)->version, 2);
	assert_true(find(&shelf, 1)
			    ->online); /* a document does not say where its host is */
	card_shelf_done(&shelf);
}

static void test_taken_out_is_gone(void **state)
{
	struct card_shelf shelf = {0};
	char id[LICENSE_KEY_ID_SIZE];
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		put(&shelf, i, 1);
	for (unsigned i = 0; i < 5; i += 2) {
		name(i, id);
		card_shelf_take_out(&shelf, id);
		card_shelf_take_out(&shelf, id); /* it is not there: nothing happens */
		assert_null(find(&shelf, i));
	}
	assert_int_equal(shelf.count, 2);
	in_order(&shelf);
	assert_non_null(find(&shelf, 1));
	assert_non_null(find(&shelf, 3));
	card_shelf_done(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order_becomes_the_order_of_ids),
		cmocka_unit_test(test_a_newer_card_takes_the_place),
		cmocka_unit_test(test_taken_out_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
