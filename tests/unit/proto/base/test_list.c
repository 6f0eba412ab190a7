#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/weak.h"
#include <cmocka.h>

struct thing {
	int number;
	struct list node;
	struct weak_anchor anchor;
};

static int sum(const struct list *head)
{
	int total = 0;
	LIST_EACH(node, head)
	total = total * 10 + LIST_ENTRY(node, struct thing, node)->number;
	return total;
}

static void order_and_removal(void **state)
{
	(void)state;
	struct list head;
	struct thing things[3] = {{1}, {2}, {3}};
	list_init(&head);
	assert_true(list_empty(&head));
	for (int i = 0; i < 3; i++)
		list_add_tail(&head, &things[i].node);
	assert_int_equal(sum(&head), 123);
	LIST_EACH(node, &head)
	if (LIST_ENTRY(node, struct thing, node)->number == 2)
		list_remove(node);
	assert_int_equal(sum(&head), 13);
	list_remove(&things[1].node); /* a second time does no harm */
	list_remove(&things[0].node);
	list_remove(&things[2].node);
	assert_true(list_empty(&head));
}

static void borrowers_see_the_end(void **state)
{
	(void)state;
	struct thing subject = {7}, other = {8};
	struct weak first, second;
	weak_anchor_init(&subject.anchor);
	weak_anchor_init(&other.anchor);
	weak_init(&first);
	weak_init(&second);
	assert_null(first.subject);
	weak_set(&first, &subject.anchor, &subject);
	weak_set(&second, &subject.anchor, &subject);
	weak_set(&second, &other.anchor, &other);
	assert_ptr_equal(first.subject, &subject);
	weak_anchor_done(&subject.anchor);
	assert_null(first.subject);
	assert_ptr_equal(second.subject, &other);
	weak_clear(&second);
	assert_null(second.subject);
	assert_true(list_empty(&other.anchor.borrowers));
	weak_anchor_done(&other.anchor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_removal),
		cmocka_unit_test(borrowers_see_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
