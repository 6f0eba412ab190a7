/* noise_state: the inside of a handshake, shared by noise.c and noise_vectors.c only.
 *
 * Thread and owner: as noise.h.
 */
#ifndef E2E_NOISE_STATE_H
#define E2E_NOISE_STATE_H

#include "e2e/noise.h"
#include "e2e/noise_pattern.h"
#include "e2e/noise_symmetric.h"

struct noise_pair {
	uint8_t private_key[PRIMITIVES_KEY], public_key[PRIMITIVES_KEY];
	bool have;
};

/* What must never outlive an error is together, so that one wipe takes all of it. */
struct noise_keys {
	struct noise_symmetric symmetric;
	struct noise_pair s, e;
	uint8_t rs[PRIMITIVES_KEY], re[PRIMITIVES_KEY];
	bool have_rs, have_re;
	uint8_t psks[NOISE_PSK_MAX][PRIMITIVES_KEY];
	size_t psk_count, psk_next;
};

struct noise {
	struct noise_pattern pattern;
	enum noise_role role;
	size_t message; /* index of the next one */
	struct noise_keys *keys;
	noise_psk_fn find_psk;
	void *context;
	uint64_t rekey_every;
	bool busy; /* inside find_psk */
	bool dead;
	bool peer_known, decided;
	bool finished;
	uint8_t peer[PRIMITIVES_KEY], hash[PRIMITIVES_HASH];
};

#endif
