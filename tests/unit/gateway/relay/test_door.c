/* Who may come in, in which order, and what a stranger gets instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "net/conn.h"
#include "relay/guard.h"
#include "wire/frame.h"

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

static void a_proof_makes_a_leg(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	assert_int_equal(strncmp(host->welcome.leg, "leg_", 4), 0);
	assert_int_equal(strlen(host->welcome.leg), 30);
	assert_string_not_equal(host->welcome.leg, viewer->welcome.leg);
	assert_int_equal(viewer->welcome.host_online, 1);
	assert_string_equal(viewer->welcome.host_name, "desk-7");
	assert_int_equal(host->welcome.keepalive_ms, 15000);
	assert_int_equal(rig->house.legs, 2);
	assert_int_equal(guard_strangers(rig->house.guard), 0);
}

static void admission_gets_what_was_said_and_proved(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *viewer = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	uint8_t exporter[32];
	assert_int_equal(conn_exporter(viewer->conn, exporter), 0);
	assert_memory_equal(fake_admission.last.exporter, exporter, 32);
	assert_memory_equal(fake_admission.last.nonce, viewer->challenge.nonce, 32);
	assert_string_equal(viewer->challenge.node, "n1");
	assert_string_equal(fake_admission.last.license, RIG_LICENSE);
	assert_string_equal(fake_admission.last.password, "password");
	assert_string_equal(fake_admission.last.address, "192.0.2.2");
	assert_int_equal(fake_admission.last.side, HELLO_VIEWER);
	assert_memory_equal(fake_admission.last.device, viewer->device, 32);
}

static void a_refusal_says_why_and_when_to_try_again(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_admission.status = -REASON_LOCKED_OUT;
	fake_admission.retry_ms = 900000;
	fake_admission.detail = "15 minutes";
	fake_end_hello(end);
	relay_rig_settle(rig);
	fake_end_prove(end, "wrong");
	relay_rig_settle(rig);
	assert_int_equal(end->refusals, 1);
	assert_int_equal(end->refused.reason, REASON_LOCKED_OUT);
	assert_string_equal(end->refused.symbol, "LOCKED_OUT");
	assert_int_equal(end->refused.retry_ms, 900000);
	assert_string_equal(end->refused.detail, "15 minutes");
	assert_true(end->gone);
	assert_int_equal(rig->house.legs, 0);
}

static const uint8_t all_types[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x7f, 0x80, 0xff};

static struct fake_end *send_type(struct relay_rig *rig, int asked, uint8_t type,
	size_t len)
{
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 9);
	uint8_t frame[FRAME_HEADER + 64] = {0};
	if (asked) {
		fake_end_hello(end);
		relay_rig_settle(rig);
	}
	frame_header(frame, type, (uint32_t)len);
	fake_end_raw(end, frame, FRAME_HEADER + len);
	relay_rig_settle(rig);
	rig->count--; /* its place is used again */
	return end;
}

/* Before WELCOME one frame is allowed in each state; every other type ends it at once, also the ones
 * that are skipped later. */
static void at_the_door_only_the_next_word_is_allowed(void **state)
{
	struct relay_rig *rig = *state;
	rig->settings.penalty_least_ms = 3600000; /* all come from one address */
	guard_set(rig->house.guard, &rig->settings);
	for (int asked = 0; asked < 2; asked++)
		for (size_t i = 0; i < ARRAY_LEN(all_types); i++) {
			uint8_t type = all_types[i];
			if (type == (asked ? FRAME_PROVE : FRAME_HELLO))
				continue;
			size_t len = type == FRAME_PING || type == FRAME_PONG ? 8 : 16;
			struct fake_end *end = send_type(rig, asked, type, len);
			assert_int_equal(end->refusals, 1);
			assert_int_equal(end->refused.reason, REASON_PROTOCOL);
			assert_true(end->gone);
			fake_end_done(end);
		}
	assert_int_equal(fake_admission.asked, 0);
	assert_int_equal(guard_strangers(rig->house.guard), 0);
}

static void a_hello_that_is_no_json_is_refused(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = send_type(rig, 0, FRAME_HELLO, 16);
	assert_int_equal(end->refused.reason, REASON_BAD_MESSAGE);
	fake_end_done(end);
}

static void whoever_speaks_while_the_verdict_is_out_is_refused(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_admission.hold = 1;
	fake_end_hello(end);
	relay_rig_settle(rig);
	fake_end_prove(end, "password");
	relay_rig_settle(rig);
	fake_end_connect(end, NULL);
	relay_rig_settle(rig);
	assert_int_equal(end->refused.reason, REASON_PROTOCOL);
	/* The verdict comes to a door that is gone. */
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_int_equal(end->welcomed, 0);
	assert_int_equal(rig->house.legs, 0);
}

static void an_end_that_leaves_before_the_verdict_leaves_nothing(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_admission.hold = 1;
	fake_end_hello(end);
	relay_rig_settle(rig);
	fake_end_prove(end, "password");
	relay_rig_settle(rig);
	fake_end_vanish(end);
	relay_rig_settle(rig);
	assert_false(desk_is_empty(rig->desks[0])); /* a question is open */
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_true(desk_is_empty(rig->desks[0]));
}

static void silence_is_refused_in_time(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *mute = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	struct fake_end *half = relay_rig_dial(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_hello(half);
	relay_rig_pass(rig, rig->settings.hello_ms - 500);
	assert_int_equal(mute->refusals, 0);
	relay_rig_pass(rig, 1000);
	assert_int_equal(mute->refused.reason, REASON_TIMEOUT);
	assert_int_equal(half->refusals, 0);
	relay_rig_pass(rig, rig->settings.login_ms - rig->settings.hello_ms);
	assert_int_equal(half->refused.reason, REASON_TIMEOUT);
	assert_int_equal(guard_strangers(rig->house.guard), 0);
}

static void other_generations_and_foreign_ids_are_refused(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *newer = relay_rig_dial(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *odd = relay_rig_dial(rig, 0, HELLO_HOST, "lic_../../etc", 1);
	struct fake_end *both = relay_rig_dial(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	newer->gen_min = newer->gen_max = 7;
	both->gen_max = 7;
	fake_end_hello(newer);
	fake_end_hello(odd);
	fake_end_hello(both);
	relay_rig_settle(rig);
	assert_int_equal(newer->refused.reason, REASON_VERSION);
	assert_int_equal(odd->refused.reason, REASON_BAD_MESSAGE);
	assert_int_equal(both->challenged, 1);
	assert_int_equal(both->challenge.gen, 1);
}

static void a_node_that_drains_sends_them_elsewhere(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	rig->house.draining = 1;
	fake_end_hello(end);
	relay_rig_settle(rig);
	assert_int_equal(end->refused.reason, REASON_DRAINING);
	assert_true(end->refused.retry_ms > 0);
	rig->house.draining = 0;
}

static void there_are_not_more_legs_than_permitted(void **state)
{
	struct relay_rig *rig = *state;
	rig->desks[0]->settings.legs = 1;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_HOST, RIG_OTHER, 2);
	fake_end_hello(end);
	relay_rig_settle(rig);
	assert_int_equal(end->refused.reason, REASON_BUSY);
}

/* Disabled while the password was being checked: the proof is older than the order. */
static void an_order_overtakes_a_login(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *end = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_admission.hold = 1;
	fake_end_hello(end);
	relay_rig_settle(rig);
	fake_end_prove(end, "password");
	relay_rig_settle(rig);
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\"}");
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_int_equal(end->welcomed, 0);
	assert_int_equal(end->refused.reason, REASON_LICENSE_DISABLED);
	fake_admission.hold = 0;
	relay_rig_pass(rig, 10);
	relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2); /* enabled again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_proof_makes_a_leg),
		TEST(admission_gets_what_was_said_and_proved),
		TEST(a_refusal_says_why_and_when_to_try_again),
		TEST(at_the_door_only_the_next_word_is_allowed),
		TEST(a_hello_that_is_no_json_is_refused),
		TEST(whoever_speaks_while_the_verdict_is_out_is_refused),
		TEST(an_end_that_leaves_before_the_verdict_leaves_nothing),
		TEST(silence_is_refused_in_time),
		TEST(other_generations_and_foreign_ids_are_refused),
		TEST(a_node_that_drains_sends_them_elsewhere),
		TEST(there_are_not_more_legs_than_permitted),
		TEST(an_order_overtakes_a_login),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
