/* A person's day at the console, with the clock in hand: real requests through the whole office, over a
 * store in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "rules/account.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define MINUTE INT64_C(60000)
#define START INT64_C(1800000000000)
#define PASSWORD "Verandah-4-Tanuki"

struct office {
	struct store *store;
	struct admin *admin;
	char cookie[64], csrf[64];
	/* the last answer */
	int status;
	size_t len;
	char text[16384];
};

static void set_clock(int64_t since_start)
{
	clock_fake(since_start * 1000 + 1000000, START + since_start);
}

static void facts(void *ctx, struct admin_facts *ret)
{
	(void)ctx;
	*ret = (struct admin_facts){.ready = 1, .step_up_ms = 5 * MINUTE};
}

static void limits(void *ctx, json_t *array)
{
	(void)ctx;
	(void)array;
}

static void put_account(struct office *office)
{
	struct account account = {.name = "hanako", .roles = ROLE_BIT(ROLE_ADMIN)};
	char record[PASSWORD_RECORD], *body;
	assert_int_equal(password_hash(PASSWORD, record), 0);
	account_set_password(&account, record, START);
	account_end_sign_ins(&account, START);
	assert_int_equal(account_write(&account, NULL, &body), 0);
	struct state_doc doc = {
		.kind = STATE_ACCOUNT, .id = "hanako", .tenant = "", .body = body};
	uint64_t version;
	assert_int_equal(store_wait_put(office->store->state, &doc, &version), 0);
	free(body);
}

static int set_up(void **state)
{
	static const uint8_t master[32];
	static struct office office;
	char error[STORE_ERROR];
	office = (struct office){0};
	set_clock(0);
	assert_int_equal(store_open("memory:", "node-t", &office.store, error), 0);
	struct admin_parts parts = {.store = office.store,
		.node = "node-t",
		.master = master,
		.streams = 3,
		.facts = facts,
		.limits = limits};
	assert_int_equal(admin_new(&parts, &office.admin), 0);
	put_account(&office);
	*state = &office;
	return 0;
}

static int tear_down(void **state)
{
	struct office *office = *state;
	admin_free(office->admin);
	store_close(office->store);
	clock_fake(-1, -1);
	return 0;
}

static int sink(void *ctx, const void *bytes, size_t len)
{
	struct office *office = ctx;
	assert_true(office->len + len < sizeof(office->text));
	memcpy(office->text + office->len, bytes, len);
	office->len += len;
	office->text[office->len] = '\0';
	return 0;
}

/* Takes over what a browser would keep. */
static void keep(struct office *office)
{
	const char *cookie = strstr(office->text, "Set-Cookie: __Host-engawa=");
	const char *csrf = strstr(office->text, "\"csrf\":\"");
	if (cookie)
		assert_int_equal(sscanf(cookie + 26, "%43[^;]", office->cookie), 1);
	if (csrf)
		assert_int_equal(sscanf(csrf + 8, "%43[^\"]", office->csrf), 1);
}

/* The HTTP status; `head` are further header lines. */
static int ask(struct office *office, const char *method, const char *path,
	const char *head, const char *body)
{
	struct exchange exchange;
	struct request *request;
	char text[2048];
	size_t used;
	snprintf(text, sizeof(text),
		"%s %s HTTP/1.1\r\nHost: gw\r\nCookie: __Host-engawa=%s\r\n"
		"X-Engawa-CSRF: %s\r\n%s"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		method, path, office->cookie, office->csrf, head, strlen(body), body);
	office->len = 0;
	assert_int_equal(request_new(&request), 0);
	assert_int_equal(request_feed(request, (const uint8_t *)text, strlen(text),
				 &used),
		0);
	exchange_init(&exchange, request, "192.0.2.7", sink, office);
	admin_handle(office->admin, &exchange);
	exchange_done(&exchange);
	office->status = exchange.status;
	request_free(request);
	keep(office);
	return office->status;
}

static int get_me(struct office *office)
{
	return ask(office, "GET", "/api/v1/me", "", "");
}

static void sign_in(struct office *office)
{
	assert_int_equal(ask(office, "POST", "/api/v1/sign-in", "",
				 "{\"account\":\"hanako\",\"password\":\"" PASSWORD
				 "\"}"),
		200);
}

static void nobody_is_there_for_a_quarter_of_an_hour(void **state)
{
	struct office *office = *state;
	sign_in(office);
	set_clock(14 * MINUTE);
	assert_int_equal(get_me(office), 200);
	set_clock(28 * MINUTE);
	assert_int_equal(get_me(office), 200);
	set_clock(43 * MINUTE);
	assert_int_equal(get_me(office), 401);
	assert_non_null(strstr(office->text, "UNAUTHENTICATED"));
	/* What is over does not come back with the clock. */
	sign_in(office);
	assert_int_equal(get_me(office), 200);
}

static void what_a_page_asks_by_itself_does_not_count(void **state)
{
	struct office *office = *state;
	static const char quiet[] = "X-Engawa-Background: 1\r\n";
	sign_in(office);
	for (int64_t minute = 1; minute < 15; minute++) {
		set_clock(minute * MINUTE);
		assert_int_equal(ask(office, "GET", "/api/v1/licenses", quiet, ""), 200);
	}
	set_clock(15 * MINUTE);
	assert_int_equal(ask(office, "GET", "/api/v1/licenses", quiet, ""), 401);
	/* Who acts is there, whatever his page says. */
	set_clock(0);
	sign_in(office);
	set_clock(10 * MINUTE);
	assert_int_equal(ask(office, "PATCH", "/api/v1/me", quiet, "{\"mail\":\"h@x\"}"),
		200);
	set_clock(20 * MINUTE);
	assert_int_equal(ask(office, "GET", "/api/v1/licenses", quiet, ""), 200);
}

static void nobody_stays_longer_than_half_a_day(void **state)
{
	struct office *office = *state;
	sign_in(office);
	for (int64_t minute = 10; minute < 12 * 60; minute += 10) {
		set_clock(minute * MINUTE);
		assert_int_equal(get_me(office), 200);
	}
	set_clock(12 * 60 * MINUTE - 1);
	assert_int_equal(get_me(office), 200);
	set_clock(12 * 60 * MINUTE);
	assert_int_equal(get_me(office), 401);
}

static void what_cannot_be_taken_back_wants_a_fresh_secret(void **state)
{
	struct office *office = *state;
	static const char path[] = "/api/v1/licenses/lic_0000000000";
	sign_in(office);
	set_clock(5 * MINUTE - 1);
	assert_int_equal(ask(office, "DELETE", path, "", ""), 404);
	set_clock(5 * MINUTE);
	assert_int_equal(ask(office, "DELETE", path, "", ""), 403);
	assert_non_null(strstr(office->text, "STEP_UP_NEEDED"));
	assert_int_equal(ask(office, "GET", "/api/v1/licenses?format=csv", "", ""), 403);
	assert_int_equal(ask(office, "GET", "/api/v1/licenses", "", ""), 200);
	assert_int_equal(ask(office, "POST", "/api/v1/me/step-up", "",
				 "{\"password\":\"wrong\"}"),
		401);
	assert_int_equal(ask(office, "DELETE", path, "", ""), 403);
	assert_int_equal(ask(office, "POST", "/api/v1/me/step-up", "",
				 "{\"password\":\"" PASSWORD "\"}"),
		200);
	assert_int_equal(ask(office, "DELETE", path, "", ""), 404);
	set_clock(10 * MINUTE);
	assert_int_equal(ask(office, "DELETE", path, "", ""), 403);
}

static void a_lock_is_over_after_its_time(void **state)
{
	struct office *office = *state;
	static const char wrong[] = "{\"account\":\"hanako\",\"password\":\"wrong\"}";
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(office, "POST", "/api/v1/sign-in", "", wrong), 401);
	set_clock(15 * MINUTE - 1000);
	assert_int_equal(ask(office, "POST", "/api/v1/sign-in", "",
				 "{\"account\":\"hanako\",\"password\":\"" PASSWORD
				 "\"}"),
		429);
	assert_non_null(strstr(office->text, "Retry-After: 1\r\n"));
	set_clock(15 * MINUTE);
	sign_in(office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_there_for_a_quarter_of_an_hour,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_page_asks_by_itself_does_not_count,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_stays_longer_than_half_a_day,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_taken_back_wants_a_fresh_secret, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_lock_is_over_after_its_time, set_up,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
