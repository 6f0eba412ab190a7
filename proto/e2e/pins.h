/* pins: what the viewer knows of the office PCs it is paired with, one file DIR/pins/<license>.json
 * each (<license> is the lower-case public id), mode 0600.
 *
 * A pin is one exact key, never an authority. What to do with it is e2e/pin_rules.h.
 * Thread: any; the file is the state. May wait for the disk.
 * Errors: -REASON_NOT_FOUND, and those of e2e/private_file.h; exposed or damaged files are refused
 * and never overwritten: they are evidence.
 */
#ifndef E2E_PINS_H
#define E2E_PINS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "e2e/inner.h"
#include "e2e/primitives.h"

/* An announced new key (NEW_KEY) and the old one are both valid so long. */
#define PINS_ROTATION_MS (30 * 24 * 3600 * INT64_C(1000))

struct pins_host {
	char license[LICENSE_KEY_PUBLIC_SIZE]; /* public id, upper case */
	uint8_t key[PRIMITIVES_KEY];           /* the host's static key */
	uint8_t pair_psk[PRIMITIVES_KEY];
	uint8_t old_key[PRIMITIVES_KEY]; /* accepted until old_until_ms, 0: none */
	int64_t old_until_ms;
	char host_name[INNER_NAME_SIZE]; /* as the host calls itself */
	char name[INNER_NAME_SIZE];      /* as the user calls it */
	int64_t paired_ms;
};

MUST_CHECK int pins_read(const char *dir,
	const char license[static LICENSE_KEY_PUBLIC_SIZE], struct pins_host *ret);
/* Pairing again replaces the pin; the file of a damaged one has to be removed first. */
MUST_CHECK int pins_write(const char *dir, const struct pins_host *host);
/* The host announced `key` in an authenticated session: it becomes the pin, the one before stays
 * valid for 30 days. Changes the struct only. */
void pins_rotate(struct pins_host *host, const uint8_t key[static PRIMITIVES_KEY],
	int64_t now_ms);

#endif
