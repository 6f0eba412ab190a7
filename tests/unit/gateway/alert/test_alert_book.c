#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "alert/alarm_spool.h"
#include "alert/alert_book.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define MINUTE 60000
#define NOW INT64_C(1795340429000)

struct rig {
	struct alert_book *book;
	struct alert rule;
	int over;
};

static int setup(struct rig *rig, enum alert_when when)
{
	*rig = (struct rig){0};
	assert_int_equal(alert_book_new(&rig->book), 0);
	assert_int_equal(alert_default(&rig->rule, "", when, NOW), 0);
	return alert_book_add_rule(rig->book, &rig->rule);
}

static void on_over(void *ctx, const char *alarm)
{
	assert_int_equal(strncmp(alarm, "alm_", 4), 0);
	((struct rig *)ctx)->over++;
}

/* As the watch does it: counts, and says when it was raised. */
static int happens(struct rig *rig, const char *subject, int64_t at_ms)
{
	struct alert_event event = {
		.when = (enum alert_when)rig->rule.when, .at_ms = at_ms, .amount = 1};
	struct alarm alarm;
	int64_t value;
	snprintf(event.subject, sizeof(event.subject), "%s", subject);
	if (!alert_book_count(rig->book, &rig->rule, &event, &value))
		return 0;
	assert_int_equal(alarm_raise(&alarm, &rig->rule, subject, at_ms, value), 0);
	alert_book_raised(rig->book, &rig->rule, &alarm);
	return 1;
}

static void test_one_alarm_per_subject_until_it_is_quiet(void **state)
{
	(void)state;
	struct rig rig;
	assert_int_equal(setup(&rig, ALERT_LOGIN_FAILED), 0);
	for (int i = 1; i <= 4; i++)
		assert_false(happens(&rig, "lic_a", NOW + i));
	assert_false(happens(&rig, "lic_b", NOW + 5)); /* counted for itself */
	assert_true(happens(&rig, "lic_a", NOW + 6));
	for (int i = 0; i < 100; i++)
		assert_false(happens(&rig, "lic_a", NOW + MINUTE + i));
	alert_book_sweep(rig.book, NOW + 59 * MINUTE, on_over, &rig);
	assert_int_equal(rig.over, 0);
	alert_book_sweep(rig.book, NOW + 61 * MINUTE, on_over, &rig);
	assert_int_equal(rig.over, 1);
	for (int i = 1; i <= 4; i++)
		assert_false(happens(&rig, "lic_a", NOW + 62 * MINUTE + i));
	assert_true(happens(&rig, "lic_a", NOW + 62 * MINUTE + 5));
	alert_book_free(rig.book);
}

static void test_failures_that_are_far_apart_are_none(void **state)
{
	(void)state;
	struct rig rig;
	assert_int_equal(setup(&rig, ALERT_LOGIN_FAILED), 0);
	for (int i = 0; i < 50; i++)
		assert_false(happens(&rig, "lic_a", NOW + i * 3 * MINUTE));
	alert_book_free(rig.book);
}

static void test_an_open_alarm_is_remembered(void **state)
{
	(void)state;
	struct rig rig;
	struct alarm alarm;
	assert_int_equal(setup(&rig, ALERT_DEVICE_NEW), 0);
	assert_int_equal(alarm_raise(&alarm, &rig.rule, "lic_a dev_1", NOW, 1), 0);
	assert_int_equal(alert_book_open(rig.book, &alarm), 0);
	assert_false(happens(&rig, "lic_a dev_1", NOW + 1));
	assert_true(happens(&rig, "lic_a dev_2", NOW + 1));
	alert_book_sweep(rig.book, NOW + 61 * MINUTE, on_over, &rig);
	assert_int_equal(rig.over, 2);
	alert_book_free(rig.book);
}

static void test_a_state_lasts_until_it_is_not_reported(void **state)
{
	(void)state;
	struct rig rig;
	struct alarm alarm;
	assert_int_equal(setup(&rig, ALERT_HOST_AWAY), 0);
	for (int i = 0; i < 5; i++) {
		int raise = alert_book_lasts(rig.book, &rig.rule, "lic_a", NOW + i);
		assert_int_equal(raise, i == 0);
		if (raise) {
			assert_int_equal(alarm_raise(&alarm, &rig.rule, "lic_a", NOW, 1),
				0);
			alert_book_raised(rig.book, &rig.rule, &alarm);
		}
		alert_book_sweep_states(rig.book, ALERT_HOST_AWAY, on_over, &rig);
		alert_book_sweep(rig.book, NOW + 100 * MINUTE, on_over, &rig);
		assert_int_equal(rig.over, 0);
	}
	alert_book_sweep_states(rig.book, ALERT_NODE_AWAY, on_over, &rig);
	assert_int_equal(rig.over, 0);
	alert_book_sweep_states(rig.book, ALERT_HOST_AWAY, on_over, &rig);
	assert_int_equal(rig.over, 1);
	assert_true(alert_book_lasts(rig.book, &rig.rule, "lic_a", NOW + 9));
	alert_book_free(rig.book);
}

static void test_rules_are_found_by_company(void **state)
{
	(void)state;
	struct rig rig;
	struct alert other;
	size_t at = 0;
	assert_int_equal(setup(&rig, ALERT_VETO), 0);
	assert_int_equal(alert_default(&other, "acme", ALERT_VETO, NOW), 0);
	other.state = ALERT_DISABLED;
	assert_int_equal(alert_book_add_rule(rig.book, &other), 0);
	assert_null(alert_book_rule(rig.book, ALERT_VETO, "acme", &at));
	at = 0;
	assert_non_null(alert_book_rule(rig.book, ALERT_VETO, "", &at));
	assert_null(alert_book_rule(rig.book, ALERT_VETO, "", &at));
	alert_book_free(rig.book);
}

static void test_the_book_is_bounded(void **state)
{
	(void)state;
	struct rig rig;
	char subject[32];
	assert_int_equal(setup(&rig, ALERT_DEVICE_NEW), 0);
	for (int i = 0; i < ALERT_BOOK_SUBJECTS; i++) {
		snprintf(subject, sizeof(subject), "s%d", i);
		assert_true(happens(&rig, subject, NOW));
	}
	assert_false(happens(&rig, "one more", NOW));
	alert_book_sweep(rig.book, NOW + 100 * MINUTE, on_over, &rig);
	assert_int_equal(rig.over, ALERT_BOOK_SUBJECTS);
	assert_true(happens(&rig, "one more", NOW + 100 * MINUTE));
	alert_book_free(rig.book);
}

/* the spool */

static struct alarm an_alarm(int64_t at_ms)
{
	struct alert alert;
	struct alarm alarm;
	assert_int_equal(alert_default(&alert, "", ALERT_VETO, NOW), 0);
	strcpy(alert.routes[0], "rte_a");
	strcpy(alert.routes[1], "rte_b");
	alert.route_count = 2;
	assert_int_equal(alarm_raise(&alarm, &alert, "佐藤", at_ms, 1), 0);
	return alarm;
}

static void test_letters_survive(void **state)
{
	(void)state;
	char dir[] = "/tmp/engawa-spool-XXXXXX";
	static const uint8_t master[SEALED_KEYS_MASTER] = {1};
	char error[STORE_ERROR];
	struct store *below, *store;
	struct alarm_spool *spool;
	struct alarm alarm = an_alarm(NOW), next = an_alarm(NOW + 1);
	int64_t wait;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(store_open("memory:", "node", &below, error), 0);
	assert_int_equal(sealed_store_open(below, master, &store, error), 0);
	struct sealed_keys *keys = sealed_store_keys(store);
	assert_int_equal(alarm_spool_open(dir, keys, &spool), 0);
	assert_int_equal(alarm_spool_put(spool, &alarm, "rte_a", NOW), 0);
	assert_int_equal(alarm_spool_put(spool, &alarm, "rte_a", NOW), 0); /* once */
	assert_int_equal(alarm_spool_put(spool, &next, "rte_a", NOW), 0);
	assert_int_equal(alarm_spool_put(spool, &next, "rte_b", NOW), 0);
	assert_int_equal(alarm_spool_count(spool), 3);

	/* One at a time to the same receiver; another one is not held up. */
	struct alarm_spool_entry *a = alarm_spool_take(spool, NOW, &wait);
	struct alarm_spool_entry *b = alarm_spool_take(spool, NOW, &wait);
	assert_string_equal(a->route, "rte_a");
	assert_string_equal(b->route, "rte_b");
	assert_null(alarm_spool_take(spool, NOW, &wait));
	alarm_spool_done(spool, b);
	a->tries = 4;
	a->next_ms = NOW + 500;
	alarm_spool_again(spool, a);
	alarm_spool_free(spool);

	FILE *junk = fopen(strcat(strcpy((char[99]){0}, dir), "/alm_x.json.part"), "w");
	fclose(junk);
	assert_int_equal(alarm_spool_open(dir, keys, &spool), 0);
	assert_int_equal(alarm_spool_count(spool), 2);
	a = alarm_spool_take(spool, NOW, &wait);
	assert_string_equal(a->alarm.id, next.id);
	alarm_spool_done(spool, a);
	assert_null(alarm_spool_take(spool, NOW + 499, &wait));
	assert_int_equal(wait, 1);
	a = alarm_spool_take(spool, NOW + 500, &wait);
	assert_int_equal(a->tries, 4);
	assert_string_equal(a->alarm.subject, "佐藤");
	alarm_spool_done(spool, a);
	alarm_spool_free(spool);
	store_close(store);
	assert_int_equal(rmdir(dir), 0); /* nothing is left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_alarm_per_subject_until_it_is_quiet),
		cmocka_unit_test(test_failures_that_are_far_apart_are_none),
		cmocka_unit_test(test_an_open_alarm_is_remembered),
		cmocka_unit_test(test_a_state_lasts_until_it_is_not_reported),
		cmocka_unit_test(test_rules_are_found_by_company),
		cmocka_unit_test(test_the_book_is_bounded),
		cmocka_unit_test(test_letters_survive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
