/* The handshake that Engawa speaks: S3 (every bit), S4 (prologue), S9 (the peer cannot be forgotten). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/noise.h"
#include "ends.h"

static void no_keys(struct noise *noise)
{
	struct noise_cipher *send = NULL, *receive = NULL;
	assert_int_equal(noise_finish(noise, &send, &receive), -REASON_E2E_FAILED);
	assert_null(send);
	assert_null(receive);
}

/* Nothing works any more, whatever is tried. */
static void is_dead(struct noise *noise)
{
	uint8_t bytes[NOISE_MESSAGE_MAX] = {0};
	size_t len = 77;
	assert_false(noise_complete(noise));
	assert_null(noise_peer(noise));
	assert_null(noise_hash(noise));
	assert_int_not_equal(noise_write(noise, "", 0, bytes, sizeof(bytes), &len), 0);
	assert_int_not_equal(noise_read(noise, bytes, 48, bytes + 64, 100, &len), 0);
	assert_int_not_equal(noise_decide(noise, NOISE_ALLOW), 0);
	assert_int_equal(len, 77);
	no_keys(noise);
}

static void both_ends_get_the_same_keys(void **state)
{
	(void)state;
	struct ends ends;
	struct noise_cipher *vs, *vr, *hs, *hr;
	uint8_t sealed[2 + 16], opened[2];
	ends_keys(&ends);
	ends_handshake(&ends);
	assert_int_equal(ends.psk_asked, 1);
	assert_memory_equal(ends.psk_peer, ends.viewer_public, 32);
	assert_memory_equal(noise_peer(ends.viewer), ends.host_public, 32);
	assert_memory_equal(noise_peer(ends.host), ends.viewer_public, 32);
	assert_int_equal(noise_finish(ends.viewer, &vs, &vr), 0);
	assert_int_equal(noise_finish(ends.host, &hs, &hr), 0);
	assert_memory_equal(noise_hash(ends.viewer), noise_hash(ends.host), 32);
	assert_int_equal(noise_cipher_encrypt_with_ad(vs, NULL, 0, (const uint8_t *)"up",
				 2, sealed),
		0);
	assert_int_equal(noise_cipher_decrypt_with_ad(hr, NULL, 0, sealed, 18, opened),
		0);
	assert_memory_equal(opened, "up", 2);
	assert_int_equal(noise_cipher_encrypt_with_ad(hs, NULL, 0, (const uint8_t *)"dn",
				 2, sealed),
		0);
	assert_int_equal(noise_cipher_decrypt_with_ad(vr, NULL, 0, sealed, 18, opened),
		0);
	assert_memory_equal(opened, "dn", 2);
	/* Once only. */
	no_keys(ends.viewer);
	noise_cipher_free(vs);
	noise_cipher_free(vr);
	noise_cipher_free(hs);
	noise_cipher_free(hr);
	ends_stop(&ends);
}

/* Runs the handshake with one bit of one message flipped; the number of the message at which
 * somebody noticed, 0 for nobody. */
static int noticed_at(struct ends *ends, int message, long bit, size_t *ret_len)
{
	struct noise *const *ways[3][2] = {{&ends->viewer, &ends->host},
		{&ends->host, &ends->viewer}, {&ends->viewer, &ends->host}};
	static const char *const payloads[] = {"", "p2 of the host", "p3: who and what"};
	int at = 0;
	ends_start(ends);
	for (int i = 0; i < 3 && !at; i++) {
		size_t len;
		int result = ends_message(*ways[i][0], *ways[i][1], payloads[i],
			i + 1 == message ? bit : -1, &len);
		if (i + 1 == message)
			*ret_len = len;
		if (result < 0)
			at = i + 1;
		if (!at && i == 1)
			assert_int_equal(noise_decide(ends->viewer, NOISE_ALLOW), 0);
		if (at)
			is_dead(*ways[i][1]);
	}
	ends_stop(ends);
	return at;
}

static void s3_every_flipped_bit_is_noticed(void **state)
{
	(void)state;
	struct ends ends;
	size_t total = 0;
	ends_keys(&ends);
	for (int message = 1; message <= 3; message++) {
		size_t len = 1;
		for (size_t bit = 0; bit < 8 * len; bit++, total++)
			assert_in_range(noticed_at(&ends, message, (long)bit, &len),
				message, 3);
	}
	printf("%zu flipped bits\n", total);
	/* -> e 48; <- e, ee, s, es 96 + p2; -> s, se, psk 64 + p3 */
	assert_int_equal(total, 8 * (48 + (96 + 14) + (64 + 16)));
}

static void s4_every_prologue_bit_counts(void **state)
{
	(void)state;
	struct ends ends;
	size_t len;
	ends_keys(&ends);
	for (size_t bit = 0; bit < 8 * PROLOGUE_SIZE; bit++) {
		ends.host_prologue[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(noticed_at(&ends, 0, -1, &len), 1);
		ends.host_prologue[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(noticed_at(&ends, 0, -1, &len), 0);
}

static void wrong_psk_ends_at_message_3(void **state)
{
	(void)state;
	struct ends ends;
	ends_keys(&ends);
	ends_start(&ends);
	assert_int_equal(ends_message(ends.viewer, ends.host, "", -1, NULL), 0);
	assert_int_equal(ends_message(ends.host, ends.viewer, "", -1, NULL), 0);
	assert_int_equal(noise_decide(ends.viewer, NOISE_ALLOW), 0);
	ends.psk[31] ^= 1; /* the viewer has its copy already */
	assert_int_equal(ends_message(ends.viewer, ends.host, "", -1, NULL),
		-REASON_E2E_FAILED);
	is_dead(ends.host);
	ends_stop(&ends);
}

static void refused_psk_ends_with_its_reason(void **state)
{
	(void)state;
	struct ends ends;
	ends_keys(&ends);
	ends.psk_result = -REASON_DEVICE_UNKNOWN;
	ends_start(&ends);
	assert_int_equal(ends_message(ends.viewer, ends.host, "", -1, NULL), 0);
	assert_int_equal(ends_message(ends.host, ends.viewer, "", -1, NULL), 0);
	assert_int_equal(noise_decide(ends.viewer, NOISE_ALLOW), 0);
	assert_int_equal(ends_message(ends.viewer, ends.host, "", -1, NULL),
		-REASON_DEVICE_UNKNOWN);
	is_dead(ends.host);
	ends_stop(&ends);
}

enum misuse {
	NEVER_DECIDED,
	DENIED,
	BEFORE_ANYTHING,
	BEFORE_THE_KEY,
	TWICE,
	ANONYMOUS,
	ANONYMOUS_AT_THE_END,
	WRITES_UNDECIDED,
	FINISHES_EARLY,
	READS_OUT_OF_TURN,
	WRITES_OUT_OF_TURN,
	MISUSES,
};

/* S9, on the viewer's side: every order of calls but the right one gives no keys. */
static void misuse_viewer(struct noise *viewer, struct noise *host, enum misuse misuse)
{
	uint8_t wire[NOISE_MESSAGE_MAX] = {0};
	size_t len;
	if (misuse == BEFORE_ANYTHING)
		assert_int_not_equal(noise_decide(viewer, NOISE_ALLOW), 0);
	if (misuse == READS_OUT_OF_TURN)
		assert_int_not_equal(noise_read(viewer, wire, 48, wire, sizeof(wire),
					     &len),
			0);
	if (misuse == BEFORE_ANYTHING || misuse == READS_OUT_OF_TURN)
		return;
	assert_int_equal(ends_message(viewer, host, "", -1, NULL), 0);
	assert_null(noise_peer(viewer));
	if (misuse == BEFORE_THE_KEY)
		assert_int_not_equal(noise_decide(viewer, NOISE_ALLOW), 0);
	if (misuse == WRITES_OUT_OF_TURN)
		assert_int_not_equal(noise_write(viewer, "", 0, wire, sizeof(wire), &len),
			0);
	if (misuse == BEFORE_THE_KEY || misuse == WRITES_OUT_OF_TURN)
		return;
	assert_int_equal(ends_message(host, viewer, "", -1, NULL), 0);
	assert_non_null(noise_peer(viewer));
	if (misuse == DENIED)
		assert_int_equal(noise_decide(viewer, NOISE_DENY), 0);
	if (misuse == ANONYMOUS)
		assert_int_not_equal(noise_decide(viewer, NOISE_ALLOW_ANONYMOUS), 0);
	if (misuse == TWICE || misuse == FINISHES_EARLY)
		assert_int_equal(noise_decide(viewer, NOISE_ALLOW), 0);
	if (misuse == TWICE)
		assert_int_not_equal(noise_decide(viewer, NOISE_ALLOW), 0);
	if (misuse == WRITES_UNDECIDED)
		assert_int_not_equal(noise_write(viewer, "", 0, wire, sizeof(wire), &len),
			0);
}

static void s9_viewer_cannot_skip_the_pin(void **state)
{
	(void)state;
	struct ends ends;
	ends_keys(&ends);
	for (enum misuse misuse = 0; misuse < MISUSES; misuse++) {
		ends_start(&ends);
		misuse_viewer(ends.viewer, ends.host, misuse);
		no_keys(ends.viewer);
		is_dead(ends.viewer);
		ends_stop(&ends);
	}
}

static void s9_host_cannot_skip_the_device(void **state)
{
	(void)state;
	struct ends ends;
	ends_keys(&ends);
	for (enum misuse misuse = 0; misuse < MISUSES; misuse++) {
		ends_start(&ends);
		if (misuse == BEFORE_ANYTHING)
			assert_int_not_equal(noise_decide(ends.host, NOISE_ALLOW), 0);
		else
			assert_int_equal(ends_message(ends.viewer, ends.host, "", -1,
						 NULL),
				0);
		if (misuse == BEFORE_THE_KEY) {
			assert_null(noise_peer(ends.host));
			assert_int_not_equal(noise_decide(ends.host, NOISE_ALLOW), 0);
		}
		if (misuse != BEFORE_ANYTHING && misuse != BEFORE_THE_KEY) {
			assert_int_equal(ends_message(ends.host, ends.viewer, "", -1,
						 NULL),
				0);
			assert_int_equal(noise_decide(ends.viewer, NOISE_ALLOW), 0);
			assert_int_equal(ends_message(ends.viewer, ends.host, "", -1,
						 NULL),
				0);
			assert_true(noise_complete(ends.host));
		}
		if (misuse == DENIED)
			assert_int_equal(noise_decide(ends.host, NOISE_DENY), 0);
		if (misuse == ANONYMOUS || misuse == ANONYMOUS_AT_THE_END)
			assert_int_not_equal(noise_decide(ends.host,
						     NOISE_ALLOW_ANONYMOUS),
				0);
		if (misuse == TWICE) {
			assert_int_equal(noise_decide(ends.host, NOISE_ALLOW), 0);
			assert_int_not_equal(noise_decide(ends.host, NOISE_ALLOW), 0);
		}
		no_keys(ends.host);
		is_dead(ends.host);
		ends_stop(&ends);
	}
}

/* From inside find_psk the peer is not known yet, and the handshake is not to be touched. */
struct nested {
	struct ends ends;
	int what;
};

static int meddle(void *context, const uint8_t *peer, uint8_t ret_psk[static 32])
{
	struct nested *nested = context;
	struct noise *host = nested->ends.host;
	uint8_t wire[NOISE_MESSAGE_MAX] = {0};
	size_t len;
	assert_non_null(peer);
	assert_null(noise_peer(host));
	memcpy(ret_psk, nested->ends.psk, 32);
	if (nested->what == 0)
		assert_int_not_equal(noise_decide(host, NOISE_ALLOW), 0);
	if (nested->what == 1)
		assert_int_not_equal(noise_read(host, wire, 64, wire, sizeof(wire), &len),
			0);
	if (nested->what == 2)
		no_keys(host);
	return 0;
}

static void s9_the_psk_callback_cannot_decide(void **state)
{
	(void)state;
	struct nested nested;
	struct ends *ends = &nested.ends;
	ends_keys(ends);
	for (nested.what = 0; nested.what < 3; nested.what++) {
		struct noise_config config = {.protocol = NOISE_ENGAWA,
			.role = NOISE_RESPONDER,
			.prologue = ends->host_prologue,
			.prologue_len = PROLOGUE_SIZE,
			.static_private = ends->host_key,
			.find_psk = meddle,
			.context = &nested};
		ends_start(ends);
		noise_free(ends->host);
		assert_int_equal(noise_new(&ends->host, &config), 0);
		assert_int_equal(ends_message(ends->viewer, ends->host, "", -1, NULL), 0);
		assert_int_equal(ends_message(ends->host, ends->viewer, "", -1, NULL), 0);
		assert_int_equal(noise_decide(ends->viewer, NOISE_ALLOW), 0);
		assert_int_not_equal(ends_message(ends->viewer, ends->host, "", -1, NULL),
			0);
		is_dead(ends->host);
		ends_stop(ends);
	}
}

static void lengths_are_bounded(void **state)
{
	(void)state;
	struct ends ends;
	uint8_t wire[NOISE_MESSAGE_MAX + 1] = {0}, plain[NOISE_MESSAGE_MAX];
	size_t len, total = 1;
	ends_keys(&ends);
	/* Every shorter message 2, and one that is too long. */
	for (size_t cut = 0; cut < total; cut++) {
		ends_start(&ends);
		assert_int_equal(ends_message(ends.viewer, ends.host, "", -1, NULL), 0);
		assert_int_equal(noise_write(ends.host, "p2", 2, wire, sizeof(wire),
					 &total),
			0);
		assert_int_not_equal(noise_read(ends.viewer, wire, cut, plain,
					     sizeof(plain), &len),
			0);
		is_dead(ends.viewer);
		ends_stop(&ends);
	}
	ends_start(&ends);
	assert_int_not_equal(noise_read(ends.host, wire, sizeof(wire), plain,
				     sizeof(plain), &len),
		0);
	/* 48 + 4049 is one more than fits. */
	assert_int_not_equal(noise_write(ends.viewer, plain, NOISE_MESSAGE_MAX - 47, wire,
				     sizeof(wire), &len),
		0);
	is_dead(ends.viewer);
	ends_stop(&ends);
	ends_start(&ends);
	assert_int_equal(noise_write(ends.viewer, plain, NOISE_MESSAGE_MAX - 48, wire,
				 sizeof(wire), &len),
		0);
	assert_int_equal(len, NOISE_MESSAGE_MAX);
	/* The payload has no room: refused, not cut. */
	assert_int_not_equal(noise_read(ends.host, wire, len, plain,
				     NOISE_MESSAGE_MAX - 49, &len),
		0);
	is_dead(ends.host);
	ends_stop(&ends);
}

/* Message 1 of NN is not sealed, so that nothing else could refuse it. */
static void longer_messages_are_not_read(void **state)
{
	(void)state;
	static uint8_t wire[NOISE_MESSAGE_MAX + 1] = {9}, plain[NOISE_MESSAGE_MAX + 1];
	struct noise_config config = {
		.protocol = "Noise_NN_25519_AESGCM_SHA256", .role = NOISE_RESPONDER};
	for (size_t more = 0; more < 2; more++) {
		struct noise *noise;
		size_t len;
		assert_int_equal(noise_new(&noise, &config), 0);
		assert_int_equal(noise_read(noise, wire, NOISE_MESSAGE_MAX + more, plain,
					 sizeof(plain), &len),
			more ? -REASON_E2E_FAILED : 0);
		noise_free(noise);
	}
}

static void keys_must_fit_the_pattern(void **state)
{
	(void)state;
	uint8_t key[32] = {1};
	struct noise *noise = NULL;
	struct noise_config config = {.protocol = NOISE_ENGAWA};
	assert_int_equal(noise_new(&noise, &config), -REASON_BAD_VALUE);
	config.static_private = config.remote_static = key;
	assert_int_equal(noise_new(&noise, &config), -REASON_BAD_VALUE);
	config.remote_static = NULL;
	config.psk_count = NOISE_PSK_MAX + 1;
	assert_int_equal(noise_new(&noise, &config), -REASON_BAD_VALUE);
	config.psk_count = 0;
	static const char *const names[] = {"", "Noise_XXpsk3_25519_AESGCM_SHA512",
		"Noise_XXpsk4_25519_AESGCM_SHA256",
		"Noise_XXpsk3+psk3_25519_AESGCM_SHA256",
		"Noise_XXpsk_25519_AESGCM_SHA256", "Noise_XX+psk3_25519_AESGCM_SHA256",
		"Noise_XXpsk3+_25519_AESGCM_SHA256", "Noise_XXpsk3x_25519_AESGCM_SHA256",
		"Noise_QQ_25519_AESGCM_SHA256", "Noise_XXpsk3_25519_ChaChaPoly_SHA256"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		config.protocol = names[i];
		assert_int_equal(noise_new(&noise, &config), -REASON_BAD_VALUE);
	}
	assert_null(noise);
	assert_null(noise_free(NULL));
}

/* Nothing but tests may fix an ephemeral key. */
static void vectors_entry_is_used_by_tests_only(void **state)
{
	(void)state;
	int status = system(
		"cd '" TEST_SOURCE_DIR "' && ! grep -rl --include='*.[ch]' "
		"'include \"e2e/noise_vectors.h\"' proto gateway host-agent viewer "
		"| grep -v '^proto/e2e/noise_vectors.c$'");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_get_the_same_keys),
		cmocka_unit_test(s3_every_flipped_bit_is_noticed),
		cmocka_unit_test(s4_every_prologue_bit_counts),
		cmocka_unit_test(wrong_psk_ends_at_message_3),
		cmocka_unit_test(refused_psk_ends_with_its_reason),
		cmocka_unit_test(s9_viewer_cannot_skip_the_pin),
		cmocka_unit_test(s9_host_cannot_skip_the_device),
		cmocka_unit_test(s9_the_psk_callback_cannot_decide),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(longer_messages_are_not_read),
		cmocka_unit_test(keys_must_fit_the_pattern),
		cmocka_unit_test(vectors_entry_is_used_by_tests_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
