#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/reason.h"
#include "relay/guard.h"

static struct relay_settings settings;
static int64_t now_ms;

static void at(int64_t ms)
{
	now_ms = ms;
	clock_fake(ms * 1000, ms);
}

static int set_up(void **state)
{
	struct guard *guard;
	at(1000000);
	relay_settings_default(&settings);
	assert_int_equal(guard_new(&settings, &guard), 0);
	*state = guard;
	return 0;
}

static int tear_down(void **state)
{
	guard_free(*state);
	clock_fake(-1, -1);
	return 0;
}

static void one_address_has_only_so_many_strangers(void **state)
{
	struct guard *guard = *state;
	settings.strangers_per_address = 3;
	guard_set(guard, &settings);
	for (int i = 0; i < 3; i++)
		assert_int_equal(guard_admit(guard, "192.0.2.1"), 0);
	assert_int_equal(guard_admit(guard, "192.0.2.1"), -REASON_THROTTLED);
	assert_int_equal(guard_admit(guard, "192.0.2.2"), 0);
	guard_proved(guard, "192.0.2.1");
	assert_int_equal(guard_admit(guard, "192.0.2.1"), 0);
	assert_int_equal(guard_strangers(guard), 4);
}

/* Whoever has one IPv6 address has 2^64 of them. */
static void an_ipv6_network_is_one_source(void **state)
{
	struct guard *guard = *state;
	settings.strangers_per_address = 2;
	guard_set(guard, &settings);
	assert_int_equal(guard_admit(guard, "2001:db8:1:1::1"), 0);
	assert_int_equal(guard_admit(guard, "2001:db8:1:1:ffff::2"), 0);
	assert_int_equal(guard_admit(guard, "2001:db8:1:1::3"), -REASON_THROTTLED);
	assert_int_equal(guard_admit(guard, "2001:db8:1:2::1"), 0);
}

static void from_half_on_chance_decides_and_at_the_limit_nobody_comes(void **state)
{
	struct guard *guard = *state;
	char address[32];
	int admitted = 0, dropped_early = 0;
	settings.strangers = 200;
	guard_set(guard, &settings);
	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250, i % 250 + 1);
		int rc = guard_admit(guard, address);
		assert_true(rc == 0 || rc == -REASON_BUSY);
		if (admitted < 100)
			assert_int_equal(rc, 0);
		admitted += !rc;
		dropped_early += rc && admitted < 200;
	}
	assert_int_equal(admitted, 200);
	assert_true(dropped_early > 10);
}

static void wasted_time_adds_up_to_a_penalty_that_ends(void **state)
{
	struct guard *guard = *state;
	const char *address = "192.0.2.1";
	assert_int_equal(guard_admit(guard, address), 0);
	guard_failed(guard, address,
		REASON_TIMEOUT); /* 10 s: below the least that counts */
	assert_int_equal(guard_admit(guard, address), 0);
	guard_failed(guard, address, REASON_TIMEOUT);
	assert_int_equal(guard_admit(guard, address), -REASON_THROTTLED);
	assert_int_equal(guard_admit(guard, "192.0.2.2"), 0);
	at(now_ms + 19000);
	assert_int_equal(guard_admit(guard, address), -REASON_THROTTLED);
	at(now_ms + 2000);
	assert_int_equal(guard_admit(guard, address), 0);
}

static void a_penalty_is_never_longer_than_permitted(void **state)
{
	struct guard *guard = *state;
	const char *address = "192.0.2.1";
	settings.penalty_least_ms = 30000;
	settings.penalty_most_ms = 60000;
	guard_set(guard, &settings);
	for (int i = 0; i < 20; i++)
		assert_int_equal(guard_admit(guard, address), 0);
	for (int i = 0; i < 20; i++)
		guard_failed(guard, address, REASON_TIMEOUT);
	assert_int_equal(guard_admit(guard, address), -REASON_THROTTLED);
	at(now_ms + 60001);
	assert_int_equal(guard_admit(guard, address), 0);
}

/* A wrong password is admission's business: its lockout says why, a closed port does not. */
static void refused_logins_are_no_attack_on_the_machine(void **state)
{
	struct guard *guard = *state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(guard_admit(guard, "192.0.2.1"), 0);
		guard_failed(guard, "192.0.2.1", REASON_PASSWORD_WRONG);
	}
}

static void a_good_neighbour_protects_its_address(void **state)
{
	struct guard *guard = *state;
	const char *office = "192.0.2.1";
	assert_int_equal(guard_admit(guard, office), 0);
	guard_proved(guard, office);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(guard_admit(guard, office), 0);
		guard_failed(guard, office, REASON_TIMEOUT);
	}
	assert_int_equal(guard_admit(guard, office), 0);
	guard_left(guard, office);
	assert_int_equal(guard_admit(guard, office), -REASON_THROTTLED);
}

/* The restart of a gateway: 1,000 hosts behind one address, all within five seconds, each taking
 * 100 ms to prove itself. Who is turned away tries again after a second. All are in within 30 s. */
static void an_office_of_a_thousand_comes_back_in_time(void **state)
{
	struct guard *guard = *state;
	enum { HOSTS = 1000 };
	static int64_t next_ms[HOSTS], proves_ms[HOSTS];
	int welcome = 0;
	for (int i = 0; i < HOSTS; i++) {
		next_ms[i] = now_ms + i * 5;
		proves_ms[i] = 0;
	}
	int64_t begin_ms = now_ms;
	while (welcome < HOSTS && now_ms < begin_ms + 30000) {
		for (int i = 0; i < HOSTS; i++) {
			if (proves_ms[i] > 0 && proves_ms[i] <= now_ms) {
				guard_proved(guard, "192.0.2.1");
				proves_ms[i] = -1;
				welcome++;
			} else if (!proves_ms[i] && next_ms[i] <= now_ms) {
				if (guard_admit(guard, "192.0.2.1"))
					next_ms[i] = now_ms + 1000;
				else
					proves_ms[i] = now_ms + 100;
			}
		}
		at(now_ms + 10);
	}
	assert_int_equal(welcome, HOSTS);
}

static void what_is_forgotten_makes_room(void **state)
{
	struct guard *guard = *state;
	char address[32];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 40000; i++) {
			snprintf(address, sizeof(address), "10.%d.%d.%d", round, i / 250,
				i % 250 + 1);
			assert_int_equal(guard_admit(guard, address), 0);
			guard_failed(guard, address, REASON_PEER_LOST);
		}
		at(now_ms + 10000);
	}
	assert_int_equal(guard_strangers(guard), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_address_has_only_so_many_strangers),
		TEST(an_ipv6_network_is_one_source),
		TEST(from_half_on_chance_decides_and_at_the_limit_nobody_comes),
		TEST(wasted_time_adds_up_to_a_penalty_that_ends),
		TEST(a_penalty_is_never_longer_than_permitted),
		TEST(refused_logins_are_no_attack_on_the_machine),
		TEST(a_good_neighbour_protects_its_address),
		TEST(an_office_of_a_thousand_comes_back_in_time),
		TEST(what_is_forgotten_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
