#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/pins.h"
#include "scratch.h"

static struct pins_host host_of(const char *license)
{
	struct pins_host host = {.paired_ms = 1800000000000};
	strcpy(host.license, license);
	strcpy(host.host_name, "会社のPC");
	strcpy(host.name, "office");
	memset(host.key, 0x11, sizeof(host.key));
	memset(host.pair_psk, 0x22, sizeof(host.pair_psk));
	return host;
}

static void a_pin_comes_back(void **state)
{
	struct pins_host host = host_of("7K3QX09FA"), back;
	assert_int_equal(pins_read(*state, "7K3QX09FA", &back), -REASON_NOT_FOUND);
	assert_int_equal(pins_write(*state, &host), 0);
	assert_int_equal(scratch_mode(scratch_path(state, "pins/7k3qx09fa.json")), 0600);
	assert_int_equal(pins_read(*state, "7K3QX09FA", &back), 0);
	assert_memory_equal(back.key, host.key, 32);
	assert_memory_equal(back.pair_psk, host.pair_psk, 32);
	assert_string_equal(back.host_name, host.host_name);
	assert_string_equal(back.name, host.name);
	assert_int_equal(back.paired_ms, host.paired_ms);
	assert_int_equal(back.old_until_ms, 0);
	/* Pairing again replaces it. */
	memset(host.key, 0x33, sizeof(host.key));
	assert_int_equal(pins_write(*state, &host), 0);
	assert_int_equal(pins_read(*state, "7K3QX09FA", &back), 0);
	assert_memory_equal(back.key, host.key, 32);
}

static void a_rotation_comes_back(void **state)
{
	struct pins_host host = host_of("7K3QX09FA"), back;
	uint8_t key[32] = {0x44};
	pins_rotate(&host, host.key, 5);
	assert_int_equal(host.old_until_ms, 0);
	pins_rotate(&host, key, 1000);
	assert_int_equal(host.old_until_ms, 1000 + PINS_ROTATION_MS);
	assert_int_equal(pins_write(*state, &host), 0);
	assert_int_equal(pins_read(*state, "7K3QX09FA", &back), 0);
	assert_memory_equal(back.key, key, 32);
	assert_int_equal(back.old_key[0], 0x11);
	assert_int_equal(back.old_until_ms, host.old_until_ms);
}

static void damaged_and_exposed_are_never_overwritten(void **state)
{
	struct pins_host host = host_of("7K3QX09FA"), back;
	char text[2048], after[2048];
	assert_int_equal(pins_write(*state, &host), 0);
	const char *path = scratch_path(state, "pins/7k3qx09fa.json");
	size_t len = scratch_read(path, text, sizeof(text));
	for (size_t cut = 0; cut < len - 1; cut++) {
		scratch_write(path, text, cut);
		assert_int_equal(pins_read(*state, "7K3QX09FA", &back),
			-REASON_STATE_DAMAGED);
		assert_int_equal(pins_write(*state, &host), -REASON_STATE_DAMAGED);
		assert_int_equal(scratch_read(path, after, sizeof(after)), cut);
	}
	scratch_write(path, text, len);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(pins_read(*state, "7K3QX09FA", &back), -REASON_FILE_EXPOSED);
	assert_int_equal(pins_write(*state, &host), -REASON_FILE_EXPOSED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pins_write(*state, &host), 0);
	/* Copied under another license's name. */
	scratch_write(scratch_path(state, "pins/000000000.json"), text, len);
	assert_int_equal(pins_read(*state, "000000000", &back), -REASON_STATE_DAMAGED);
}

static void names_are_checked(void **state)
{
	struct pins_host host = host_of("../../etc"), back;
	assert_int_equal(pins_write(*state, &host), -REASON_LICENSE_KEY_MALFORMED);
	assert_int_equal(pins_read(*state, "../../etc", &back),
		-REASON_LICENSE_KEY_MALFORMED);
	host = host_of("7K3QX09FA");
	strcpy(host.host_name, "line\nbreak");
	assert_int_equal(pins_write(*state, &host), -REASON_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_pin_comes_back),
		SCRATCH_TEST(a_rotation_comes_back),
		SCRATCH_TEST(damaged_and_exposed_are_never_overwritten),
		SCRATCH_TEST(names_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
