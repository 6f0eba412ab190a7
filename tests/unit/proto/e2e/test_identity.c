#include <sys/wait.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/identity.h"
#include "scratch.h"

static void it_is_made_once(void **state)
{
	struct identity *first = NULL, *second = NULL;
	const char *dir = scratch_path(state, "host");
	assert_int_equal(identity_open(dir, &first), 0);
	assert_int_equal(scratch_mode(dir), 0700);
	assert_int_equal(scratch_mode(scratch_path(state, "host/identity.json")), 0600);
	assert_int_equal(identity_open(dir, &second), 0);
	assert_memory_equal(identity_sign_public(first), identity_sign_public(second),
		32);
	assert_memory_equal(identity_tunnel_public(first), identity_tunnel_public(second),
		32);
	assert_memory_equal(identity_tunnel_private(first),
		identity_tunnel_private(second), 32);
	assert_memory_not_equal(identity_sign_public(first),
		identity_tunnel_public(first), 32);
	assert_string_equal(identity_id(first), identity_id(second));
	assert_int_equal(strlen(identity_id(first)), IDENTITY_ID_SIZE - 1);
	assert_memory_equal(identity_id(first), "dev_", 4);
	second = identity_free(second);
	assert_int_equal(identity_open(scratch_path(state, "viewer"), &second), 0);
	assert_string_not_equal(identity_id(first), identity_id(second));
	identity_free(first);
	identity_free(second);
	assert_null(identity_free(NULL));
}

static void it_signs(void **state)
{
	struct identity *identity;
	uint8_t signature[PRIMITIVES_SIGNATURE], tunnel[32];
	char id[IDENTITY_ID_SIZE];
	assert_int_equal(identity_open(*state, &identity), 0);
	assert_int_equal(identity_sign(identity, "bytes", 5, signature), 0);
	assert_int_equal(primitives_ed25519_verify(signature,
				 identity_sign_public(identity), "bytes", 5),
		0);
	assert_int_not_equal(primitives_ed25519_verify(signature,
				     identity_sign_public(identity), "bytez", 5),
		0);
	assert_int_equal(primitives_x25519_public(tunnel,
				 identity_tunnel_private(identity)),
		0);
	assert_memory_equal(tunnel, identity_tunnel_public(identity), 32);
	assert_int_equal(identity_id_of(identity_sign_public(identity), id), 0);
	assert_string_equal(id, identity_id(identity));
	identity_free(identity);
}

/* SHA-256 of 32 zero bytes begins with 66687aadf862bd77. */
static void ids_are_hashes_of_the_signing_key(void **state)
{
	(void)state;
	static const uint8_t key[32] = {0};
	char id[IDENTITY_ID_SIZE];
	assert_int_equal(identity_id_of(key, id), 0);
	assert_string_equal(id, "dev_66687aadf862bd77");
}

static void exposed_is_refused(void **state)
{
	struct identity *identity = NULL;
	const char *path = scratch_path(state, "identity.json");
	assert_int_equal(identity_open(*state, &identity), 0);
	identity = identity_free(identity);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(identity_open(*state, &identity), -REASON_FILE_EXPOSED);
	assert_null(identity);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(identity_open(*state, &identity), 0);
	identity_free(identity);
}

/* Cut anywhere, or with one digit changed: refused, and never replaced by a new identity. */
static void damaged_is_refused_and_kept(void **state)
{
	struct identity *identity = NULL;
	char text[2048], after[2048];
	const char *path = scratch_path(state, "identity.json");
	assert_int_equal(identity_open(*state, &identity), 0);
	identity = identity_free(identity);
	size_t len = scratch_read(path, text, sizeof(text));
	for (size_t cut = 0; cut < len - 1; cut++) {
		scratch_write(path, text, cut);
		assert_int_equal(identity_open(*state, &identity), -REASON_STATE_DAMAGED);
		assert_int_equal(scratch_read(path, after, sizeof(after)), cut);
	}
	static const char *const members[] = {
		"sign_private", "sign_public", "tunnel_private", "tunnel_public"};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		char changed[2048];
		memcpy(changed, text, len);
		changed[len] = 0;
		char *digit = strstr(changed, members[i]) + strlen(members[i]) + 4 + 20;
		*digit = *digit == '0' ? '1' : '0';
		scratch_write(path, changed, len);
		assert_int_equal(identity_open(*state, &identity), -REASON_STATE_DAMAGED);
	}
	assert_null(identity);
}

static void processes_that_come_first_agree(void **state)
{
	for (int round = 0; round < 5; round++) {
		char name[16], ids[3][IDENTITY_ID_SIZE];
		int pipes[2];
		snprintf(name, sizeof(name), "race%d", round);
		const char *dir = scratch_path(state, name);
		assert_int_equal(pipe(pipes), 0);
		for (int i = 0; i < 3; i++) {
			if (fork() == 0) {
				struct identity *identity;
				if (identity_open(dir, &identity) < 0)
					_exit(1);
				_exit(write(pipes[1], identity_id(identity),
					      IDENTITY_ID_SIZE) != IDENTITY_ID_SIZE);
			}
		}
		for (int i = 0; i < 3; i++) {
			int status;
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
			assert_int_equal(read(pipes[0], ids[i], IDENTITY_ID_SIZE),
				IDENTITY_ID_SIZE);
			assert_string_equal(ids[i], ids[0]);
		}
		assert_int_equal(scratch_count(dir, ".tmp"), 0);
		close(pipes[0]);
		close(pipes[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(it_is_made_once),
		SCRATCH_TEST(it_signs),
		cmocka_unit_test(ids_are_hashes_of_the_signing_key),
		SCRATCH_TEST(exposed_is_refused),
		SCRATCH_TEST(damaged_is_refused_and_kept),
		SCRATCH_TEST(processes_that_come_first_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
