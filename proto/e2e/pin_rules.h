/* pin_rules: whom to accept (SECURITY section 3, "Pin and authorisation rules"). Pure decisions: no
 * file, no clock, no key is made here. Called after noise_peer() is known; 0 means
 * noise_decide(NOISE_ALLOW), anything else noise_decide(NOISE_DENY) and that reason to the user.
 *
 * Organisation certificates are not in this version: psk kind 0 is refused on both sides, always.
 * Thread: any.
 */
#ifndef E2E_PIN_RULES_H
#define E2E_PIN_RULES_H

#include <stdint.h>

#include "base/check.h"
#include "e2e/peers.h"
#include "e2e/pins.h"
#include "e2e/prologue.h"

/* Viewer. Pairing: any host, its key is proved by the ticket in message 3. Session: exactly the pin.
 * `pin` is NULL when there is none.
 * -REASON_HOST_KEY_CHANGED, -REASON_NOT_PAIRED, -REASON_E2E_FAILED (purpose and psk kind do not
 * belong together). */
MUST_CHECK int pin_rules_viewer_accepts_host(enum prologue_purpose purpose,
	enum prologue_psk kind, const struct pins_host *pin,
	const uint8_t host_key[static PRIMITIVES_KEY], int64_t now_ms);
/* Host. Pairing: any viewer that knows the ticket. Session: an authorised device, not revoked.
 * `device` is peers_find(key), NULL when it found none.
 * -REASON_DEVICE_UNKNOWN, -REASON_DEVICE_REVOKED, -REASON_E2E_FAILED. */
MUST_CHECK int pin_rules_host_accepts_viewer(enum prologue_purpose purpose,
	enum prologue_psk kind, const struct peers_device *device,
	const uint8_t viewer_key[static PRIMITIVES_KEY], int64_t now_ms);
/* wanted AND what the device may AND the host's own file AND the relay's policy: every one of them
 * can only clear bits. */
uint16_t pin_rules_granted(uint16_t wanted, uint16_t device, uint16_t veto,
	uint16_t policy);

#endif
