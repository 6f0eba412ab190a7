/* noise_vectors: a handshake with a given ephemeral key, for public test vectors and fuzzers.
 *
 * An ephemeral key that is known, or used twice, gives away the session. Nothing outside tests/ may
 * include this header; a test reads the sources for that, and a program that does not call it does
 * not even contain it, as it is an object file of its own. Thread, owner, errors: as noise.h.
 */
#ifndef E2E_NOISE_VECTORS_H
#define E2E_NOISE_VECTORS_H

#include "e2e/noise.h"

/* As noise_new(), but the next `e` is made from this private key. */
MUST_CHECK int noise_vectors_new(struct noise **ret, const struct noise_config *config,
	const uint8_t ephemeral_private[static PRIMITIVES_KEY]);

#endif
