/* S1: the public test vectors of Noise revision 34, all of them that there are for 25519, AESGCM and
 * SHA256, run by the code that carries our sessions.
 *
 * tests/vectors/noise-vectors.json has 73. 72 run here. The remaining one, XXfallback, is not
 * runnable by design: it needs the fallback modifier (Noise section 10.2, the second half of a Noise
 * Pipe), in which a responder starts over as initiator with an ephemeral key that was already used in
 * a failed handshake. Engawa has no second path, so there is nothing that could do this; the test
 * makes sure that the pattern is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/reason.h"
#include "base/text.h"
#include "e2e/noise_vectors.h"

#define ALL 73
#define RUNNABLE 72

struct side {
	struct noise_config config;
	uint8_t prologue[64], s[32], rs[32], e[32], psks[4 * 32];
	bool have_e;
	struct noise *noise;
	struct noise_cipher *send, *receive;
};

static size_t unhex(uint8_t *ret, size_t size, const char *hex)
{
	size_t len = strlen(hex) / 2;
	assert_true(len <= size);
	assert_int_equal(text_unhex(ret, len, hex), 0);
	return len;
}

static const char *text_of(const json_t *vector, const char *side, const char *member)
{
	char name[64];
	snprintf(name, sizeof(name), "%s_%s", side, member);
	return json_string_value(json_object_get(vector, name));
}

static const uint8_t *key_of(uint8_t *ret, const char *hex)
{
	if (!hex)
		return NULL;
	assert_int_equal(unhex(ret, 32, hex), 32);
	return ret;
}

static void start(struct side *side, const json_t *vector, const char *name,
	enum noise_role role)
{
	char member[32];
	memset(side, 0, sizeof(*side));
	side->config.protocol =
		json_string_value(json_object_get(vector, "protocol_name"));
	side->config.role = role;
	side->config.prologue = side->prologue;
	side->config.prologue_len = unhex(side->prologue, sizeof(side->prologue),
		text_of(vector, name, "prologue"));
	side->config.static_private = key_of(side->s, text_of(vector, name, "static"));
	side->config.remote_static =
		key_of(side->rs, text_of(vector, name, "remote_static"));
	snprintf(member, sizeof(member), "%s_psks", name);
	json_t *psks = json_object_get(vector, member), *psk;
	json_array_foreach(psks, side->config.psk_count, psk)
		key_of(side->psks + side->config.psk_count * 32, json_string_value(psk));
	side->config.psks = side->psks;
	side->have_e = key_of(side->e, text_of(vector, name, "ephemeral")) != NULL;
	int result = side->have_e
			     ? noise_vectors_new(&side->noise, &side->config, side->e)
			     : noise_new(&side->noise, &side->config);
	assert_int_equal(result, 0);
}

static void decide(struct side *side, bool *decided)
{
	if (!*decided && noise_peer(side->noise)) {
		assert_int_equal(noise_decide(side->noise, NOISE_ALLOW), 0);
		*decided = true;
	} else if (!*decided && noise_complete(side->noise)) {
		assert_int_equal(noise_decide(side->noise, NOISE_ALLOW_ANONYMOUS), 0);
		*decided = true;
	}
}

static void finish(struct side sides[2], const char *hash)
{
	uint8_t expected[32];
	if (hash)
		key_of(expected, hash);
	for (int i = 0; i < 2; i++) {
		assert_true(noise_complete(sides[i].noise));
		if (hash)
			assert_memory_equal(noise_hash(sides[i].noise), expected, 32);
		assert_int_equal(noise_finish(sides[i].noise, &sides[i].send,
					 &sides[i].receive),
			0);
	}
	assert_memory_equal(noise_hash(sides[0].noise), noise_hash(sides[1].noise), 32);
}

static void one_message(struct side *from, struct side *to, const uint8_t *plain,
	size_t plain_len, const uint8_t *wire, size_t wire_len, bool transport)
{
	uint8_t sealed[512], opened[512];
	size_t sealed_len = plain_len + 16, opened_len = wire_len - 16;
	if (transport) {
		assert_int_equal(noise_cipher_encrypt_with_ad(from->send, NULL, 0, plain,
					 plain_len, sealed),
			0);
		assert_int_equal(noise_cipher_decrypt_with_ad(to->receive, NULL, 0, wire,
					 wire_len, opened),
			0);
	} else {
		assert_int_equal(noise_write(from->noise, plain, plain_len, sealed,
					 sizeof(sealed), &sealed_len),
			0);
		assert_int_equal(noise_read(to->noise, wire, wire_len, opened,
					 sizeof(opened), &opened_len),
			0);
	}
	assert_int_equal(sealed_len, wire_len);
	assert_memory_equal(sealed, wire, wire_len);
	assert_int_equal(opened_len, plain_len);
	assert_memory_equal(opened, plain, plain_len);
}

static void run(const json_t *vector)
{
	struct side sides[2];
	bool decided[2] = {false, false}, transport = false;
	const char *name = json_string_value(json_object_get(vector, "protocol_name"));
	const char *pattern = name + strlen("Noise_");
	bool one_way = strspn(pattern, "NKXI1") == 1; /* N_…, K_…, Xpsk1_… */
	size_t i;
	json_t *message;
	start(&sides[0], vector, "init", NOISE_INITIATOR);
	start(&sides[1], vector, "resp", NOISE_RESPONDER);
	for (int k = 0; k < 2; k++)
		decide(&sides[k], &decided[k]);
	json_array_foreach(json_object_get(vector, "messages"), i, message)
	{
		uint8_t plain[512], wire[512];
		size_t plain_len = unhex(plain, sizeof(plain),
			json_string_value(json_object_get(message, "payload")));
		size_t wire_len = unhex(wire, sizeof(wire),
			json_string_value(json_object_get(message, "ciphertext")));
		struct side *from = &sides[one_way ? 0 : i % 2],
			    *to = &sides[from == sides];
		one_message(from, to, plain, plain_len, wire, wire_len, transport);
		for (int k = 0; k < 2 && !transport; k++)
			decide(&sides[k], &decided[k]);
		if (!transport && noise_complete(sides[0].noise)) {
			finish(sides, json_string_value(json_object_get(vector,
					      "handshake_hash")));
			transport = true;
		}
	}
	assert_true(transport);
	assert_int_equal(one_way, !sides[0].receive);
	for (int k = 0; k < 2; k++) {
		noise_cipher_free(sides[k].send);
		noise_cipher_free(sides[k].receive);
		noise_free(sides[k].noise);
	}
}

static void all_runnable_vectors_pass(void **state)
{
	(void)state;
	json_error_t error;
	json_t *file = json_load_file(TEST_SOURCE_DIR "/tests/vectors/noise-vectors.json",
		0, &error);
	json_t *vectors = json_object_get(file, "vectors"), *vector;
	size_t i, ran = 0, refused = 0;
	assert_non_null(file);
	json_array_foreach(vectors, i, vector)
	{
		const char *name =
			json_string_value(json_object_get(vector, "protocol_name"));
		if (!name)
			name = json_string_value(json_object_get(vector, "name"));
		if (strstr(name, "fallback")) {
			struct noise *noise = NULL;
			struct noise_config config = {.protocol = name};
			assert_int_equal(noise_new(&noise, &config), -REASON_BAD_VALUE);
			refused++;
			continue;
		}
		run(vector);
		ran++;
	}
	printf("%zu of %zu vectors ran, %zu refused\n", ran, json_array_size(vectors),
		refused);
	assert_int_equal(json_array_size(vectors), ALL);
	assert_int_equal(ran, RUNNABLE);
	assert_int_equal(refused, ALL - RUNNABLE);
	json_decref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_runnable_vectors_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
