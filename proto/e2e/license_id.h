/* license_id: the 16 bytes that stand for a license inside the tunnel:
 * SHA-256("ENGAWA license" || the 9 upper-case characters of the public id)[0..15].
 * What needs no hash is base/license_key.h.
 *
 * Thread: any. Errors: as primitives.h.
 */
#ifndef E2E_LICENSE_ID_H
#define E2E_LICENSE_ID_H

#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"

#define LICENSE_ID_SIZE 16

MUST_CHECK int license_id_hash(const char public_id[static LICENSE_KEY_PUBLIC_SIZE],
	uint8_t ret[static LICENSE_ID_SIZE]);

#endif
