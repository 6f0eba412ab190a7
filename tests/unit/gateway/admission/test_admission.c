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
#include "rules/join.h"
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
};

/* What a verdict said, kept after its callback. */
struct heard {
	int answered, status;
	int64_t retry_ms, expires_ms;
	int resume_only;
	char holder[100], tenant_name[100], host_name[100], detail[200], policy[1000],
		license[20];
};

static void hear(void *ctx, const struct admission_verdict *verdict)
{
	struct heard *heard = ctx;
	heard->answered++;
	heard->status = verdict->status;
	heard->retry_ms = verdict->retry_ms;
	heard->expires_ms = verdict->expires_ms;
	heard->resume_only = verdict->resume_only;
	snprintf(heard->holder, sizeof(heard->holder), "%s", verdict->holder);
	snprintf(heard->tenant_name, sizeof(heard->tenant_name), "%s",
		verdict->tenant_name);
	snprintf(heard->host_name, sizeof(heard->host_name), "%s", verdict->host_name);
	snprintf(heard->detail, sizeof(heard->detail), "%s", verdict->detail);
	snprintf(heard->policy, sizeof(heard->policy), "%s", verdict->policy);
	snprintf(heard->license, sizeof(heard->license), "%s", verdict->license);
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

static void start(struct world *world)
{
	assert_int_equal(admission_new(world->store, NULL, "node-1", &world->settings,
				 &world->admission),
		0);
}

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
	snprintf(world->license.group, sizeof(world->license.group), "sales");
	quick_record(world->license.password);
	put_license(world);
	put(world, STATE_TENANT, "acme", "{\"id\":\"acme\",\"name\":\"Acme KK\"}");
	world->settings = (struct admission_settings){5, 15 * MINUTE, 20};
	start(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
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

static int viewer_status(struct world *world, const char *password, const char *address)
{
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(request.password, sizeof(request.password), "%s", password);
	snprintf(request.address, sizeof(request.address), "%s", address);
	return ask(world, &request).status;
}

static int64_t number_in(const char *json, const char *name)
{
	json_t *object = json_loads(json, 0, NULL);
	int64_t number = json_integer_value(json_object_get(object, name));
	json_decref(object);
	return number;
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

static void test_a_viewer_comes_in(void **state)
{
	struct world *world = *state;
	world->license.expires_ms = NOON + MINUTE;
	put_license(world);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	host.enrol = 1;
	snprintf(host.name, sizeof(host.name), "desk-12");
	assert_int_equal(ask(world, &host).status, 0);
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_string_equal(heard.holder, "佐藤 花子");
	assert_string_equal(heard.tenant_name, "Acme KK");
	assert_string_equal(heard.host_name, "desk-12");
	assert_string_equal(heard.license, world->license.id);
	assert_int_equal(heard.expires_ms, NOON + MINUTE);
	assert_int_equal(number_in(heard.policy, "rights"), 15);
	assert_int_equal(ask(world, &request).status, 0);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"side\":\"viewer\""), 2);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"result\":\"ok\""), 3);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, world->viewer.id), 2);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"new_device\":true"), 1);
	assert_int_equal(count_rows(world, JOURNAL_AUDIT, "DEVICE_NEW"), 1);
	struct journal_query query = {.kind = JOURNAL_LOGIN,
		.tenant = "acme",
		.license = world->license.id,
		.limit = 10};
	struct store_rows rows = {0};
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.rows[0].at_ms, NOON);
	store_rows_free(&rows);
}

static void test_a_proof_is_for_one_use_only(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 7; i++) {
		struct admission_request request =
			request_of(world, HELLO_VIEWER, &world->viewer);
		if (i == 0)
			request.signature[5] ^= 1;
		else if (i == 1)
			request.nonce[0] ^= 1;
		else if (i == 2)
			request.exporter[31] ^= 1;
		else if (i == 3)
			sign(&request, &world->viewer, "node-2", world->key.public_id);
		else if (i == 4)
			memcpy(request.device, world->other.public, 32);
		else if (i == 5)
			sign(&request, &world->viewer, "node-1", "000000000");
		else
			request.side = HELLO_HOST;
		struct heard heard = ask(world, &request);
		assert_int_equal(heard.status, -REASON_PROOF_WRONG);
		assert_string_equal(heard.holder, "");
	}
	/* A key of small order "signs" everything. */
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	memset(request.device, 0, sizeof(request.device));
	memset(request.signature, 0, sizeof(request.signature));
	assert_int_equal(ask(world, &request).status, -REASON_PROOF_WRONG);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "PROOF_WRONG"), 8);
}

static void test_strangers_learn_nothing(void **state)
{
	struct world *world = *state;
	struct admission_request wrong = request_of(world, HELLO_VIEWER, &world->viewer);
	wrong.secret[9] ^= 1;
	struct admission_request unknown =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(unknown.license, sizeof(unknown.license), "lic_000000000");
	sign(&unknown, &world->viewer, "node-1", "000000000");
	struct heard a = ask(world, &wrong), b = ask(world, &unknown);
	assert_int_equal(a.status, -REASON_LICENSE_UNKNOWN);
	assert_int_equal(b.status, -REASON_LICENSE_UNKNOWN);
	assert_string_equal(a.holder, b.holder);
	assert_string_equal(a.tenant_name, b.tenant_name);
	assert_int_equal(a.retry_ms, b.retry_ms);
	/* Who has no secret cannot lock the license for those who have. */
	for (int i = 0; i < 7; i++)
		assert_int_equal(ask(world, &wrong).status, -REASON_LICENSE_UNKNOWN);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	host.enrol = 1;
	host.secret[0] ^= 1;
	assert_int_equal(ask(world, &host).status, -REASON_LICENSE_UNKNOWN);
	snprintf(host.license, sizeof(host.license), "lic_!");
	assert_int_equal(ask(world, &host).status, -REASON_LICENSE_UNKNOWN);
}

static void test_states_of_a_license(void **state)
{
	struct world *world = *state;
	world->license.expires_ms = NOON + 1;
	put_license(world);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
	clock_fake(1000000000, NOON + 1);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_LICENSE_EXPIRED);
	world->license.state = LICENSE_DISABLED;
	put_license(world);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_LICENSE_DISABLED);
	world->license.state = LICENSE_ENABLED;
	world->license.expires_ms = 0;
	put_license(world);
	put(world, STATE_TENANT, "acme",
		"{\"id\":\"acme\",\"name\":\"Acme KK\",\"state\":\"disabled\"}");
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_TENANT_DISABLED);
	put(world, STATE_LICENSE, world->license.id, "{\"id\":\"x\"}");
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_STATE_DAMAGED);
	world->license.password[0] = 0;
	put_license(world);
	put(world, STATE_TENANT, "acme", "{\"id\":\"acme\",\"name\":\"Acme KK\"}");
	assert_int_equal(viewer_status(world, "", "192.0.2.7"), -REASON_PASSWORD_WRONG);
}

static void test_a_company_has_so_many_sessions(void **state)
{
	struct world *world = *state;
	char body[80];
	put(world, STATE_TENANT, "acme",
		"{\"id\":\"acme\",\"name\":\"Acme KK\",\"sessions_max\":1}");
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
	/* His own is the one that comes back. */
	snprintf(body, sizeof(body), "{\"license\":\"%s\"}", world->license.id);
	put(world, STATE_SESSION, "ses_1", body);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
	put(world, STATE_SESSION, "ses_1", "{\"license\":\"lic_000000000\"}");
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_COMPANY_FULL);
	put(world, STATE_TENANT, "acme",
		"{\"id\":\"acme\",\"name\":\"Acme KK\",\"sessions_max\":2}");
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
}

static void test_a_generated_password_opens_as_well(void **state)
{
	struct world *world = *state;
	char made[PASSWORD_GENERATED];
	assert_int_equal(password_generate(made), 0);
	assert_int_equal(password_hash_generated(made, world->license.password), 0);
	put_license(world);
	assert_int_equal(viewer_status(world, made, "192.0.2.7"), 0);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"),
		-REASON_PASSWORD_WRONG);
}

static void expect_host(struct world *world, const char *holding)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(world->store->state, STATE_HOST,
				 world->license.id, &docs),
		0);
	assert_string_equal(docs.docs[0].tenant, "acme");
	if (!strstr(docs.docs[0].body, holding))
		fail_msg("%s is not in %s", holding, docs.docs[0].body);
	store_docs_free(&docs);
}

static void test_a_license_has_one_host(void **state)
{
	struct world *world = *state;
	struct admission_request first = request_of(world, HELLO_HOST, &world->host);
	struct admission_request second = request_of(world, HELLO_HOST, &world->other);
	assert_int_equal(ask(world, &first).status, -REASON_HOST_NOT_BOUND);
	first.enrol = 1;
	snprintf(first.inventory, sizeof(first.inventory),
		"{\"os\":\"<b>Debian\\u202e\",\"BAD "
		"KEY\":1,\"displays\":[{\"w\":1920}]}");
	assert_int_equal(ask(world, &first).status, 0);
	expect_host(world, world->host.id);
	expect_host(world, "{\"os\":\"<b>Debian\",\"displays\":[{\"w\":1920}]}");
	/* The same PC enrols again: nothing new. */
	assert_int_equal(ask(world, &first).status, 0);
	first.enrol = 0;
	first.inventory[0] = 0;
	clock_fake(1000000000, NOON + MINUTE);
	assert_int_equal(ask(world, &first).status, 0);
	expect_host(world, "\"seen_ms\":1795348860000");
	expect_host(world, "\"bound_ms\":1795348800000");
	expect_host(world, "displays");
	assert_int_equal(ask(world, &second).status, -REASON_HOST_NOT_BOUND);
	expect_host(world, world->host.id);
	second.enrol = 1;
	assert_int_equal(ask(world, &second).status, 0);
	expect_host(world, world->other.id);
	assert_int_equal(ask(world, &first).status, -REASON_HOST_NOT_BOUND);
	assert_int_equal(count_rows(world, JOURNAL_AUDIT, "HOST_BOUND"), 1);
	assert_int_equal(count_rows(world, JOURNAL_AUDIT, "HOST_REBOUND"), 1);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "HOST_NOT_BOUND"), 3);
}

static void test_five_failures_lock(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(viewer_status(world, "wrong", "192.0.2.7"),
			-REASON_PASSWORD_WRONG);
	/* A right one in between: counting begins anew. */
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(viewer_status(world, "wrong", "192.0.2.7"),
			-REASON_PASSWORD_WRONG);
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, -REASON_LOCKED_OUT);
	assert_int_equal(heard.retry_ms, 15 * MINUTE);
	assert_int_equal(count_rows(world, JOURNAL_AUDIT, "LICENSE_LOCKED"), 1);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.8"), 0);
	/* Locks outlive the process. */
	world->admission = admission_free(world->admission);
	start(world);
	clock_fake(1000000000, NOON + 15 * MINUTE - 1);
	heard = ask(world, &request);
	assert_int_equal(heard.status, -REASON_LOCKED_OUT);
	assert_int_equal(heard.retry_ms, 1);
	clock_fake(1000000000, NOON + 15 * MINUTE);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), 0);
}

static void test_tries_at_once_are_no_more_tries(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	struct heard heard[20] = {0};
	int wrong = 0, locked = 0;
	snprintf(request.password, sizeof(request.password), "wrong");
	for (int i = 0; i < 20; i++)
		admission_check(world->admission, &request, post_pump_box(world->pump),
			hear, &heard[i]);
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 600 && !heard[i].answered; k++)
			post_pump_run(world->pump, 100);
		wrong += heard[i].status == -REASON_PASSWORD_WRONG;
		locked += heard[i].status == -REASON_LOCKED_OUT;
	}
	assert_int_equal(wrong, 5);
	assert_int_equal(locked, 15);
}

static void test_twenty_failures_lock_the_whole_license(void **state)
{
	struct world *world = *state;
	char address[32];
	for (int i = 0; i < 20; i++) {
		snprintf(address, sizeof(address), "2001:db8:%x::%x", i / 4, i);
		assert_int_equal(viewer_status(world, "wrong", address),
			-REASON_PASSWORD_WRONG);
	}
	assert_int_equal(viewer_status(world, PASSWORD, "198.51.100.1"),
		-REASON_LOCKED_OUT);
	clock_fake(1000000000, NOON + 15 * MINUTE);
	assert_int_equal(viewer_status(world, PASSWORD, "198.51.100.1"), 0);
}

static void test_an_address_is_throttled(void **state)
{
	struct world *world = *state;
	world->settings.address_failures = 3;
	admission_set(world->admission, &world->settings);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	host.enrol = 1;
	host.secret[0] ^= 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(world, &host).status, -REASON_LICENSE_UNKNOWN);
	struct heard heard = ask(world, &host);
	assert_int_equal(heard.status, -REASON_THROTTLED);
	assert_int_equal(heard.retry_ms, 15 * MINUTE);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), -REASON_THROTTLED);
	assert_int_equal(viewer_status(world, PASSWORD, "::ffff:192.0.2.7"),
		-REASON_THROTTLED);
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.8"), 0);
}

static void test_policies_narrow(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	put(world, STATE_POLICY, "default",
		"{\"rights\":[\"view\",\"control\",\"file_to_host\"],\"max_session_ms\":"
		"7200000}");
	put(world, STATE_POLICY, "tenant/acme",
		"{\"max_session_ms\":3600000,\"lock_at_end\":true}");
	put(world, STATE_POLICY, "group/acme/sales",
		"{\"rights\":[\"view\",\"file_to_host\"]}");
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_int_equal(number_in(heard.policy, "rights"), 0x11);
	assert_int_equal(number_in(heard.policy, "max_session_ms"), 3600000);
	assert_non_null(strstr(heard.policy, "\"lock_at_end\":true"));
	snprintf(world->license.policy, sizeof(world->license.policy),
		"{\"viewer_kinds\":[\"web\"],\"addresses\":[\"192.0.2.0/"
		"29\"],\"offset\":\"+09:00\","
		"\"hours\":[{\"days\":[\"sun\"],\"from\":\"08:00\",\"to\":\"22:00\"}]}");
	put_license(world);
	assert_int_equal(ask(world, &request).status, -REASON_POLICY);
	snprintf(request.kind, sizeof(request.kind), "web");
	heard = ask(world, &request);
	/* Noon in London is 21:00 in Tokyo: an hour is left. */
	assert_int_equal(heard.status, 0);
	assert_int_equal(number_in(heard.policy, "until_ms"), NOON + 60 * MINUTE);
	snprintf(request.address, sizeof(request.address), "192.0.2.8");
	assert_int_equal(ask(world, &request).status, -REASON_ADDRESS_REFUSED);
	snprintf(request.address, sizeof(request.address), "192.0.2.7");
	clock_fake(1000000000, NOON + 60 * MINUTE);
	assert_int_equal(ask(world, &request).status, -REASON_OUT_OF_HOURS);
	clock_fake(1000000000, NOON);
	world->license.device_count = 1;
	memcpy(world->license.devices[0], world->other.id, DIGEST_DEVICE_SIZE);
	put_license(world);
	heard = ask(world, &request);
	assert_int_equal(heard.status, -REASON_POLICY);
	assert_non_null(strstr(heard.detail, "device"));
	/* A policy that cannot be read permits nothing. */
	put(world, STATE_POLICY, "tenant/acme", "{\"max_sesion_ms\":1}");
	assert_int_equal(ask(world, &request).status, -REASON_STATE_DAMAGED);
}

/* A journal with a full disk, and a state that is away. */
static void no_append(struct journal *journal, const struct journal_row *rows,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	(void)journal, (void)rows, (void)count;
	reply_send(reply_new_journal(box, done, ctx), -REASON_DISK_FULL);
}

static void no_get(struct state *s, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	(void)s, (void)kind, (void)id;
	reply_send(reply_new_state(box, done, ctx), -REASON_STORE_UNAVAILABLE);
}

static void test_nobody_comes_in_unrecorded(void **state)
{
	struct world *world = *state;
	static const struct journal_vtable full = {.append = no_append};
	static const struct state_vtable away = {.get = no_get};
	struct journal journal = {&full}, *real_journal = world->store->journal;
	struct state away_state = {&away}, *real_state = world->store->state;
	world->store->journal = &journal;
	assert_int_equal(viewer_status(world, PASSWORD, "192.0.2.7"), -REASON_DISK_FULL);
	assert_int_equal(viewer_status(world, "wrong", "192.0.2.7"),
		-REASON_PASSWORD_WRONG);
	struct admission_request host = request_of(world, HELLO_HOST, &world->host);
	host.enrol = 1;
	assert_int_equal(ask(world, &host).status, -REASON_DISK_FULL);
	world->store->journal = real_journal;
	world->store->state = &away_state;
	struct heard heard = ask(world, &host);
	assert_int_equal(heard.status, -REASON_STORE_UNAVAILABLE);
	assert_in_range(heard.retry_ms, 1, 60000);
	world->store->state = real_state;
	assert_int_equal(ask(world, &host).status, 0);
}

#define FLOOD 120

static void test_a_flood_is_bounded_and_answered(void **state)
{
	struct world *world = *state;
	static struct heard heard[FLOOD];
	size_t counts[4] = {0};
	memset(heard, 0, sizeof(heard));
	/* Real cost, so that the queue fills. */
	assert_int_equal(password_hash(PASSWORD, world->license.password), 0);
	put_license(world);
	for (int i = 0; i < FLOOD; i++) {
		struct admission_request request =
			request_of(world, HELLO_VIEWER, &world->viewer);
		snprintf(request.address, sizeof(request.address), "198.51.100.%d", i);
		admission_check(world->admission, &request, post_pump_box(world->pump),
			hear, &heard[i]);
	}
	/* Freeing waits for all of them. */
	world->admission = admission_free(world->admission);
	while (post_pump_run(world->pump, 0))
		;
	for (int i = 0; i < FLOOD; i++) {
		assert_int_equal(heard[i].answered, 1);
		if (heard[i].status == 0)
			counts[0]++;
		else if (heard[i].status == -REASON_BUSY)
			counts[1]++;
		else
			fail_msg("%s", reason_symbol(heard[i].status));
	}
	assert_in_range(counts[0], 32, FLOOD - 1);
	assert_in_range(counts[1], 1, FLOOD - 32);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"side\":\"viewer\""), FLOOD);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "BUSY"), counts[1]);
}

static void test_hostile_names_are_made_plain(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	snprintf(request.name, sizeof(request.name), "a\n\x1b[31m\"b\xe2\x80\xae");
	snprintf(request.program, sizeof(request.program), "\xff\xfe");
	assert_int_equal(ask(world, &request).status, 0);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"name\":\"a[31m\\\"b\""), 1);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"program\":\"\""), 1);
}

/* ---- one-time codes ------------------------------------------------------------------------ */

static struct heard ask_with_code(struct world *world, const struct device *device,
	const char *password, const char *code)
{
	struct admission_request request = request_of(world, HELLO_VIEWER, device);
	snprintf(request.password, sizeof(request.password), "%s", password);
	snprintf(request.totp, sizeof(request.totp), "%s", code);
	return ask(world, &request);
}

static const char *code_at(const struct world *world, int64_t at_ms)
{
	static char code[TOTP_CODE];
	assert_int_equal(totp_code(world->license.totp.secret, at_ms, code), 0);
	return code;
}

static void need_codes(struct world *world)
{
	memset(world->license.totp.secret, 5, TOTP_SECRET);
	world->license.totp.confirmed_ms = NOON - MINUTE;
	put_license(world);
}

static void test_a_code_is_asked_for_and_good_once(void **state)
{
	struct world *world = *state;
	need_codes(world);
	/* A wrong password says nothing of codes. */
	assert_int_equal(ask_with_code(world, &world->viewer, "wrong", "").status,
		-REASON_PASSWORD_WRONG);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "").status,
		-REASON_TOTP_NEEDED);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "000000").status,
		-REASON_TOTP_WRONG);
	struct heard heard =
		ask_with_code(world, &world->viewer, PASSWORD, code_at(world, NOON));
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.resume_only, 0);
	/* The same code again, from another device or the same. */
	assert_int_equal(ask_with_code(world, &world->other, PASSWORD,
				 code_at(world, NOON))
				 .status,
		-REASON_TOTP_WRONG);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD,
				 code_at(world, NOON))
				 .status,
		-REASON_TOTP_WRONG);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "TOTP_WRONG"), 3);
}

/* The device that showed a code may take its session up again, and only that. */
static void test_a_code_is_remembered_for_the_session(void **state)
{
	struct world *world = *state;
	need_codes(world);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD,
				 code_at(world, NOON))
				 .status,
		0);
	clock_fake(1000000000, NOON + 11 * 60 * MINUTE);
	struct heard heard = ask_with_code(world, &world->viewer, PASSWORD, "");
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.resume_only, REASON_TOTP_NEEDED);
	assert_int_equal(ask_with_code(world, &world->other, PASSWORD, "").status,
		-REASON_TOTP_NEEDED);
	/* Coming again does not make it last longer. */
	clock_fake(1000000000, NOON + 12 * 60 * MINUTE + 1);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "").status,
		-REASON_TOTP_NEEDED);
	/* Nor what was shown for a secret that is no more. */
	clock_fake(1000000000, NOON + MINUTE);
	world->license.totp.confirmed_ms = NOON + MINUTE / 2;
	put_license(world);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "").status,
		-REASON_TOTP_NEEDED);
}

static void test_guessing_codes_locks(void **state)
{
	struct world *world = *state;
	need_codes(world);
	/* To be asked is no failure, however often. */
	for (int i = 0; i < 8; i++)
		assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "")
					 .status,
			-REASON_TOTP_NEEDED);
	for (int64_t i = 0; i < world->settings.lockout_failures; i++)
		assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "000000")
					 .status,
			-REASON_TOTP_WRONG);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD,
				 code_at(world, NOON))
				 .status,
		-REASON_LOCKED_OUT);
}

/* ---- how many devices, and looking again ---------------------------------------------------- */

static void test_devices_are_counted(void **state)
{
	struct world *world = *state;
	snprintf(world->license.policy, sizeof(world->license.policy),
		"{\"devices_max\":1}");
	put_license(world);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "").status, 0);
	assert_int_equal(ask_with_code(world, &world->other, PASSWORD, "").status,
		-REASON_DEVICES_FULL);
	assert_int_equal(ask_with_code(world, &world->viewer, PASSWORD, "").status, 0);
}

static struct heard review(struct world *world, const struct device *device)
{
	struct heard heard = {0};
	struct admission_request request = {.side = HELLO_VIEWER};
	snprintf(request.license, sizeof(request.license), "%s", world->license.id);
	memcpy(request.device, device->public, 32);
	snprintf(request.kind, sizeof(request.kind), "native");
	snprintf(request.address, sizeof(request.address), "192.0.2.7");
	admission_review(world->admission, &request, post_pump_box(world->pump), hear,
		&heard);
	for (int i = 0; i < 600 && !heard.answered; i++)
		post_pump_run(world->pump, 100);
	assert_int_equal(heard.answered, 1);
	return heard;
}

static void test_a_review_sees_what_is_so_now(void **state)
{
	struct world *world = *state;
	put_license(world);
	struct heard heard = review(world, &world->viewer);
	assert_int_equal(heard.status, 0);
	assert_int_equal(number_in(heard.policy, "rights"), 15);
	snprintf(world->license.policy, sizeof(world->license.policy),
		"{\"rights\":[\"view\"],\"addresses\":[\"192.0.2.0/24\"]}");
	put_license(world);
	assert_int_equal(number_in(review(world, &world->viewer).policy, "rights"), 1);
	snprintf(world->license.policy, sizeof(world->license.policy),
		"{\"addresses\":[\"198.51.100.0/24\"]}");
	put_license(world);
	assert_int_equal(review(world, &world->viewer).status, -REASON_ADDRESS_REFUSED);
	world->license.policy[0] = 0;
	world->license.device_count = 1;
	snprintf(world->license.devices[0], sizeof(world->license.devices[0]), "%s",
		world->other.id);
	put_license(world);
	assert_int_equal(review(world, &world->viewer).status, -REASON_POLICY);
	assert_int_equal(review(world, &world->other).status, 0);
	world->license.state = LICENSE_DISABLED;
	put_license(world);
	assert_int_equal(review(world, &world->other).status, -REASON_LICENSE_DISABLED);
	/* It is no login. */
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, ""), 0);
}

/* A join token as another node leaves it in the store, for the viewer at this node. */
static struct join join_of(const struct world *world)
{
	struct join join = {.expires_ms = NOON + JOIN_MS};
	strcpy(join.license, world->license.id);
	strcpy(join.device, world->viewer.id);
	strcpy(join.node, "node-1");
	strcpy(join.from, "node-2");
	return join;
}

static struct admission_request joining(struct world *world, const struct join *join)
{
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	char token[JOIN_TOKEN], id[JOIN_ID], *body;
	assert_int_equal(join_generate(token, id), 0);
	assert_int_equal(join_write(join, &body), 0);
	put(world, STATE_JOIN, id, body);
	free(body);
	strcpy(request.join, token);
	*request.password = 0;
	return request;
}

static size_t tokens_left(struct world *world)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_list(world->store->state, STATE_JOIN, NULL, NULL, 100,
				 &docs),
		0);
	size_t count = docs.count;
	store_docs_free(&docs);
	return count;
}

static void test_a_token_stands_for_password_and_code_once(void **state)
{
	struct world *world = *state;
	need_codes(world);
	struct join join = join_of(world);
	struct admission_request request = joining(world, &join);
	struct heard heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.resume_only, 0);
	assert_string_equal(heard.holder, "佐藤 花子");
	assert_int_equal(tokens_left(world), 0);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "\"joined\":true"), 1);
	assert_int_equal(ask(world, &request).status, -REASON_JOIN_SPENT);
	assert_int_equal(count_rows(world, JOURNAL_LOGIN, "JOIN_SPENT"), 1);
	/* With its password it is a login like all others. */
	strcpy(request.password, PASSWORD);
	assert_int_equal(ask(world, &request).status, -REASON_TOTP_NEEDED);
	strcpy(request.password, "wrong");
	assert_int_equal(ask(world, &request).status, -REASON_PASSWORD_WRONG);
	/* What was only good for going on stays so. */
	join.resume_only = REASON_TOTP_NEEDED;
	request = joining(world, &join);
	heard = ask(world, &request);
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.resume_only, REASON_TOTP_NEEDED);
}

static void test_of_two_with_one_token_one_comes_in(void **state)
{
	struct world *world = *state;
	struct join join = join_of(world);
	for (int round = 0; round < 20; round++) {
		struct admission_request request = joining(world, &join);
		struct heard heard[4] = {{0}};
		int good = 0, answered = 0;
		for (int i = 0; i < 4; i++)
			admission_check(world->admission, &request,
				post_pump_box(world->pump), hear, &heard[i]);
		for (int i = 0; i < 600 && answered < 4; i++) {
			post_pump_run(world->pump, 100);
			answered = 0;
			for (int j = 0; j < 4; j++)
				answered += heard[j].answered;
		}
		assert_int_equal(answered, 4);
		for (int i = 0; i < 4; i++) {
			good += heard[i].status == 0;
			assert_true(heard[i].status == 0 ||
				    heard[i].status == -REASON_JOIN_SPENT ||
				    heard[i].status == -REASON_THROTTLED);
		}
		assert_int_equal(good, 1);
		clock_fake(1000000000, NOON + (round + 1) * 20 * MINUTE);
		join.expires_ms = NOON + (round + 1) * 20 * MINUTE + JOIN_MS;
	}
}

/* Shown by whom or where it does not count, it is used up all the same. */
static void test_a_token_of_another_is_refused(void **state)
{
	struct world *world = *state;
	struct join join = join_of(world);
	for (int wrong = 0; wrong < 5; wrong++) {
		struct join bent = join;
		if (wrong == 0)
			strcpy(bent.license, "lic_zzzzzzzzz");
		else if (wrong == 1)
			strcpy(bent.device, world->other.id);
		else if (wrong == 2)
			strcpy(bent.node, "node-3");
		else if (wrong == 3)
			bent.expires_ms = NOON;
		else
			bent.expires_ms = NOON + 10 * MINUTE;
		struct admission_request request = joining(world, &bent);
		assert_int_equal(ask(world, &request).status, -REASON_JOIN_SPENT);
		assert_int_equal(tokens_left(world), 0);
	}
	/* Who never had one has a password, or nothing. */
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	strcpy(request.join, "AAAAAAAAAAAAAAAAAAAAAA");
	assert_int_equal(ask(world, &request).status, 0);
	strcpy(request.join, "what is this?");
	assert_int_equal(ask(world, &request).status, 0);
	*request.password = 0;
	assert_int_equal(ask(world, &request).status, -REASON_JOIN_SPENT);
	/* Back where it was made: the way was closed. */
	strcpy(join.node, "node-2");
	strcpy(join.from, "node-1");
	request = joining(world, &join);
	assert_int_equal(ask(world, &request).status, 0);
}

/* All that a token does not stand for is looked at as always. */
static void test_a_token_opens_nothing_else(void **state)
{
	struct world *world = *state;
	struct join join = join_of(world);
	struct admission_request request = joining(world, &join);
	request.secret[0] ^= 1;
	assert_int_equal(ask(world, &request).status, -REASON_LICENSE_UNKNOWN);
	request.secret[0] ^= 1;
	request.signature[0] ^= 1;
	assert_int_equal(ask(world, &request).status, -REASON_PROOF_WRONG);
	/* The token of a device that somebody else has. */
	struct admission_request foreign = request_of(world, HELLO_VIEWER, &world->other);
	*foreign.password = 0;
	strcpy(foreign.join, request.join);
	assert_int_equal(ask(world, &foreign).status, -REASON_JOIN_SPENT);
	request = joining(world, &join);
	world->license.state = LICENSE_DISABLED;
	put_license(world);
	assert_int_equal(ask(world, &request).status, -REASON_LICENSE_DISABLED);
	world->license.state = LICENSE_ENABLED;
	put_license(world);
	assert_int_equal(tokens_left(world), 1); /* it was not even looked at */
	for (int i = 0; i < 5; i++)
		assert_int_equal(viewer_status(world, "wrong", "192.0.2.7"),
			-REASON_PASSWORD_WRONG);
	/* Locked is locked. */
	assert_int_equal(ask(world, &request).status, -REASON_LOCKED_OUT);
	snprintf(request.address, sizeof(request.address), "192.0.2.99");
	assert_int_equal(ask(world, &request).status, 0);
}

/* Guessing is counted against the address. */
static void test_tokens_cannot_be_guessed_for_long(void **state)
{
	struct world *world = *state;
	struct admission_request request =
		request_of(world, HELLO_VIEWER, &world->viewer);
	*request.password = 0;
	strcpy(request.join, "AAAAAAAAAAAAAAAAAAAAAA");
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(world, &request).status, -REASON_JOIN_SPENT);
	assert_int_equal(ask(world, &request).status, -REASON_THROTTLED);
}

int main(void)
{
#define ADMISSION_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ADMISSION_TEST(test_a_viewer_comes_in),
		ADMISSION_TEST(test_a_proof_is_for_one_use_only),
		ADMISSION_TEST(test_strangers_learn_nothing),
		ADMISSION_TEST(test_states_of_a_license),
		ADMISSION_TEST(test_a_company_has_so_many_sessions),
		ADMISSION_TEST(test_a_generated_password_opens_as_well),
		ADMISSION_TEST(test_a_license_has_one_host),
		ADMISSION_TEST(test_five_failures_lock),
		ADMISSION_TEST(test_tries_at_once_are_no_more_tries),
		ADMISSION_TEST(test_twenty_failures_lock_the_whole_license),
		ADMISSION_TEST(test_an_address_is_throttled),
		ADMISSION_TEST(test_policies_narrow),
		ADMISSION_TEST(test_nobody_comes_in_unrecorded),
		ADMISSION_TEST(test_a_code_is_asked_for_and_good_once),
		ADMISSION_TEST(test_a_code_is_remembered_for_the_session),
		ADMISSION_TEST(test_guessing_codes_locks),
		ADMISSION_TEST(test_devices_are_counted),
		ADMISSION_TEST(test_a_review_sees_what_is_so_now),
		ADMISSION_TEST(test_a_flood_is_bounded_and_answered),
		ADMISSION_TEST(test_hostile_names_are_made_plain),
		ADMISSION_TEST(test_a_token_stands_for_password_and_code_once),
		ADMISSION_TEST(test_of_two_with_one_token_one_comes_in),
		ADMISSION_TEST(test_a_token_of_another_is_refused),
		ADMISSION_TEST(test_a_token_opens_nothing_else),
		ADMISSION_TEST(test_tokens_cannot_be_guessed_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
