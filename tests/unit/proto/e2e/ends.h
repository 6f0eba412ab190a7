/* ends: a viewer and a host with keys of their own, for tests of the handshake and of what comes
 * after it. */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include <string.h>

#include "cmocka_all.h"
#include "e2e/noise.h"
#include "e2e/prologue.h"

struct ends {
	uint8_t viewer_key[32], viewer_public[32], host_key[32], host_public[32], psk[32];
	uint8_t viewer_prologue[PROLOGUE_SIZE], host_prologue[PROLOGUE_SIZE];
	struct noise *viewer, *host;
	/* What the host was asked for, and what it answers. */
	int psk_asked, psk_result;
	uint8_t psk_peer[32];
	uint64_t rekey_every;
};

static inline int ends_find_psk(void *context, const uint8_t *peer,
	uint8_t ret_psk[static 32])
{
	struct ends *ends = context;
	ends->psk_asked++;
	memcpy(ends->psk_peer, peer, 32);
	memcpy(ret_psk, ends->psk, 32);
	return ends->psk_result;
}

static inline void ends_keys(struct ends *ends)
{
	struct prologue prologue = {
		PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, 1, 1, 1, 1, {1}, {2}, 0};
	memset(ends, 0, sizeof(*ends));
	assert_int_equal(primitives_x25519_generate(ends->viewer_key,
				 ends->viewer_public),
		0);
	assert_int_equal(primitives_x25519_generate(ends->host_key, ends->host_public),
		0);
	memset(ends->psk, 7, sizeof(ends->psk));
	assert_int_equal(prologue_build(&prologue, ends->viewer_prologue), 0);
	assert_int_equal(prologue_build(&prologue, ends->host_prologue), 0);
}

static inline void ends_start(struct ends *ends)
{
	struct noise_config config = {
		.protocol = NOISE_ENGAWA,
		.role = NOISE_INITIATOR,
		.prologue = ends->viewer_prologue,
		.prologue_len = PROLOGUE_SIZE,
		.static_private = ends->viewer_key,
		.psks = ends->psk,
		.psk_count = 1,
		.rekey_every = ends->rekey_every,
	};
	assert_int_equal(noise_new(&ends->viewer, &config), 0);
	config.role = NOISE_RESPONDER;
	config.prologue = ends->host_prologue;
	config.static_private = ends->host_key;
	config.psks = NULL;
	config.psk_count = 0;
	config.find_psk = ends_find_psk;
	config.context = ends;
	assert_int_equal(noise_new(&ends->host, &config), 0);
}

static inline void ends_stop(struct ends *ends)
{
	ends->viewer = noise_free(ends->viewer);
	ends->host = noise_free(ends->host);
}

/* One message across, with a bit flipped on the way unless `bit` is negative. 0 or what the reader
 * said; `*ret_len` is its length on the wire. */
static inline int ends_message(struct noise *from, struct noise *to, const char *payload,
	long bit, size_t *ret_len)
{
	uint8_t wire[NOISE_MESSAGE_MAX], plain[NOISE_MESSAGE_MAX];
	size_t len, plain_len;
	assert_int_equal(noise_write(from, payload, strlen(payload), wire, sizeof(wire),
				 &len),
		0);
	if (ret_len)
		*ret_len = len;
	if (bit >= 0)
		wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
	int result = noise_read(to, wire, len, plain, sizeof(plain), &plain_len);
	if (result == 0) {
		assert_int_equal(plain_len, strlen(payload));
		assert_memory_equal(plain, payload, plain_len);
	}
	return result;
}

/* The whole handshake, as it should be. */
static inline void ends_handshake(struct ends *ends)
{
	ends_start(ends);
	assert_int_equal(ends_message(ends->viewer, ends->host, "", -1, NULL), 0);
	assert_int_equal(ends_message(ends->host, ends->viewer, "p2", -1, NULL), 0);
	assert_int_equal(noise_decide(ends->viewer, NOISE_ALLOW), 0);
	assert_int_equal(ends_message(ends->viewer, ends->host, "p3", -1, NULL), 0);
	assert_int_equal(noise_decide(ends->host, NOISE_ALLOW), 0);
}

#endif
