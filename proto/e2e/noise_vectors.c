#include "e2e/noise_vectors.h"

#include <string.h>

#include "e2e/noise_state.h"

int noise_vectors_new(struct noise **ret, const struct noise_config *config,
	const uint8_t ephemeral_private[static PRIMITIVES_KEY])
{
	struct noise *noise;
	int result = noise_new(&noise, config);
	if (result < 0)
		return result;
	struct noise_pair *e = &noise->keys->e;
	memcpy(e->private_key, ephemeral_private, sizeof(e->private_key));
	result = primitives_x25519_public(e->public_key, e->private_key);
	if (result < 0) {
		noise_free(noise);
		return result;
	}
	e->have = true;
	*ret = noise;
	return 0;
}
