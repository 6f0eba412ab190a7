/* prologue: the 64 bytes that both ends put under the handshake, each from what it sent and received
 * itself: if a relay told them different things, no key comes out (SECURITY section 3).
 *
 *   off len                            off len
 *    0   8  "ENGAWA-1"                  16  16  license_id
 *    8   1  suite 1                     32  16  session_id
 *    9   1  purpose                     48   4  ticket_id or 0, big-endian
 *   10   1  psk kind                    52  12  zero
 *   11   1  zero
 *   12   4  viewer min, viewer max, host min, host max: application versions
 *
 * Thread: any; values.
 */
#ifndef E2E_PROLOGUE_H
#define E2E_PROLOGUE_H

#include <stdint.h>

#include "base/check.h"

#define PROLOGUE_SIZE 64
#define PROLOGUE_ID 16 /* bytes of license_id and session_id */

/* The application versions that this program speaks. */
#define PROLOGUE_VERSION_MIN 1
#define PROLOGUE_VERSION_MAX 1

enum prologue_purpose { PROLOGUE_SESSION = 1, PROLOGUE_PAIRING = 2 };

enum prologue_psk {
	PROLOGUE_PSK_NONE =
		0, /* organisation certificates; not in this version, always refused */
	PROLOGUE_PSK_TICKET = 1,
	PROLOGUE_PSK_PAIR = 2,
};

struct prologue {
	enum prologue_purpose purpose;
	enum prologue_psk psk;
	uint8_t viewer_min, viewer_max, host_min, host_max;
	uint8_t license_id[PROLOGUE_ID]; /* license_id_hash() */
	uint8_t session_id[PROLOGUE_ID];
	uint32_t ticket_id; /* 0 outside pairing */
};

/* -REASON_E2E_FAILED for what no honest end sends: a session without pair_psk, a pairing without a
 * ticket, a ticket outside pairing, a version range upside down. `ret` is untouched then. */
MUST_CHECK int prologue_build(const struct prologue *prologue,
	uint8_t ret[static PROLOGUE_SIZE]);
/* The highest application version that both speak. -REASON_VERSION when there is none. */
MUST_CHECK int prologue_version(const struct prologue *prologue, uint8_t *ret);

#endif
