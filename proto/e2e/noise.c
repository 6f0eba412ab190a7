#include "e2e/noise.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/noise_state.h"

/* Everything secret goes; what stays only says that it is over. */
static void wipe(struct noise *noise)
{
	if (noise->keys) {
		noise_symmetric_done(&noise->keys->symmetric);
		noise->keys = secret_free(noise->keys, sizeof(*noise->keys));
	}
}

static int fail(struct noise *noise, int result)
{
	/* Misuse from inside find_psk: the message that asked is still using the keys, and fails
	 * (and wipes) as soon as it goes on. */
	if (!noise->busy)
		wipe(noise);
	noise->dead = true;
	noise->peer_known = false;
	secret_wipe(noise->peer, sizeof(noise->peer));
	secret_wipe(noise->hash, sizeof(noise->hash));
	return result;
}

static bool initiates(const struct noise *noise)
{
	return noise->role == NOISE_INITIATOR;
}

static bool writes_next(const struct noise *noise)
{
	return noise->pattern.one_way || noise->message % 2 == 0 ? initiates(noise)
								 : !initiates(noise);
}

static bool pattern_sends_s(const struct noise_pattern *pattern, size_t sender)
{
	for (size_t i = sender; i < pattern->messages; i += 2)
		for (const uint8_t *token = pattern->tokens[i]; *token; token++)
			if (*token == NOISE_TOKEN_S)
				return true;
	return false;
}

/* Is there a static key of this side, known before or sent on the way? */
static bool pattern_has_s(const struct noise_pattern *pattern, enum noise_role side)
{
	if (side == NOISE_INITIATOR)
		return pattern->initiator_known || pattern_sends_s(pattern, 0);
	return pattern->responder_known || pattern_sends_s(pattern, 1);
}

static int take_keys(struct noise *noise, const struct noise_config *config)
{
	struct noise_keys *keys = noise->keys;
	const struct noise_pattern *pattern = &noise->pattern;
	enum noise_role other = initiates(noise) ? NOISE_RESPONDER : NOISE_INITIATOR;
	bool other_known = other == NOISE_INITIATOR ? pattern->initiator_known
						    : pattern->responder_known;
	if (pattern_has_s(pattern, noise->role) != (config->static_private != NULL) ||
		other_known != (config->remote_static != NULL) ||
		config->psk_count > NOISE_PSK_MAX)
		return -REASON_BAD_VALUE;
	if (config->static_private) {
		memcpy(keys->s.private_key, config->static_private, PRIMITIVES_KEY);
		int result =
			primitives_x25519_public(keys->s.public_key, keys->s.private_key);
		if (result < 0)
			return result;
		keys->s.have = true;
	}
	if (config->remote_static) {
		memcpy(keys->rs, config->remote_static, PRIMITIVES_KEY);
		memcpy(noise->peer, config->remote_static, PRIMITIVES_KEY);
		keys->have_rs = noise->peer_known = true;
	}
	if (config->psk_count)
		memcpy(keys->psks, config->psks, config->psk_count * PRIMITIVES_KEY);
	keys->psk_count = config->psk_count;
	return 0;
}

/* Initialize(): protocol name, prologue, public keys of the pre-messages. */
static int initialize(struct noise *noise, const struct noise_config *config)
{
	struct noise_symmetric *symmetric = &noise->keys->symmetric;
	const uint8_t *own = noise->keys->s.public_key, *remote = noise->keys->rs;
	int result = noise_symmetric_init(symmetric, config->protocol);
	if (result == 0)
		result = noise_symmetric_mix_hash(symmetric, config->prologue,
			config->prologue_len);
	if (result == 0 && noise->pattern.initiator_known)
		result = noise_symmetric_mix_hash(symmetric,
			initiates(noise) ? own : remote, PRIMITIVES_KEY);
	if (result == 0 && noise->pattern.responder_known)
		result = noise_symmetric_mix_hash(symmetric,
			initiates(noise) ? remote : own, PRIMITIVES_KEY);
	return result;
}

int noise_new(struct noise **ret, const struct noise_config *config)
{
	struct noise *noise = calloc(1, sizeof(*noise));
	if (!noise)
		return -REASON_NO_MEMORY;
	noise->role = config->role;
	noise->find_psk = config->find_psk;
	noise->context = config->context;
	noise->rekey_every =
		config->rekey_every ? config->rekey_every : NOISE_CIPHER_REKEY_EVERY;
	int result = noise_pattern_parse(config->protocol, &noise->pattern);
	if (result < 0)
		goto out;
	noise->keys = secret_alloc(sizeof(*noise->keys));
	if (!noise->keys) {
		result = -REASON_NO_MEMORY;
		goto out;
	}
	result = take_keys(noise, config);
	if (result == 0)
		result = initialize(noise, config);
out:
	if (result < 0) {
		noise_free(noise);
		return result;
	}
	*ret = noise;
	return 0;
}

static int mix_dh(struct noise_keys *keys, const struct noise_pair *own,
	const uint8_t *remote, bool have_remote)
{
	uint8_t shared[PRIMITIVES_KEY];
	if (!own->have || !have_remote)
		return -REASON_E2E_FAILED;
	int result = primitives_x25519_dh(shared, own->private_key, remote);
	if (result == 0)
		result = noise_symmetric_mix_key(&keys->symmetric, shared);
	secret_wipe(shared, sizeof(shared));
	return result;
}

static int mix_psk(struct noise *noise)
{
	struct noise_keys *keys = noise->keys;
	uint8_t found[PRIMITIVES_KEY] = {0};
	int result;
	if (keys->psk_next < keys->psk_count)
		return noise_symmetric_mix_key_and_hash(&keys->symmetric,
			keys->psks[keys->psk_next++]);
	if (!noise->find_psk)
		return -REASON_E2E_FAILED;
	noise->busy = true;
	result = noise->find_psk(noise->context, keys->have_rs ? keys->rs : NULL, found);
	noise->busy = false;
	if (result == 0 && noise->dead)
		result = -REASON_E2E_FAILED;
	if (result == 0)
		result = noise_symmetric_mix_key_and_hash(&keys->symmetric, found);
	secret_wipe(found, sizeof(found));
	return result;
}

/* The tokens that are the same for the writer and the reader of a message. */
static int mix_token(struct noise *noise, uint8_t token)
{
	struct noise_keys *keys = noise->keys;
	bool initiator = initiates(noise);
	switch (token) {
	case NOISE_TOKEN_EE:
		return mix_dh(keys, &keys->e, keys->re, keys->have_re);
	case NOISE_TOKEN_SS:
		return mix_dh(keys, &keys->s, keys->rs, keys->have_rs);
	case NOISE_TOKEN_ES:
		return initiator ? mix_dh(keys, &keys->e, keys->rs, keys->have_rs)
				 : mix_dh(keys, &keys->s, keys->re, keys->have_re);
	case NOISE_TOKEN_SE:
		return initiator ? mix_dh(keys, &keys->s, keys->re, keys->have_re)
				 : mix_dh(keys, &keys->e, keys->rs, keys->have_rs);
	default:
		return mix_psk(noise);
	}
}

struct out {
	uint8_t *at;
	size_t left;
};

static int mix_e(struct noise *noise, const uint8_t *public_key)
{
	struct noise_symmetric *symmetric = &noise->keys->symmetric;
	int result = noise_symmetric_mix_hash(symmetric, public_key, PRIMITIVES_KEY);
	/* Section 9.2: with a psk the ephemeral key also goes into the key. */
	if (result == 0 && noise->pattern.psk)
		result = noise_symmetric_mix_key(symmetric, public_key);
	return result;
}

static int write_sealed(struct noise *noise, struct out *out, const uint8_t *plain,
	size_t len)
{
	size_t sealed;
	if (out->left < PRIMITIVES_TAG || len > out->left - PRIMITIVES_TAG)
		return -REASON_E2E_FAILED;
	int result = noise_symmetric_encrypt_and_hash(&noise->keys->symmetric, plain, len,
		out->at, &sealed);
	if (result < 0)
		return result;
	out->at += sealed;
	out->left -= sealed;
	return 0;
}

static int write_token(struct noise *noise, uint8_t token, struct out *out)
{
	struct noise_keys *keys = noise->keys;
	if (token == NOISE_TOKEN_S)
		return write_sealed(noise, out, keys->s.public_key, PRIMITIVES_KEY);
	if (token != NOISE_TOKEN_E)
		return mix_token(noise, token);
	if (out->left < PRIMITIVES_KEY)
		return -REASON_E2E_FAILED;
	if (!keys->e.have) {
		int result = primitives_x25519_generate(keys->e.private_key,
			keys->e.public_key);
		if (result < 0)
			return result;
		keys->e.have = true;
	}
	memcpy(out->at, keys->e.public_key, PRIMITIVES_KEY);
	out->at += PRIMITIVES_KEY;
	out->left -= PRIMITIVES_KEY;
	return mix_e(noise, keys->e.public_key);
}

static int take_bytes(struct noise *noise, const uint8_t **at, size_t *left,
	uint8_t token)
{
	struct noise_keys *keys = noise->keys;
	size_t len = PRIMITIVES_KEY, ignored;
	bool sealed =
		token == NOISE_TOKEN_S && noise_cipher_has_key(keys->symmetric.cipher);
	int result;
	if (sealed)
		len += PRIMITIVES_TAG;
	if (*left < len)
		return -REASON_E2E_FAILED;
	if (token == NOISE_TOKEN_E) {
		memcpy(keys->re, *at, PRIMITIVES_KEY);
		keys->have_re = true;
		result = mix_e(noise, keys->re);
	} else {
		result = noise_symmetric_decrypt_and_hash(&keys->symmetric, *at, len,
			keys->rs, &ignored);
		keys->have_rs = result == 0;
	}
	*at += len;
	*left -= len;
	return result;
}

static int read_token(struct noise *noise, uint8_t token, const uint8_t **at,
	size_t *left)
{
	if (token == NOISE_TOKEN_E || token == NOISE_TOKEN_S)
		return take_bytes(noise, at, left, token);
	return mix_token(noise, token);
}

/* After a message has passed as a whole. */
static void advance(struct noise *noise)
{
	noise->message++;
	if (noise->keys->have_rs && !noise->peer_known) {
		memcpy(noise->peer, noise->keys->rs, sizeof(noise->peer));
		noise->peer_known = true;
	}
	if (noise_complete(noise))
		memcpy(noise->hash, noise->keys->symmetric.h, sizeof(noise->hash));
}

static bool may_move(const struct noise *noise, bool writes)
{
	return !noise->dead && !noise->busy && noise->keys && !noise_complete(noise) &&
	       writes_next(noise) == writes;
}

int noise_write(struct noise *noise, const void *payload, size_t len, uint8_t *ret,
	size_t size, size_t *ret_len)
{
	/* A peer whose key is known but not accepted hears nothing more from us. */
	if (!may_move(noise, true) || (noise->peer_known && !noise->decided))
		return fail(noise, -REASON_E2E_FAILED);
	struct out out = {ret, size < NOISE_MESSAGE_MAX ? size : NOISE_MESSAGE_MAX};
	int result = 0;
	for (const uint8_t *token = noise->pattern.tokens[noise->message];
		*token && result == 0; token++)
		result = write_token(noise, *token, &out);
	if (result == 0)
		result = write_sealed(noise, &out, payload, len);
	if (result < 0)
		return fail(noise, result);
	advance(noise);
	*ret_len = (size_t)(out.at - ret);
	return 0;
}

static int read_payload(struct noise *noise, const uint8_t *at, size_t left, uint8_t *ret,
	size_t size, size_t *ret_len)
{
	struct noise_symmetric *symmetric = &noise->keys->symmetric;
	size_t tag = noise_cipher_has_key(symmetric->cipher) ? PRIMITIVES_TAG : 0;
	if (left < tag || left - tag > size)
		return -REASON_E2E_FAILED;
	return noise_symmetric_decrypt_and_hash(symmetric, at, left, ret, ret_len);
}

int noise_read(struct noise *noise, const void *message, size_t len, uint8_t *ret,
	size_t size, size_t *ret_len)
{
	if (!may_move(noise, false) || len > NOISE_MESSAGE_MAX)
		return fail(noise, -REASON_E2E_FAILED);
	const uint8_t *at = message;
	size_t left = len;
	int result = 0;
	for (const uint8_t *token = noise->pattern.tokens[noise->message];
		*token && result == 0; token++)
		result = read_token(noise, *token, &at, &left);
	if (result == 0)
		result = read_payload(noise, at, left, ret, size, ret_len);
	if (result < 0)
		return fail(noise, result);
	advance(noise);
	return 0;
}

const uint8_t *noise_peer(const struct noise *noise)
{
	return noise->peer_known && !noise->busy ? noise->peer : NULL;
}

int noise_decide(struct noise *noise, enum noise_decision decision)
{
	enum noise_role other = initiates(noise) ? NOISE_RESPONDER : NOISE_INITIATOR;
	bool legal = !noise->dead && !noise->busy && !noise->decided && !noise->finished;
	if (decision == NOISE_ALLOW_ANONYMOUS)
		legal = legal && noise_complete(noise) &&
			!pattern_has_s(&noise->pattern, other);
	else
		legal = legal && noise->peer_known;
	if (!legal)
		return fail(noise, -REASON_E2E_FAILED);
	if (decision == NOISE_DENY) {
		fail(noise, 0);
		return 0;
	}
	noise->decided = true;
	return 0;
}

bool noise_complete(const struct noise *noise)
{
	return !noise->dead && noise->message == noise->pattern.messages;
}

const uint8_t *noise_hash(const struct noise *noise)
{
	return noise_complete(noise) ? noise->hash : NULL;
}

/* A one-way pattern has one direction; the other key must never be used (section 7.4). */
static void drop_unused(const struct noise *noise, struct noise_cipher **second)
{
	if (noise->pattern.one_way)
		*second = noise_cipher_free(*second);
}

int noise_finish(struct noise *noise, struct noise_cipher **ret_send,
	struct noise_cipher **ret_receive)
{
	struct noise_cipher *first = NULL, *second = NULL;
	if (!noise_complete(noise) || noise->busy || !noise->decided || noise->finished)
		return fail(noise, -REASON_E2E_FAILED);
	int result = noise_symmetric_split(&noise->keys->symmetric, noise->rekey_every,
		&first, &second);
	if (result < 0)
		return fail(noise, result);
	drop_unused(noise, &second);
	wipe(noise);
	noise->finished = true;
	*ret_send = initiates(noise) ? first : second;
	*ret_receive = initiates(noise) ? second : first;
	return 0;
}

struct noise *noise_free(struct noise *noise)
{
	if (noise) {
		wipe(noise);
		secret_wipe(noise, sizeof(*noise));
	}
	free(noise);
	return NULL;
}
