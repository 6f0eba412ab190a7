/* Hosts and viewers of one license on different nodes: this one is n1, the others are what they leave in the
 * store and on the bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "net/worker.h"
#include "relay/elsewhere.h"
#include "rules/join.h"
#include "store/bus.h"
#include "store/state.h"

#define TO_N2 "{\"node\":\"n2\",\"address\":\"n2.example:7443\",\"peer\":\"\"}"
#define TO_N3 "{\"node\":\"n3\",\"address\":\"n3.example:7443\",\"peer\":\"\"}"
#define BOTH_N2                                                                          \
	"{\"node\":\"n2\",\"address\":\"n2.example:7443\",\"peer\":\"n2.inside:7443\"}"
#define HIDDEN_N2 "{\"node\":\"n2\",\"address\":\"\",\"peer\":\"\"}"

static int set_up(void **state)
{
	*state = relay_rig_new();
	return 0;
}

static int tear_down(void **state)
{
	relay_rig_free(*state);
	return 0;
}

static void on_answer(void *ctx, const struct state_answer *answer)
{
	*(int *)ctx = answer->status;
}

/* As another node does it. */
static void announce(struct relay_rig *rig, const char *node, const char *value)
{
	int status = 1;
	state_announce(rig->store->state, RIG_LICENSE, node, value, 45000,
		worker_box(rig->world), on_answer, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
}

static void tell_came(struct relay_rig *rig, const char *node)
{
	char news[200];
	snprintf(news, sizeof(news),
		"{\"type\":\"host\",\"act\":\"came\",\"id\":\"%s\",\"tenant\":\"ten_1\","
		"\"node\":\"%s\"}",
		RIG_LICENSE, node);
	assert_int_equal(bus_publish(rig->store->bus, ELSEWHERE_NEWS, news), 0);
	relay_rig_settle(rig);
}

static void on_place(void *ctx, const struct state_answer *answer)
{
	snprintf(ctx, 100, "%s", answer->status ? "" : answer->holder);
}

static void expect_place(struct relay_rig *rig, const char *start)
{
	char place[100] = "?";
	state_locate(rig->store->state, RIG_LICENSE, worker_box(rig->world), on_place,
		place);
	relay_rig_settle(rig);
	assert_int_equal(strncmp(place, start, strlen(start)), 0);
	assert_int_equal(*start == 0, *place == 0);
}

/* A viewer's login up to its verdict. */
static struct fake_end *log_in(struct relay_rig *rig, const char *unreached)
{
	struct fake_end *viewer =
		relay_rig_dial(rig, (int)rig->count & 1, HELLO_VIEWER, RIG_LICENSE, 2);
	snprintf(viewer->unreached, sizeof(viewer->unreached), "%s", unreached);
	fake_end_hello(viewer);
	relay_rig_settle(rig);
	fake_end_prove(viewer, "password");
	relay_rig_settle(rig);
	return viewer;
}

static int find_token(struct relay_rig *rig, const char *token, struct join *ret)
{
	char id[JOIN_ID], body[1000];
	assert_int_equal(join_id(token, id), 0);
	if (!relay_rig_document(rig, STATE_JOIN, id, body, sizeof(body)))
		return 0;
	assert_int_equal(join_read(body, ret), 0);
	return 1;
}

static void a_viewer_is_sent_to_the_node_of_its_host(void **state)
{
	struct relay_rig *rig = *state;
	struct join join;
	char device[DIGEST_DEVICE_SIZE];
	announce(rig, "n2", TO_N2);
	fake_admission.resume_only = REASON_TOTP_NEEDED;
	struct fake_end *viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 0);
	assert_int_equal(viewer->refused.reason, REASON_HOST_ELSEWHERE);
	assert_string_equal(viewer->refused.redirect, "n2.example:7443");
	assert_true(viewer->gone);
	assert_true(find_token(rig, viewer->refused.join, &join));
	assert_int_equal(digest_device(viewer->device, device), 0);
	assert_int_equal(join_check(&join, RIG_LICENSE, device, "n2",
				 rig->wall_ms + 29999),
		0);
	/* What it may not do here it may not do there. */
	assert_int_equal(join.resume_only, REASON_TOTP_NEEDED);
	assert_int_equal(rig->house.legs, 0);
}

static void nobody_is_sent_before_the_verdict_is_good(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", TO_N2);
	fake_admission.status = -REASON_PASSWORD_WRONG;
	struct fake_end *viewer = log_in(rig, "");
	assert_int_equal(viewer->refused.reason, REASON_PASSWORD_WRONG);
	assert_string_equal(viewer->refused.redirect, "");
	assert_string_equal(viewer->refused.join, "");
}

static void an_order_overtakes_a_redirect(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", HIDDEN_N2);
	fake_admission.hold = 1;
	struct fake_end *viewer = log_in(rig, "");
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\"}");
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_int_equal(viewer->welcomed, 0);
	assert_int_equal(viewer->refused.reason, REASON_LICENSE_DISABLED);
}

static void nobody_is_sent_where_he_cannot_go(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", HIDDEN_N2);
	struct fake_end *viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 1);
	assert_int_equal(viewer->welcome.host_online, 1);
	assert_string_equal(viewer->welcome.host_name, "desk-7");
	/* He has been there. */
	announce(rig, "n2", TO_N2);
	viewer = log_in(rig, "n2.example:7443");
	assert_int_equal(viewer->welcomed, 1);
	viewer = log_in(rig, "n7.example:7443");
	assert_int_equal(viewer->refused.reason, REASON_HOST_ELSEWHERE);
	/* Two nodes behind one address cannot be told apart. */
	announce(rig, "n2",
		"{\"node\":\"n2\",\"address\":\"n1.example:7443\",\"peer\":\"\"}");
	viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 1);
	/* What is left of a host that was here leads nowhere. */
	announce(rig, "n1", "{\"node\":\"n1\",\"address\":\"n1.example:7443\"}");
	viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 1);
	assert_int_equal(viewer->welcome.host_online, 0);
	announce(rig, "n2", "{\"node\":");
	viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 1);
	assert_int_equal(viewer->welcome.host_online, 0);
}

static void a_host_that_is_here_keeps_its_viewers_here(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", TO_N2);
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	expect_place(rig, "{\"node\":\"n1\",\"address\":\"n1.example:7443\"");
	struct fake_end *viewer = log_in(rig, "");
	assert_int_equal(viewer->welcomed, 1);
	assert_int_equal(viewer->welcome.host_online, 1);
}

/* Between its PROVE and its CONNECT the host went. */
static void a_host_that_has_moved_is_followed(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = log_in(rig, "");
	fake_end_vanish(host);
	relay_rig_settle(rig);
	announce(rig, "n2", TO_N2);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_ELSEWHERE);
	viewer = log_in(rig, "");
	assert_string_equal(viewer->refused.redirect, "n2.example:7443");
}

/* The host's old leg hangs half open when it comes at another node. */
static void the_newest_announcement_wins(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	/* Late news of a time when it was elsewhere change nothing. */
	tell_came(rig, "n2");
	assert_int_equal(host->leg_closes, 0);
	announce(rig, "n2", TO_N2);
	tell_came(rig, "n2");
	assert_int_equal(host->leg_closes, 1);
	assert_int_equal(host->close.reason, REASON_HOST_REPLACED);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_REPLACED);
	expect_place(rig, TO_N2); /* not withdrawn by the leg that went */
	/* The viewer, who wants to go on, is told to come again in the way that every viewer does. */
	fake_end_connect(viewer, fake_end_session(viewer));
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_true(viewer->close.retry_ms < 100);
}

/* Also when the news is lost: a renewal takes nothing away from the other node. */
static void a_renewal_takes_nothing_back(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	announce(rig, "n2", TO_N2);
	relay_rig_pass(rig, rig->settings.presence_renew_ms + 500);
	assert_int_equal(host->close.reason, REASON_HOST_REPLACED);
	expect_place(rig, TO_N2);
}

static void a_presence_is_kept_as_long_as_the_host_is_here(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_pass(rig, 2 * rig->settings.presence_ttl_ms);
	expect_place(rig, "{\"node\":\"n1\"");
	fake_end_vanish(host);
	relay_rig_settle(rig);
	expect_place(rig, "");
}

static void who_waits_hears_where_the_host_came(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_end_vanish(host);
	relay_rig_settle(rig);
	fake_end_connect(viewer, fake_end_session(viewer));
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes, 0);
	tell_came(rig, "n2"); /* and went at once */
	assert_int_equal(viewer->leg_closes, 0);
	announce(rig, "n2", TO_N2);
	tell_came(rig, "n2");
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_true(viewer->close.retry_ms < 100);
}

/* It was sent to n2 in vain, which the store still believes in: it waits here, and is sent to n3. */
static void who_cannot_reach_a_node_waits_for_another(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", TO_N2);
	struct fake_end *viewer = log_in(rig, "n2.example:7443");
	fake_end_connect(viewer, "ses_00000000000000000000000000");
	relay_rig_settle(rig);
	tell_came(rig, "n2");
	assert_int_equal(viewer->leg_closes, 0);
	announce(rig, "n3", TO_N3);
	tell_came(rig, "n3");
	assert_int_equal(viewer->leg_closes, 1);
	assert_true(viewer->close.retry_ms < 100);
	/* A fresh wish does not wait. */
	viewer = log_in(rig, "n3.example:7443");
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_true(viewer->close.retry_ms > 100);
}

static void who_waits_meets_a_host_that_comes_back_here(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", TO_N2);
	struct fake_end *viewer = log_in(rig, "n2.example:7443");
	fake_end_connect(viewer, "ses_00000000000000000000000000");
	relay_rig_settle(rig);
	struct fake_end *host = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_LICENSE, 1);
	assert_int_equal(viewer->opens, 1);
	assert_int_equal(host->opens, 1);
	expect_place(rig, "{\"node\":\"n1\"");
}

static void on_bus(void *ctx, const char *topic, const char *json)
{
	(void)topic;
	*(int *)ctx += strstr(json, "\"came\"") && strstr(json, RIG_LICENSE) &&
		       strstr(json, "\"node\":\"n1\"");
}

static void a_host_that_comes_is_told_once(void **state)
{
	struct relay_rig *rig = *state;
	struct bus_subscription *news;
	int heard = 0;
	assert_int_equal(bus_subscribe(rig->store->bus, ELSEWHERE_NEWS,
				 worker_box(rig->world), on_bus, &heard, &news),
		0);
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_pass(rig, 3 * rig->settings.presence_renew_ms);
	assert_int_equal(heard, 1);
	bus_unsubscribe(rig->store->bus, news);
}

static void tokens_that_nobody_came_with_go(void **state)
{
	struct relay_rig *rig = *state;
	struct join join;
	announce(rig, "n2", TO_N2);
	struct fake_end *viewer = log_in(rig, "");
	elsewhere_sweep(rig->desks[0]);
	relay_rig_settle(rig);
	assert_true(find_token(rig, viewer->refused.join, &join));
	relay_rig_pass(rig, 2 * JOIN_MS + 1000);
	elsewhere_sweep(rig->desks[0]);
	relay_rig_settle(rig);
	assert_false(find_token(rig, viewer->refused.join, &join));
}

static void the_log_says_which_node_viewers_cannot_reach(void **state)
{
	struct relay_rig *rig = *state;
	FILE *log = tmpfile();
	char said[4000] = "";
	assert_non_null(log);
	announce(rig, "n2", BOTH_N2);
	struct fake_end *viewer = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	strcpy(viewer->unreached, "n2.example:7443");
	strcpy(viewer->kind, "web");
	fake_end_hello(viewer);
	relay_rig_settle(rig);
	fake_end_prove(viewer, "password");
	relay_rig_settle(rig);
	log_open("test", fileno(log), LOG_TEXT, LOG_WARN);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	log_open("test", 2, LOG_TEXT, LOG_INFO);
	rewind(log);
	said[fread(said, 1, sizeof(said) - 1, log)] = 0;
	fclose(log);
	assert_non_null(strstr(said, "address=n2.example:7443"));
	assert_non_null(strstr(said, "see=web.nodes"));
}

static void who_leaves_on_the_way_leaves_nothing(void **state)
{
	struct relay_rig *rig = *state;
	announce(rig, "n2", TO_N2);
	struct fake_end *viewer = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_hello(viewer);
	relay_rig_settle(rig);
	fake_end_prove(viewer, "password");
	/* Somewhere between the verdict, the search and the token. */
	for (int i = 0; i < 3; i++)
		worker_turn(rig->workers[0], 0);
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	assert_true(desk_is_empty(rig->desks[0]));
	assert_int_equal(rig->house.legs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_viewer_is_sent_to_the_node_of_its_host),
		TEST(nobody_is_sent_before_the_verdict_is_good),
		TEST(an_order_overtakes_a_redirect),
		TEST(nobody_is_sent_where_he_cannot_go),
		TEST(a_host_that_is_here_keeps_its_viewers_here),
		TEST(a_host_that_has_moved_is_followed),
		TEST(the_newest_announcement_wins),
		TEST(a_renewal_takes_nothing_back),
		TEST(a_presence_is_kept_as_long_as_the_host_is_here),
		TEST(who_waits_hears_where_the_host_came),
		TEST(who_cannot_reach_a_node_waits_for_another),
		TEST(who_waits_meets_a_host_that_comes_back_here),
		TEST(a_host_that_comes_is_told_once),
		TEST(tokens_that_nobody_came_with_go),
		TEST(the_log_says_which_node_viewers_cannot_reach),
		TEST(who_leaves_on_the_way_leaves_nothing),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
