/* Every combination of purpose, psk kind and what is known of the other side. */
#include <string.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/pin_rules.h"

#define NOW INT64_C(1000000)

static const uint8_t right[32] = {1}, wrong[32] = {2}, old[32] = {3};

static int viewer(int purpose, int kind, const struct pins_host *pin, const uint8_t *key)
{
	return pin_rules_viewer_accepts_host((enum prologue_purpose)purpose,
		(enum prologue_psk)kind, pin, key, NOW);
}

static int host(int purpose, int kind, const struct peers_device *device,
	const uint8_t *key)
{
	return pin_rules_host_accepts_viewer((enum prologue_purpose)purpose,
		(enum prologue_psk)kind, device, key, NOW);
}

static void purpose_and_kind_belong_together(void **state)
{
	(void)state;
	struct pins_host pin = {.old_until_ms = 0};
	struct peers_device device = {.revoked_ms = 0};
	memcpy(pin.key, right, 32);
	memcpy(device.key, right, 32);
	for (int purpose = 0; purpose < 4; purpose++) {
		for (int kind = 0; kind < 4; kind++) {
			bool legal = (purpose == PROLOGUE_SESSION &&
					     kind == PROLOGUE_PSK_PAIR) ||
				     (purpose == PROLOGUE_PAIRING &&
					     kind == PROLOGUE_PSK_TICKET);
			int expected = legal ? 0 : -REASON_E2E_FAILED;
			assert_int_equal(viewer(purpose, kind, &pin, right), expected);
			assert_int_equal(host(purpose, kind, &device, right), expected);
		}
	}
}

static void a_viewer_takes_its_pin_only(void **state)
{
	(void)state;
	struct pins_host pin = {.old_until_ms = NOW + 1};
	memcpy(pin.key, right, 32);
	memcpy(pin.old_key, old, 32);
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, NULL, right),
		-REASON_NOT_PAIRED);
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, right), 0);
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, wrong),
		-REASON_HOST_KEY_CHANGED);
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, old), 0);
	pin.old_until_ms = NOW;
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, old),
		-REASON_HOST_KEY_CHANGED);
	for (int bit = 0; bit < 256; bit++) {
		uint8_t near[32];
		memcpy(near, right, 32);
		near[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, near),
			-REASON_HOST_KEY_CHANGED);
	}
	/* At the first meeting there is nothing to compare with; the ticket proves the key. */
	assert_int_equal(viewer(PROLOGUE_PAIRING, PROLOGUE_PSK_TICKET, NULL, wrong), 0);
	assert_int_equal(viewer(PROLOGUE_PAIRING, PROLOGUE_PSK_TICKET, &pin, wrong), 0);
}

/* No rotation has happened: a key of all zeros is nobody's old key. */
static void an_empty_old_key_matches_nothing(void **state)
{
	(void)state;
	static const uint8_t zeros[32];
	struct pins_host pin = {.old_until_ms = 0};
	struct peers_device device = {.old_until_ms = 0};
	memcpy(pin.key, right, 32);
	memcpy(device.key, right, 32);
	assert_int_equal(viewer(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &pin, zeros),
		-REASON_HOST_KEY_CHANGED);
	assert_int_equal(host(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &device, zeros),
		-REASON_DEVICE_UNKNOWN);
}

static void a_host_takes_authorised_devices_only(void **state)
{
	(void)state;
	struct peers_device device = {.revoked_ms = 0};
	memcpy(device.key, right, 32);
	assert_int_equal(host(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, NULL, right),
		-REASON_DEVICE_UNKNOWN);
	assert_int_equal(host(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &device, right), 0);
	assert_int_equal(host(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &device, wrong),
		-REASON_DEVICE_UNKNOWN);
	device.revoked_ms = 5;
	assert_int_equal(host(PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, &device, right),
		-REASON_DEVICE_REVOKED);
	/* A ticket is a new start, for a revoked device too. */
	assert_int_equal(host(PROLOGUE_PAIRING, PROLOGUE_PSK_TICKET, &device, right), 0);
	assert_int_equal(host(PROLOGUE_PAIRING, PROLOGUE_PSK_TICKET, NULL, right), 0);
}

static void nobody_can_widen_rights(void **state)
{
	(void)state;
	assert_int_equal(pin_rules_granted(0xffff, 0xffff, 0xffff, 0xffff),
		INNER_RIGHTS_ALL);
	for (unsigned from = 0; from < 16; from++) {
		uint16_t granted = pin_rules_granted(from & 1 ? INNER_RIGHT_CONTROL : 0,
			from & 2 ? INNER_RIGHT_CONTROL : 0,
			from & 4 ? INNER_RIGHT_CONTROL : 0,
			from & 8 ? INNER_RIGHT_CONTROL : 0);
		assert_int_equal(granted, from == 15 ? INNER_RIGHT_CONTROL : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(purpose_and_kind_belong_together),
		cmocka_unit_test(a_viewer_takes_its_pin_only),
		cmocka_unit_test(an_empty_old_key_matches_nothing),
		cmocka_unit_test(a_host_takes_authorised_devices_only),
		cmocka_unit_test(nobody_can_widen_rights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
