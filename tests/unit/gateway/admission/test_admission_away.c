/* Who may come in while the store is away, and who may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/clock.h"
#include "base/license_key.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/digest.h"
#include "rules/license.h"
#include "store/reply.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "wire/hello.h"
#include "wire/proof.h"

#define NOON INT64_C(1795348800000) /* 2026-11-22T12:00:00Z, a Sunday */
#define MINUTE INT64_C(60000)
#define PASSWORD "k7qm-2xw9-4hdt-c0vr"

struct device {
	EVP_PKEY *key;
	uint8_t public[32];
	char id[DIGEST_DEVICE_SIZE];
};

struct world {
	struct store *store;
	struct admission *admission;
	struct post_pump *pump;
	struct admission_settings settings;
	struct license license;
	struct license_key key;
	struct device host, viewer, other;
	struct state *state, away; /* the store's, and one that answers nothing */
};

/* What a verdict said, kept after its callback. */
struct heard {
	int answered, status, resume_only, cached;
	int64_t retry_ms;
	uint8_t host[32], credential[32];
	char holder[100], host_name[100], policy[1000];
};

static void hear(void *ctx, const struct admission_verdict *verdict)
{
	struct heard *heard = ctx;
	heard->answered++;
	heard->status = verdict->status;
	heard->retry_ms = verdict->retry_ms;
	heard->resume_only = verdict->resume_only;
	heard->cached = verdict->credential != NULL;
	if (heard->cached) {
		memcpy(heard->host, verdict->cached_host, 32);
		memcpy(heard->credential, verdict->credential, 32);
	}
	snprintf(heard->holder, sizeof(heard->holder), "%s", verdict->holder);
	snprintf(heard->host_name, sizeof(heard->host_name), "%s", verdict->host_name);
	snprintf(heard->policy, sizeof(heard->policy), "%s", verdict->policy);
}

static void make_device(struct device *device)
{
	size_t len = sizeof(device->public);
	device->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(device->key);
	assert_int_equal(EVP_PKEY_get_raw_public_key(device->key, device->public, &len),
		1);
	assert_int_equal(digest_device(device->public, device->id), 0);
}

static void put(struct world *world, enum state_kind kind, const char *id,
	const char *body)
{
	struct store_docs docs = {0};
	struct state_doc doc = {kind, id, "acme", 0, body};
	if (store_wait_get(world->store->state, kind, id, &docs) == 0)
		doc.version = docs.docs[0].version;
	store_docs_free(&docs);
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
}

static void put_license(struct world *world)
{
	char *body;
	assert_int_equal(license_write(&world->license, NULL, &body), 0);
	put(world, STATE_LICENSE, world->license.id, body);
	free(body);
}

/* A record that is quick to check, so that many tries are. */
static void quick_record(char ret[static PASSWORD_RECORD])
{
	uint8_t salt[16] = {1}, hash[32];
	char salt_text[TEXT_B64_SIZE(16)], hash_text[TEXT_B64_SIZE(32)];
	assert_int_equal(EVP_PBE_scrypt(PASSWORD, strlen(PASSWORD), salt, sizeof(salt),
				 1024, 1, 1, 1 << 25, hash, sizeof(hash)),
		1);
	text_b64(salt_text, salt, sizeof(salt));
	text_b64(hash_text, hash, sizeof(hash));
	snprintf(ret, PASSWORD_RECORD, "scrypt$10$1$1$%s$%s", salt_text, hash_text);
}

static void sign(struct admission_request *request, const struct device *device,
	const char *node, const char *public_id)
{
	uint8_t bytes[PROOF_BYTES_MAX];
	size_t len, signature = sizeof(request->signature);
	struct proof proof = {.nonce = request->nonce,
		.side = request->side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.license = public_id,
		.node = node,
		.exporter = request->exporter};
	assert_int_equal(proof_bytes(&proof, bytes, &len), 0);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, device->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, request->signature, &signature, bytes, len),
		1);
	EVP_MD_CTX_free(ctx);
}

static struct admission_request request_of(const struct world *world,
	enum hello_side side, const struct device *device)
{
	struct admission_request request = {.side = side};
	snprintf(request.license, sizeof(request.license), "%s", world->license.id);
	memcpy(request.device, device->public, 32);
	memset(request.nonce, 7, 32);
	memset(request.exporter, 9, 32);
	memcpy(request.secret, world->key.secret, sizeof(request.secret));
	snprintf(request.password, sizeof(request.password), "%s",
		side == HELLO_VIEWER ? PASSWORD : "");
	snprintf(request.kind, sizeof(request.kind), "native");
	snprintf(request.program, sizeof(request.program), "engawa-test 1");
	snprintf(request.name, sizeof(request.name), "laptop");
	snprintf(request.address, sizeof(request.address), "192.0.2.7");
	sign(&request, device, "node-1", world->key.public_id);
	return request;
}

static struct heard ask(struct world *world, const struct admission_request *request)
{
	struct heard heard = {0};
	admission_check(world->admission, request, post_pump_box(world->pump), hear,
		&heard);
	for (int i = 0; i < 600 && !heard.answered; i++)
		post_pump_run(world->pump, 100);
	assert_int_equal(heard.answered, 1);
	return heard;
}

static size_t count_rows(struct world *world, enum journal_kind kind, const char *holding)
{
	struct journal_query query = {.kind = kind, .limit = 1000};
	struct store_rows rows = {0};
	size_t count = 0;
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		count += strstr(rows.rows[i].body, holding) != NULL;
	store_rows_free(&rows);
	return count;
}

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

static void no_list(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct post_box *box, state_done done, void *ctx)
{
	(void)state, (void)kind, (void)tenant, (void)after, (void)limit;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void go_away(struct world *world)
{
	static const struct state_vtable nothing = {
		.get = no_get, .put = no_put, .list = no_list};
	world->state = world->store->state;
	world->away = (struct state){&nothing};
	world->store->state = &world->away;
}

static void come_back(struct world *world)
{
	world->store->state = world->state;
}

/* ---- the world --------------------------------------------------------------------------- */

static void start(struct world *world)
{
	assert_int_equal(admission_new(world->store, NULL, "node-1", &world->settings,
				 &world->admission),
		0);
}

static int viewer_status(struct world *world, const struct device *device)
{
	struct admission_request request = request_of(world, HELLO_VIEWER, device);
	return ask(world, &request).status;
}

/* With a host, and a viewer that was let in. */
static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char error[STORE_ERROR];
	clock_fake(1000000000, NOON);
	assert_int_equal(store_open("memory:", "node-1", &world->store, error), 0);
	assert_int_equal(post_pump_new(&world->pump), 0);
	make_device(&world->host);
	make_device(&world->viewer);
	make_device(&world->other);
	assert_int_equal(license_issue(&world->license, &world->key), 0);
	snprintf(world->license.tenant, sizeof(world->license.tenant), "acme");
	snprintf(world->license.holder, sizeof(world->license.holder), "佐藤 花子");
	quick_record(world->license.password);
	put_license(world);
	put(world, STATE_TENANT, "acme", "{\"id\":\"acme\",\"name\":\"Acme KK\"}");
	world->settings = (struct admission_settings){5, 15 * MINUTE, 20, 10 * MINUTE};
	start(world);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	host.enrol = 1;
	snprintf(host.name, sizeof(host.name), "desk-12");
	assert_int_equal(ask(world, &host).status, 0);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	if (world->state)
		come_back(world);
	admission_free(world->admission);
	post_pump_free(world->pump);
	store_close(world->store);
	EVP_PKEY_free(world->host.key);
	EVP_PKEY_free(world->viewer.key);
	EVP_PKEY_free(world->other.key);
	free(world);
	clock_fake(-1, -1);
	return 0;
}

static void pass(int64_t *minutes, int64_t more)
{
	*minutes += more;
	clock_fake(1000000000 + *minutes * MINUTE * 1000, NOON + *minutes * MINUTE);
}

/* As it is in the store now: changed, and seen by the viewer's coming in. */
static void change(struct world *world)
{
	put_license(world);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
}

/* ---- who comes in ------------------------------------------------------------------------ */

static void test_who_was_let_in_comes_in_again(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	struct heard before = ask(world, &request);
	assert_int_equal(before.cached, 0);
	go_away(world);
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.cached, 1);
	assert_memory_equal(heard.host, world->host.public, 32);
	assert_string_equal(heard.policy, before.policy);
	assert_string_equal(heard.holder, "佐藤 花子");
	assert_string_equal(heard.host_name, "desk-12");
	assert_int_equal(heard.resume_only, 0);
	come_back(world);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"cached\":true"), 1);
	assert_int_equal(ask(world, &request).cached, 0);
}

static void test_a_strict_node_lets_nobody_in(void **state)
{
	struct world *world = *state;
	admission_free(world->admission);
	world->settings.cache_ms = 0;
	start(world);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	go_away(world);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_STORE_UNAVAILABLE);
	come_back(world);
}

static void test_what_is_not_known_is_refused(void **state)
{
	struct world *world = *state;
	go_away(world);
	assert_int_equal(viewer_status(world, &world->other), -REASON_STORE_UNAVAILABLE);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	assert_int_equal(ask(world, &host).status, -REASON_STORE_UNAVAILABLE);
	struct admission_request joining =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(joining.join, sizeof(joining.join), "join_000000000000");
	assert_int_equal(ask(world, &joining).status, -REASON_STORE_UNAVAILABLE);
	struct admission_request forged = request_of(world, HELLO_VIEWER, &world->viewer);
	forged.signature[3] ^= 1;
	assert_int_equal(ask(world, &forged).status, -REASON_PROOF_WRONG);
	struct admission_request secret = request_of(world, HELLO_VIEWER, &world->viewer);
	secret.secret[0] ^= 1;
	struct heard heard = ask(world, &secret);
	assert_int_equal(heard.status, -REASON_LICENSE_UNKNOWN);
	assert_string_equal(heard.holder, "");
	come_back(world);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "STORE_UNAVAILABLE"), 3);
}

/* What another node let in by a token has shown this one no password, but is known to it from then on. */
static void test_nothing_is_older_than_the_window(void **state)
{
	struct world *world = *state;
	int64_t minutes = 0;
	go_away(world);
	pass(&minutes, 9);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	/* Coming in from the cache makes nothing younger. */
	pass(&minutes, 1);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_STORE_UNAVAILABLE);
	/* Nor does a clock that was set back, or a machine that slept. */
	clock_fake(1000000000 + 10 * MINUTE * 1000, NOON);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_STORE_UNAVAILABLE);
	clock_fake(1000000000, NOON + 10 * MINUTE);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_STORE_UNAVAILABLE);
	come_back(world);
}

static void test_a_look_at_the_store_makes_it_younger(void **state)
{
	struct world *world = *state;
	int64_t minutes = 0;
	struct heard heard = {0};
	struct admission_request known = request_of(world, HELLO_VIEWER, &world->viewer);
	struct admission_request carried = request_of(world, HELLO_VIEWER, &world->other);
	pass(&minutes, 6);
	admission_review(world->admission, &known, post_pump_box(world->pump), hear,
		&heard);
	admission_review(world->admission, &carried, post_pump_box(world->pump), hear,
		&heard);
	for (int i = 0; i < 600 && heard.answered < 2; i++)
		post_pump_run(world->pump, 100);
	assert_int_equal(heard.status, 0);
	pass(&minutes, 6);
	go_away(world);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	/* Whom another node let in is not known by being looked at. */
	assert_int_equal(viewer_status(world, &world->other), -REASON_STORE_UNAVAILABLE);
	come_back(world);
}

static void test_an_order_is_obeyed(void **state)
{
	struct world *world = *state;
	const char *const orders[][2] = {
		{world->license.id, ""}, {"", "acme"}, {"", ""}, {"lic_000000000", ""}};
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		assert_int_equal(viewer_status(world, &world->viewer), 0);
		admission_spoil(world->admission, orders[i][0], orders[i][1]);
		go_away(world);
		assert_int_equal(viewer_status(world, &world->viewer),
			i < 3 ? -REASON_STORE_UNAVAILABLE : 0);
		come_back(world);
	}
}

static void test_what_was_read_refuses_as_ever(void **state)
{
	struct world *world = *state;
	int64_t minutes = 0;
	put(world, STATE_POLICY, "default", "{\"viewer_kinds\":[\"native\"]}");
	world->license.expires_ms = NOON + 5 * MINUTE;
	change(world);
	go_away(world);
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(request.kind, sizeof(request.kind), "web");
	assert_int_equal(ask(world, &request).status, -REASON_POLICY);
	pass(&minutes, 5);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_LICENSE_EXPIRED);
	come_back(world);
}

/* Sessions of a company are counted over all nodes, and a directory says who is with it. */
static void test_what_the_store_alone_knows_is_refused(void **state)
{
	struct world *world = *state;
	put(world, STATE_TENANT, "acme",
		"{\"id\":\"acme\",\"name\":\"Acme KK\",\"sessions_max\":5}");
	change(world);
	go_away(world);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_STORE_UNAVAILABLE);
	come_back(world);
}

static void test_tries_are_counted_here(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	int64_t minutes = 0;
	go_away(world);
	snprintf(request.password, sizeof(request.password), "wrong");
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(world, &request).status, -REASON_PASSWORD_WRONG);
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(world, &request).status, -REASON_PASSWORD_WRONG);
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, -REASON_LOCKED_OUT);
	assert_in_range(heard.retry_ms, 1, 15 * MINUTE);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_LOCKED_OUT);
	come_back(world);
	assert_int_equal(count_rows(world, JOURNAL_AUDIT, "LICENSE_LOCKED"), 1);
	/* It stays so in the next outage, whoever has come in between. */
	assert_int_equal(viewer_status(world, &world->viewer), 0);
	pass(&minutes, 1);
	go_away(world);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_LOCKED_OUT);
	come_back(world);
}

/* A lock from before the outage, as it was when the viewer was looked at last. */
static void test_a_lock_of_the_store_holds(void **state)
{
	struct world *world = *state;
	struct heard heard = {0};
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(request.password, sizeof(request.password), "wrong");
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(world, &request).status, -REASON_PASSWORD_WRONG);
	admission_review(world->admission, &request, post_pump_box(world->pump), hear,
		&heard);
	for (int i = 0; i < 600 && !heard.answered; i++)
		post_pump_run(world->pump, 100);
	go_away(world);
	assert_int_equal(viewer_status(world, &world->viewer), -REASON_LOCKED_OUT);
	come_back(world);
}

static void test_codes_are_not_used_up_twice(void **state)
{
	struct world *world = *state;
	char code[16];
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	memset(world->license.totp.secret, 5, TOTP_SECRET);
	world->license.totp.confirmed_ms = NOON - MINUTE;
	put_license(world);
	assert_int_equal(totp_code(world->license.totp.secret, NOON, code), 0);
	snprintf(request.totp, sizeof(request.totp), "%s", code);
	assert_int_equal(ask(world, &request).status, 0);
	go_away(world);
	assert_int_equal(ask(world, &request).status, -REASON_STORE_UNAVAILABLE);
	/* Without one it may go on with what was cut, and with nothing else, as when the store is here. */
	*request.totp = '\0';
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.resume_only, REASON_TOTP_NEEDED);
	come_back(world);
	/* One that has shown none is told to wait. */
	world->license.totp.confirmed_ms = 0;
	change(world);
	world->license.totp.confirmed_ms = NOON + MINUTE;
	put_license(world);
	struct heard seen = {0};
	admission_review(world->admission, &request, post_pump_box(world->pump), hear,
		&seen);
	for (int i = 0; i < 600 && !seen.answered; i++)
		post_pump_run(world->pump, 100);
	go_away(world);
	assert_int_equal(ask(world, &request).status, -REASON_STORE_UNAVAILABLE);
	come_back(world);
}

/* ---- when the store is back -------------------------------------------------------------- */

static int look_again(struct world *world, const struct heard *in)
{
	struct heard heard = {0};
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	request.recheck = 1;
	memcpy(request.credential, in->credential, sizeof(request.credential));
	admission_review(world->admission, &request, post_pump_box(world->pump), hear,
		&heard);
	for (int i = 0; i < 600 && !heard.answered; i++)
		post_pump_run(world->pump, 100);
	assert_int_equal(heard.answered, 1);
	return heard.status;
}

static void test_who_came_in_is_looked_at_again(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	go_away(world);
	struct heard in = ask(world, &request);
	assert_int_equal(in.status, 0);
	assert_int_equal(look_again(world, &in), -REASON_STORE_UNAVAILABLE);
	come_back(world);
	assert_int_equal(look_again(world, &in), 0);
	/* Everything that would have kept it out. */
	struct license before = world->license;
	char *salt = strrchr(world->license.password, '$') - 10;
	*salt = *salt == 'A' ? 'B' : 'A';
	put_license(world);
	assert_int_equal(look_again(world, &in), -REASON_PASSWORD_WRONG);
	world->license = before;
	world->license.secret_hash[0] ^= 1;
	put_license(world);
	assert_int_equal(look_again(world, &in), -REASON_PASSWORD_WRONG);
	world->license = before;
	world->license.state = LICENSE_DISABLED;
	put_license(world);
	assert_int_equal(look_again(world, &in), -REASON_LICENSE_DISABLED);
	world->license = before;
	put_license(world);
	assert_int_equal(look_again(world, &in), 0);
	put(world, STATE_DEVICE, world->license.id, "{\"devices\":[]}");
	assert_int_equal(look_again(world, &in), -REASON_DEVICE_REVOKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_was_let_in_comes_in_again,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_strict_node_lets_nobody_in, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_known_is_refused, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_older_than_the_window,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_look_at_the_store_makes_it_younger,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_order_is_obeyed, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_what_was_read_refuses_as_ever,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_the_store_alone_knows_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tries_are_counted_here, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_a_lock_of_the_store_holds, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_codes_are_not_used_up_twice, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_who_came_in_is_looked_at_again,
			set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
