#include <sys/wait.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/peers.h"
#include "e2e/pins.h"
#include "e2e/private_file.h"
#include "scratch.h"

#define NOW INT64_C(1800000000000)

static struct peers_device device_of(int number)
{
	struct peers_device device = {
		.class = INNER_NATIVE, .rights = INNER_RIGHTS_ALL, .added_ms = NOW};
	snprintf(device.name, sizeof(device.name), "laptop-%d", number);
	strcpy(device.user, "鈴木");
	memset(device.key, 0x80 + number, sizeof(device.key));
	memset(device.pair_psk, 0x55, sizeof(device.pair_psk));
	return device;
}

static struct peers *open_peers(void **state)
{
	struct peers *peers;
	assert_int_equal(peers_open(*state, &peers), 0);
	return peers;
}

static void authorise(struct peers *peers, int number)
{
	struct peers_device device = device_of(number);
	assert_int_equal(peers_authorise(peers, &device), 0);
}

static const struct peers_device *find(struct peers *peers, int number)
{
	struct peers_device device = device_of(number);
	return peers_find(peers, device.key, NOW);
}

static void a_device_comes_back(void **state)
{
	struct peers *peers = open_peers(state), *again;
	assert_int_equal(peers_count(peers), 0);
	assert_null(find(peers, 1));
	authorise(peers, 1);
	assert_int_equal(scratch_mode(scratch_path(state, "peers.json")), 0600);
	again = open_peers(state);
	const struct peers_device *device = find(again, 1);
	assert_non_null(device);
	assert_string_equal(device->name, "laptop-1");
	assert_string_equal(device->user, "鈴木");
	assert_int_equal(device->class, INNER_NATIVE);
	assert_int_equal(device->rights, INNER_RIGHTS_ALL);
	assert_int_equal(device->added_ms, NOW);
	assert_int_equal(device->revoked_ms, 0);
	assert_int_equal(device->pair_psk[31], 0x55);
	assert_memory_equal(device->id, "peer_", 5);
	assert_int_equal(peers_seen(again, device->key, NOW + 7), 0);
	assert_int_equal(peers_reload(peers), 0);
	assert_int_equal(find(peers, 1)->seen_ms, NOW + 7);
	assert_null(peers_at(peers, 1));
	peers_free(peers);
	peers_free(again);
	assert_null(peers_free(NULL));
}

/* The agent runs, another process takes a device away. */
static void a_removal_is_seen_by_the_agent(void **state)
{
	struct peers *agent = open_peers(state);
	uint8_t zeros[32] = {0};
	char text[8192];
	authorise(agent, 1);
	authorise(agent, 2);
	pid_t tool = fork();
	if (tool == 0) {
		struct peers *peers;
		_exit(peers_open(*state, &peers) < 0 ||
			peers_revoke(peers, "laptop-1", NOW + 5) < 0);
	}
	int status;
	assert_int_equal(waitpid(tool, &status, 0), tool);
	assert_int_equal(status, 0);
	assert_int_equal(find(agent, 1)->revoked_ms, 0);
	assert_int_equal(peers_reload(agent), 0);
	assert_int_equal(find(agent, 1)->revoked_ms, NOW + 5);
	assert_memory_equal(find(agent, 1)->pair_psk, zeros, 32);
	assert_int_equal(find(agent, 2)->revoked_ms, 0);
	/* Its psk is gone from the disk: one is left. */
	scratch_read(scratch_path(state, "peers.json"), text, sizeof(text));
	char *psk = strstr(text, "pair_psk");
	assert_non_null(psk);
	assert_null(strstr(psk + 1, "pair_psk"));
	assert_int_equal(peers_seen(agent, find(agent, 1)->key, NOW), -REASON_NOT_FOUND);
	assert_int_equal(peers_revoke(agent, "laptop-1", NOW), -REASON_NOT_FOUND);
	/* Pairing again is a new start. */
	authorise(agent, 1);
	assert_int_equal(find(agent, 1)->revoked_ms, 0);
	assert_int_equal(peers_count(agent), 2);
	peers_free(agent);
}

/* Both change the same file at the same time: no change is lost. */
static void changes_of_two_processes_add_up(void **state)
{
	struct peers *peers = open_peers(state);
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			struct peers *own;
			struct peers_device device = device_of(i);
			_exit(peers_open(*state, &own) < 0 ||
				peers_authorise(own, &device) < 0);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(peers_reload(peers), 0);
	assert_int_equal(peers_count(peers), 8);
	peers_free(peers);
}

static void sixteen_are_enough(void **state)
{
	struct peers *peers = open_peers(state);
	struct peers_device device;
	for (int i = 0; i < PEERS_AUTHORISED_MAX; i++)
		authorise(peers, i);
	device = device_of(99);
	assert_int_equal(peers_authorise(peers, &device), -REASON_LIMIT);
	assert_int_equal(peers_count(peers), PEERS_AUTHORISED_MAX);
	/* One of the sixteen may pair again. */
	authorise(peers, 3);
	assert_int_equal(peers_count(peers), PEERS_AUTHORISED_MAX);
	/* Revoked ones make room, and are forgotten in the end, the oldest first. */
	for (int i = 0; i < 60; i++) {
		char name[32];
		snprintf(name, sizeof(name), "laptop-%d", i);
		assert_int_equal(peers_revoke(peers, name, NOW + i), 0);
		authorise(peers, i + PEERS_AUTHORISED_MAX);
	}
	assert_int_equal(peers_count(peers), PEERS_MAX);
	assert_null(find(peers, 0));
	assert_non_null(find(peers, 59));
	peers_free(peers);
}

static void names_must_be_unique_to_be_used(void **state)
{
	struct peers *peers = open_peers(state);
	struct peers_device device = device_of(1);
	authorise(peers, 1);
	device.key[0] = 1;
	assert_int_equal(peers_authorise(peers, &device), 0);
	assert_int_equal(peers_revoke(peers, "laptop-1", NOW), -REASON_CONFLICT);
	char id[PEERS_ID_SIZE];
	strcpy(id, peers_at(peers, 1)->id);
	assert_int_equal(peers_revoke(peers, id, NOW), 0);
	assert_int_equal(peers_revoke(peers, "laptop-1", NOW), 0);
	device.name[0] = '\n';
	assert_int_equal(peers_authorise(peers, &device), -REASON_BAD_VALUE);
	peers_free(peers);
}

static void unreadable_opens_nothing(void **state)
{
	struct peers *peers = open_peers(state), *none = NULL;
	struct peers_device device = device_of(2);
	char text[8192], after[8192];
	const char *path = scratch_path(state, "peers.json");
	authorise(peers, 1);
	size_t len = scratch_read(path, text, sizeof(text));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(peers_reload(peers), -REASON_FILE_EXPOSED);
	assert_null(find(peers, 1));
	assert_int_equal(peers_authorise(peers, &device), -REASON_FILE_EXPOSED);
	assert_int_equal(peers_open(*state, &none), -REASON_FILE_EXPOSED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(peers_reload(peers), 0);
	assert_non_null(find(peers, 1));
	for (size_t cut = 0; cut < len - 1; cut += 7) {
		scratch_write(path, text, cut);
		assert_int_equal(peers_reload(peers), -REASON_STATE_DAMAGED);
		assert_null(find(peers, 1));
		assert_int_equal(peers_authorise(peers, &device), -REASON_STATE_DAMAGED);
		assert_int_equal(scratch_read(path, after, sizeof(after)), cut);
	}
	assert_null(none);
	peers_free(peers);
}

static void one_key_has_one_entry(void **state)
{
	struct peers *peers = open_peers(state);
	json_t *file, *devices;
	const char *path = scratch_path(state, "peers.json");
	authorise(peers, 1);
	assert_int_equal(private_file_read(path, &file), 0);
	devices = json_object_get(file, "devices");
	assert_int_equal(json_array_append_new(devices,
				 json_deep_copy(json_array_get(devices, 0))),
		0);
	assert_int_equal(private_file_write(path, file), 0);
	json_decref(file);
	assert_int_equal(peers_reload(peers), -REASON_STATE_DAMAGED);
	assert_int_equal(peers_count(peers), 0);
	peers_free(peers);
}

static void a_rotation_keeps_the_old_key_for_a_while(void **state)
{
	struct peers *peers = open_peers(state);
	struct peers_device old = device_of(1), other = device_of(2);
	uint8_t key[32] = {0x66};
	authorise(peers, 1);
	authorise(peers, 2);
	assert_int_equal(peers_rotate(peers, old.key, other.key, NOW), -REASON_CONFLICT);
	assert_int_equal(peers_rotate(peers, peers_at(peers, 0)->key, key, NOW), 0);
	assert_non_null(peers_find(peers, key, NOW));
	assert_non_null(peers_find(peers, old.key, NOW + PINS_ROTATION_MS - 1));
	assert_null(peers_find(peers, old.key, NOW + PINS_ROTATION_MS));
	assert_int_equal(peers_count(peers), 2);
	assert_int_equal(peers_rotate(peers, (const uint8_t[32]){9}, key, NOW),
		-REASON_NOT_FOUND);
	peers_free(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_device_comes_back),
		SCRATCH_TEST(a_removal_is_seen_by_the_agent),
		SCRATCH_TEST(changes_of_two_processes_add_up),
		SCRATCH_TEST(sixteen_are_enough),
		SCRATCH_TEST(names_must_be_unique_to_be_used),
		SCRATCH_TEST(unreadable_opens_nothing),
		SCRATCH_TEST(one_key_has_one_entry),
		SCRATCH_TEST(a_rotation_keeps_the_old_key_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
