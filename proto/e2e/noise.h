/* noise: the handshake, HandshakeState of Noise revision 34 section 5.3.
 *
 *   initiator (viewer)                responder (host)
 *   noise_new                         noise_new
 *   noise_write  -> e                 noise_read
 *   noise_read   <- e, ee, s, es      noise_write
 *     noise_peer, noise_decide
 *   noise_write  -> s, se, psk        noise_read: find_psk is asked between s and psk
 *                                       noise_peer, noise_decide
 *   noise_finish                      noise_finish
 *
 * Who the peer is cannot be forgotten: once the peer's static key is known nothing more is written
 * and noise_finish() gives no keys until noise_decide(NOISE_ALLOW) was called after that moment. It
 * is known when the message that carried it has been verified as a whole, not earlier.
 *
 * Thread: that of the owner. Own ephemeral keys come from the kernel and serve once.
 * Errors: -REASON_E2E_FAILED, what find_psk returned, -REASON_NO_RANDOM, -REASON_NO_MEMORY. Any
 * error, misuse included, wipes all keys; every later call fails with -REASON_E2E_FAILED.
 */
#ifndef E2E_NOISE_H
#define E2E_NOISE_H

#include "e2e/noise_cipher.h"

#define NOISE_ENGAWA "Noise_XXpsk3_25519_AESGCM_SHA256"
#define NOISE_MESSAGE_MAX 4096
#define NOISE_PSK_MAX 4

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

enum noise_decision {
	NOISE_DENY, /* ends the handshake and wipes it */
	NOISE_ALLOW,
	/* For patterns in which the peer has no static key (NN, N, …): legal only then, so that it
	 * can never stand for a forgotten check. Engawa's own pattern never takes it. */
	NOISE_ALLOW_ANONYMOUS,
};

/* Asked while a message is being read (or written), when the token psk is due; `peer` is the peer's
 * static key, not yet verified, or NULL when it has none. Anything but 0 ends the handshake with
 * that reason. It may not call back into the handshake. */
typedef int (*noise_psk_fn)(void *context, const uint8_t *peer,
	uint8_t ret_psk[static PRIMITIVES_KEY]);

struct noise_config {
	const char *protocol; /* NOISE_ENGAWA */
	enum noise_role role;
	const void *prologue;
	size_t prologue_len;
	const uint8_t *static_private; /* NULL when the pattern has none for us */
	const uint8_t *
		remote_static; /* only for patterns with it in a pre-message, else NULL */
	const uint8_t
		*psks; /* psk_count * 32 bytes in order of the psk tokens, or NULL */
	size_t psk_count;
	noise_psk_fn find_psk; /* asked for what `psks` does not give */
	void *context;
	uint64_t
		rekey_every; /* 0: NOISE_CIPHER_REKEY_EVERY; other values are for tests */
};

struct noise;

/* Copies what it needs of `config`. -REASON_BAD_VALUE when keys and pattern do not match. */
MUST_CHECK int noise_new(struct noise **ret, const struct noise_config *config);
/* WriteMessage. At most `size` and NOISE_MESSAGE_MAX bytes. */
MUST_CHECK int noise_write(struct noise *noise, const void *payload, size_t len,
	uint8_t *ret, size_t size, size_t *ret_len);
/* ReadMessage. The payload is given only when the whole message has been verified; `ret` does not
 * overlap `message`. */
MUST_CHECK int noise_read(struct noise *noise, const void *message, size_t len,
	uint8_t *ret, size_t size, size_t *ret_len);
/* The peer's verified static key; NULL as long as there is none. */
const uint8_t *noise_peer(const struct noise *noise);
/* Once, and only while noise_peer() is not NULL (NOISE_ALLOW_ANONYMOUS: after the last message, of
 * a pattern without one); anything else is misuse and ends the handshake. */
MUST_CHECK int noise_decide(struct noise *noise, enum noise_decision decision);
/* All messages of the pattern have passed. */
bool noise_complete(const struct noise *noise);
/* The handshake hash h, for channel binding; NULL before noise_complete() and after an error. */
const uint8_t *noise_hash(const struct noise *noise);
/* Split: gives both directions, once, to the caller; in a one-way pattern the direction that does
 * not exist is NULL. The handshake's own keys are wiped; noise_hash() stays. */
MUST_CHECK int noise_finish(struct noise *noise, struct noise_cipher **ret_send,
	struct noise_cipher **ret_receive);
/* Wipes. Accepts NULL, returns NULL. */
struct noise *noise_free(struct noise *noise);

#endif
