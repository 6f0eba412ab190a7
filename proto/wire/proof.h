/* proof: the exact bytes that a device signs: the proof of an end to a node (PROVE), and the receipt
 * with which it confirms a session that has ended. No hash, no key, no signature in here: ends sign
 * with e2e/identity.h, the gateway verifies with its own means.
 *
 *   proof     "ENGAWA-1 prove\0" | nonce 32 | side 1 | license public id 9 | u16 length | node name
 *             | TLS exporter 32 (zeros for a browser)
 *   receipt   "ENGAWA-1 receipt\0" | session id 16 | u64 fence | side 1 | u64 bytes sent
 *             | u64 bytes received | u16 reason
 *
 * Integers are big-endian. The first words keep a signature for one use from serving another.
 * Thread: any. Errors: -REASON_BAD_VALUE; on error the result is untouched.
 */
#ifndef WIRE_PROOF_H
#define WIRE_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"

#define PROOF_NONCE 32
#define PROOF_EXPORTER 32
#define PROOF_NODE_MAX 255
#define PROOF_BYTES_MAX (15 + PROOF_NONCE + 1 + 9 + 2 + PROOF_NODE_MAX + PROOF_EXPORTER)
#define PROOF_SESSION 16
#define PROOF_RECEIPT_BYTES (17 + PROOF_SESSION + 8 + 1 + 8 + 8 + 2)

enum proof_side { PROOF_HOST = 0, PROOF_VIEWER = 1 };

struct proof {
	const uint8_t *nonce; /* PROOF_NONCE bytes, from CHALLENGE */
	enum proof_side side;
	const char *license;     /* public id: 9 upper-case characters */
	const char *node;        /* name of the node that asked, 1..255 bytes */
	const uint8_t *exporter; /* PROOF_EXPORTER bytes; NULL for a browser: zeros */
};

struct proof_receipt {
	uint8_t session[PROOF_SESSION];
	uint64_t fence;
	enum proof_side side; /* whose receipt it is */
	uint64_t bytes_sent,
		bytes_received; /* DATA payload bytes, by this side's own count */
	uint16_t reason;
};

MUST_CHECK int proof_bytes(const struct proof *proof, uint8_t ret[static PROOF_BYTES_MAX],
	size_t *ret_len);
void proof_receipt_bytes(const struct proof_receipt *receipt,
	uint8_t ret[static PROOF_RECEIPT_BYTES]);

#endif
