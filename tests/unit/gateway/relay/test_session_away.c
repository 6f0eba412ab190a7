/* Sessions that begin while the store is away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "relay/lobby.h"
#include "relay/store_watch.h"
#include "store/reply.h"
#include "store/state.h"
#include "wire/session_id.h"

#define FENCE 1000000

static const struct state_vtable *real;
static uint64_t last_fence;

/* ---- a store that is away ---------------------------------------------------------------- */

static void no_get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	(void)state, (void)kind, (void)id;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void no_put(struct state *state, const struct state_doc *doc, struct post_box *box,
	state_done done, void *ctx)
{
	(void)state, (void)doc;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void no_claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	(void)state, (void)license, (void)session, (void)holder, (void)ttl_ms;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

/* It was done, and nobody hears of it. */
static void lost_claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	real->claim(state, license, session, holder, ttl_ms, NULL, NULL, NULL);
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void no_renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms, struct post_box *box, state_done done, void *ctx)
{
	(void)state, (void)license, (void)session, (void)ttl_ms;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void no_release(struct state *state, const char *license, const char *session,
	uint64_t fence, struct post_box *box, state_done done, void *ctx)
{
	(void)state, (void)license, (void)session, (void)fence;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void no_remove(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	(void)state, (void)kind, (void)id, (void)version;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static uint64_t draw(struct store *store)
{
	(void)store;
	return last_fence ? ++last_fence : 0;
}

static void go_away(struct relay_rig *rig)
{
	static struct state_vtable away;
	away = *real;
	away.get = no_get;
	away.put = no_put;
	away.remove = no_remove;
	away.claim = no_claim;
	away.renew = no_renew;
	away.release = no_release;
	rig->store->state->vtable = &away;
}

static void come_back(struct relay_rig *rig)
{
	rig->store->state->vtable = real;
}

/* ---- the world --------------------------------------------------------------------------- */

static int set_up(void **state)
{
	struct relay_rig *rig = relay_rig_new();
	real = rig->store->state->vtable;
	rig->store->draw = draw;
	rig->house.cache_ms = 600000;
	last_fence = FENCE;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct relay_rig *rig = *state;
	come_back(rig);
	relay_rig_free(rig);
	return 0;
}

static void ignore(void *ctx, const struct state_answer *answer)
{
	(void)ctx, (void)answer;
}

/* One whose verdict is from the cache; who asks again is told that the store is away. */
static struct fake_end *let_in(struct relay_rig *rig, int device)
{
	fake_admission_answer(0);
	struct fake_end *viewer =
		relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, device);
	fake_admission_answer(-REASON_STORE_UNAVAILABLE);
	return viewer;
}

/* A host, and a viewer that was let in from the cache; the store is away. */
static struct fake_end *cached_viewer(struct relay_rig *rig, struct fake_end **ret_host)
{
	*ret_host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	fake_admission.cached = 1;
	memcpy(fake_admission.cached_host, (*ret_host)->device, 32);
	go_away(rig);
	return let_in(rig, 2);
}

static struct fake_end *joined(struct relay_rig *rig, struct fake_end **ret_host)
{
	struct fake_end *viewer = cached_viewer(rig, ret_host);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 1);
	return viewer;
}

static void claimed_by_another(void *ctx, const struct state_answer *answer)
{
	uint64_t *fence = ctx;
	assert_int_equal(answer->status, -REASON_LICENSE_IN_USE);
	*fence = answer->fence;
}

static uint64_t claim_of(struct relay_rig *rig)
{
	uint64_t fence = 0;
	state_claim(rig->store->state, RIG_LICENSE, "ses_elsewhere", "n2", 60000,
		desk_box(rig->desks[1]), claimed_by_another, &fence);
	relay_rig_settle(rig);
	return fence;
}

/* ---- beginning --------------------------------------------------------------------------- */

static void test_it_begins_with_a_fence_of_the_node(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	assert_int_equal(host->opens, 1);
	assert_int_equal(host->open.fence, FENCE + 1);
	assert_int_equal(viewer->open.fence, FENCE + 1);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"cached\":true", NULL, 0),
		1);
	/* It lives for as long as the store is away. */
	relay_rig_pass(rig, rig->settings.claim_ttl_ms * 3);
	fake_end_data(viewer, 100);
	relay_rig_settle(rig);
	assert_int_equal(host->received, 100);
	assert_int_equal(viewer->closes + host->closes, 0);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"event\":\"close\"", NULL,
				 0),
		1);
	come_back(rig);
}

static void refused(struct relay_rig *rig, struct fake_end *viewer)
{
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 0);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_STORE_UNAVAILABLE);
	assert_in_range(viewer->close.retry_ms, 1, 60000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "event", NULL, 0), 0);
}

static void test_no_fence_no_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = cached_viewer(rig, &host);
	last_fence = 0;
	fake_end_connect(viewer, NULL);
	refused(rig, viewer);
}

static void test_a_pairing_needs_the_store(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = cached_viewer(rig, &host);
	struct message_connect connect = {.purpose = 2, .psk_kind = 1, .ticket = 7};
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(message_connect_write(&connect, &out), 0);
	fake_end_raw(viewer, buf_head(&out), buf_len(&out));
	buf_done(&out);
	refused(rig, viewer);
}

static void test_another_host_is_not_met(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host;
	host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	fake_admission.cached = 1;
	memcpy(fake_admission.cached_host, host->device, 32);
	fake_admission.cached_host[0] ^= 1;
	go_away(rig);
	struct fake_end *viewer = let_in(rig, 2);
	fake_end_connect(viewer, NULL);
	refused(rig, viewer);
}

static void test_a_host_elsewhere_is_not_looked_for(void **state)
{
	struct relay_rig *rig = *state;
	fake_admission.cached = 1;
	go_away(rig);
	struct fake_end *viewer = relay_rig_dial(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_hello(viewer);
	relay_rig_settle(rig);
	fake_end_prove(viewer, "secret");
	relay_rig_settle(rig);
	assert_int_equal(viewer->welcomed, 0);
	assert_int_equal(viewer->refusals, 1);
	assert_int_equal(viewer->refused.reason, REASON_STORE_UNAVAILABLE);
	assert_in_range(viewer->refused.retry_ms, 1, 60000);
}

static void test_its_host_leaves_before_it_asks(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = cached_viewer(rig, &host);
	fake_end_vanish(host);
	relay_rig_settle(rig);
	fake_end_connect(viewer, NULL);
	refused(rig, viewer);
}

/* Whoever came in by the store is refused as ever. */
static void test_who_is_not_from_the_cache_is_refused(void **state)
{
	struct relay_rig *rig = *state;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	go_away(rig);
	fake_end_connect(viewer, NULL);
	refused(rig, viewer);
}

/* The host's one seat is taken here, whoever asks. */
static void test_another_device_finds_it_in_use(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	struct fake_end *other = let_in(rig, 3);
	fake_end_connect(other, NULL);
	relay_rig_settle(rig);
	assert_int_equal(other->opens, 0);
	assert_int_equal(other->close.reason, REASON_LICENSE_IN_USE);
	assert_int_equal(viewer->closes, 0);
}

static void test_a_session_that_was_cut_goes_on(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	char session[64], foreign[SESSION_ID_TEXT];
	session_id_text((uint8_t[SESSION_ID]){1, 2, 3}, foreign);
	snprintf(session, sizeof(session), "%s", fake_end_session(host));
	fake_end_vanish(viewer);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	struct fake_end *again = let_in(rig, 2);
	fake_end_connect(again, session);
	relay_rig_settle(rig);
	assert_int_equal(again->opens, 1);
	assert_int_equal(again->open.resumed, 1);
	assert_string_equal(fake_end_session(again), session);
	assert_int_equal(again->open.fence, FENCE + 2);
	/* One that this node does not remember may be anybody's: it gets another id. */
	fake_end_close(again, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	fake_end_connect(again, foreign);
	relay_rig_settle(rig);
	assert_int_equal(again->opens, 2);
	assert_int_equal(again->open.resumed, 0);
	assert_string_not_equal(fake_end_session(again), foreign);
}

static void test_without_a_code_only_what_was_cut(void **state)
{
	struct relay_rig *rig = *state;
	char foreign[SESSION_ID_TEXT];
	session_id_text((uint8_t[SESSION_ID]){1, 2, 3}, foreign);
	fake_admission.resume_only = REASON_TOTP_NEEDED;
	struct fake_end *host, *viewer = cached_viewer(rig, &host);
	fake_end_connect(viewer, foreign);
	refused(rig, viewer);
	viewer = let_in(rig, 2);
	fake_end_connect(viewer, NULL);
	refused(rig, viewer);
	fake_admission.resume_only = 0;
}

/* ---- when the store is back -------------------------------------------------------------- */

static void test_it_is_claimed_and_given_back(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	come_back(rig);
	fake_admission_answer(0);
	relay_rig_pass(rig, rig->settings.claim_renew_ms * 3);
	assert_int_equal(viewer->closes, 0);
	assert_int_not_equal(claim_of(rig), 0);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	fake_admission.cached = 0;
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 2);
}

static void test_a_claim_that_another_has_ends_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	come_back(rig);
	state_claim(rig->store->state, RIG_LICENSE, "ses_elsewhere", "n2", 60000,
		desk_box(rig->desks[1]), ignore, NULL);
	relay_rig_pass(rig, rig->settings.claim_renew_ms + 500);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(host->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_STORE_UNAVAILABLE);
}

/* The same session, that both ends went on with through another node. */
static void test_a_session_that_went_on_elsewhere_ends_here(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	come_back(rig);
	state_claim(rig->store->state, RIG_LICENSE, fake_end_session(host),
		"native viewer, since now, node n2", 60000, desk_box(rig->desks[1]),
		ignore, NULL);
	relay_rig_pass(rig, rig->settings.claim_renew_ms + 500);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_STORE_UNAVAILABLE);
}

/* The store had taken the claim, and its answer was lost. */
static void test_its_own_claim_is_known(void **state)
{
	struct relay_rig *rig = *state;
	static struct state_vtable half;
	struct fake_end *host, *viewer = cached_viewer(rig, &host);
	half = *rig->store->state->vtable;
	half.claim = lost_claim;
	rig->store->state->vtable = &half;
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->open.fence, FENCE + 1);
	come_back(rig);
	relay_rig_pass(rig, rig->settings.claim_renew_ms * 3);
	assert_int_equal(viewer->closes, 0);
	assert_int_not_equal(claim_of(rig), 0);
}

static void test_it_is_looked_at_again(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	viewer = joined(rig, &host);
	relay_rig_pass(rig, 5000);
	assert_in_range(fake_admission.reviewed, 2, 20);
	assert_int_equal(fake_admission.last.recheck, 1);
	assert_memory_equal(fake_admission.last.credential, fake_admission.cached_host,
		32);
	assert_int_equal(viewer->closes, 0);
	fake_admission_answer(-REASON_PASSWORD_WRONG);
	relay_rig_pass(rig, 2000);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_PASSWORD_WRONG);
	assert_int_equal(host->close.reason, REASON_PASSWORD_WRONG);
	assert_int_equal(host->leg_closes, 0);
}

static void test_once_confirmed_it_is_like_all_others(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer = joined(rig, &host);
	come_back(rig);
	fake_admission_answer(0);
	relay_rig_pass(rig, 2000);
	int reviewed = fake_admission.reviewed;
	assert_in_range(reviewed, 1, 10);
	relay_rig_pass(rig, 60000);
	assert_int_equal(fake_admission.reviewed, reviewed);
	/* Who stays in is known well before the time is over. */
	relay_rig_pass(rig, 70000);
	assert_int_equal(fake_admission.reviewed, reviewed + 1);
	assert_int_equal(fake_admission.last.recheck, 0);
	assert_int_equal(viewer->closes, 0);
}

static void test_orders_spoil_what_is_known(void **state)
{
	struct relay_rig *rig = *state;
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\"}");
	int first = fake_admission.spoilt;
	assert_in_range(first, 1, 2);
	relay_rig_order(rig, "{\"order\":\"policy\",\"tenant\":\"\",\"license\":\"\"}");
	assert_in_range(fake_admission.spoilt, first + 1, first + 2);
	int before = fake_admission.spoilt;
	relay_rig_order(rig, "{\"order\":\"disconnect\",\"session\":\"ses_x\"}");
	assert_int_equal(fake_admission.spoilt, before);
}

/* ---- what is said of it ------------------------------------------------------------------ */

static struct store_health told;

static void tell_health(struct store *store, struct store_health *ret)
{
	(void)store;
	*ret = told;
}

static void test_it_is_recorded_once(void **state)
{
	struct relay_rig *rig = *state;
	struct store_watch watch = {0};
	rig->store->health = tell_health;
	told = (struct store_health){0};
	store_watch_tick(&watch, &rig->house);
	told = (struct store_health){.fault = -REASON_STORE_UNAVAILABLE, .since_ms = 5};
	for (int i = 0; i < 3; i++)
		store_watch_tick(&watch, &rig->house);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_AUDIT, "CACHE_ENTERED", NULL, 0), 1);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_AUDIT, "CACHE_LEFT", NULL, 0), 0);
	told = (struct store_health){0};
	for (int i = 0; i < 3; i++)
		store_watch_tick(&watch, &rig->house);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_AUDIT, "CACHE_LEFT", NULL, 0), 1);
	/* A strict node has nothing to say. */
	rig->house.cache_ms = 0;
	told.fault = -REASON_STORE_UNAVAILABLE;
	store_watch_tick(&watch, &rig->house);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_AUDIT, "CACHE_ENTERED", NULL, 0), 1);
	rig->store->health = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_begins_with_a_fence_of_the_node,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_fence_no_session, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_a_pairing_needs_the_store, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_another_host_is_not_met, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_a_host_elsewhere_is_not_looked_for,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_its_host_leaves_before_it_asks,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_is_not_from_the_cache_is_refused,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_device_finds_it_in_use,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_session_that_was_cut_goes_on,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_a_code_only_what_was_cut,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_claimed_and_given_back, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_a_claim_that_another_has_ends_it,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_session_that_went_on_elsewhere_ends_here, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_its_own_claim_is_known, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_looked_at_again, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_once_confirmed_it_is_like_all_others,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_orders_spoil_what_is_known, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_recorded_once, set_up,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
