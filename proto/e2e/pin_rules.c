#include "e2e/pin_rules.h"

#include "base/reason.h"
#include "base/secret.h"

/* Purpose and kind go together, or somebody is trying something. Kind 0 belongs to no purpose. */
static int check_kind(enum prologue_purpose purpose, enum prologue_psk kind)
{
	if (purpose == PROLOGUE_PAIRING && kind == PROLOGUE_PSK_TICKET)
		return 0;
	if (purpose == PROLOGUE_SESSION && kind == PROLOGUE_PSK_PAIR)
		return 0;
	return -REASON_E2E_FAILED;
}

int pin_rules_viewer_accepts_host(enum prologue_purpose purpose, enum prologue_psk kind,
	const struct pins_host *pin, const uint8_t host_key[static PRIMITIVES_KEY],
	int64_t now_ms)
{
	int result = check_kind(purpose, kind);
	if (result < 0 || purpose == PROLOGUE_PAIRING)
		return result;
	if (!pin)
		return -REASON_NOT_PAIRED;
	if (secret_equal(pin->key, host_key, PRIMITIVES_KEY))
		return 0;
	if (now_ms < pin->old_until_ms &&
		secret_equal(pin->old_key, host_key, PRIMITIVES_KEY))
		return 0;
	return -REASON_HOST_KEY_CHANGED;
}

int pin_rules_host_accepts_viewer(enum prologue_purpose purpose, enum prologue_psk kind,
	const struct peers_device *device,
	const uint8_t viewer_key[static PRIMITIVES_KEY], int64_t now_ms)
{
	int result = check_kind(purpose, kind);
	if (result < 0 || purpose == PROLOGUE_PAIRING)
		return result;
	if (!device)
		return -REASON_DEVICE_UNKNOWN;
	bool old = now_ms < device->old_until_ms &&
		   secret_equal(device->old_key, viewer_key, PRIMITIVES_KEY);
	if (!old && !secret_equal(device->key, viewer_key, PRIMITIVES_KEY))
		return -REASON_DEVICE_UNKNOWN;
	return device->revoked_ms ? -REASON_DEVICE_REVOKED : 0;
}

uint16_t pin_rules_granted(uint16_t wanted, uint16_t device, uint16_t veto,
	uint16_t policy)
{
	return wanted & device & veto & policy & INNER_RIGHTS_ALL;
}
