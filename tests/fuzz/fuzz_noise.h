/* fuzz_noise: two ends with fixed keys, so that an input always does the same. */
#ifndef FUZZ_NOISE_H
#define FUZZ_NOISE_H

#include <stdlib.h>
#include <string.h>

#include "e2e/inner_payload.h"
#include "e2e/noise_vectors.h"

static int fuzz_noise_psk(void *context, const uint8_t *peer,
	uint8_t ret_psk[static PRIMITIVES_KEY])
{
	(void)context;
	if (!peer)
		abort();
	memset(ret_psk, 9, PRIMITIVES_KEY);
	return 0;
}

static struct noise *fuzz_noise_end(enum noise_role role)
{
	static const uint8_t statics[2][PRIMITIVES_KEY] = {{1}, {2}},
			     ephemerals[2][PRIMITIVES_KEY] = {{3}, {4}};
	struct noise_config config = {
		.protocol = NOISE_ENGAWA,
		.role = role,
		.prologue = "prologue",
		.prologue_len = 8,
		.static_private = statics[role],
		.find_psk = fuzz_noise_psk,
	};
	struct noise *noise;
	if (noise_vectors_new(&noise, &config, ephemerals[role]) < 0)
		abort();
	return noise;
}

static size_t fuzz_noise_write(struct noise *noise, const void *payload, size_t len,
	uint8_t ret[static NOISE_MESSAGE_MAX])
{
	size_t ret_len;
	if (noise_write(noise, payload, len, ret, NOISE_MESSAGE_MAX, &ret_len) < 0)
		abort();
	return ret_len;
}

/* Lays the input over a right message; whether anything changed. */
static bool fuzz_noise_disturb(uint8_t *message, size_t *len, const uint8_t *data,
	size_t size)
{
	bool changed = false;
	for (size_t i = 0; i < size && i < *len; i++) {
		message[i] ^= data[i];
		changed = changed || data[i];
	}
	if (size > *len && size <= NOISE_MESSAGE_MAX) {
		memcpy(message + *len, data + *len, size - *len);
		*len = size;
		changed = true;
	}
	return changed;
}

static void fuzz_noise_dead(struct noise *noise)
{
	struct noise_cipher *send, *receive;
	if (noise_peer(noise) || noise_complete(noise) ||
		noise_finish(noise, &send, &receive) == 0)
		abort();
}

#endif
