/* Records: S5 (every bit), S6 (replay, reorder, drop, duplicate, reflect, truncate), S16 (sizes). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "cmocka_all.h"
#include "e2e/noise_cipher.h"
#include "e2e/seal.h"
#include "ends.h"

static struct noise_cipher *cipher_of(uint8_t first)
{
	uint8_t key[32] = {first};
	struct noise_cipher *cipher;
	assert_int_equal(noise_cipher_new(&cipher, NOISE_CIPHER_REKEY_EVERY), 0);
	assert_int_equal(noise_cipher_initialize_key(cipher, key), 0);
	return cipher;
}

struct both {
	struct seal *viewer, *host;
};

static void both_new(struct both *both)
{
	assert_int_equal(seal_new(&both->viewer, SEAL_VIEWER, cipher_of(1), cipher_of(2)),
		0);
	assert_int_equal(seal_new(&both->host, SEAL_HOST, cipher_of(2), cipher_of(1)), 0);
}

static void both_free(struct both *both)
{
	both->viewer = seal_free(both->viewer);
	both->host = seal_free(both->host);
}

static size_t put(struct seal *seal, enum seal_lane lane, const void *bytes, size_t len,
	uint8_t *record)
{
	size_t record_len;
	if (len)
		memcpy(record + SEAL_HEAD, bytes, len);
	assert_int_equal(seal_record(seal, lane, SEAL_END, record, len, &record_len), 0);
	assert_int_equal(record_len, seal_size(seal, lane, len));
	return record_len;
}

static void all_sizes_and_lanes_come_through(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 59, 60, 61, 63, 64, 65, 1019, 1020, 1021,
		16380, 65451, 65452, 65453, 65514, 65515};
	static uint8_t plain[SEAL_PAYLOAD_MAX], record[SEAL_RECORD_MAX];
	struct both both;
	both_new(&both);
	assert_int_equal(secret_random(plain, sizeof(plain)), 0);
	for (int way = 0; way < 2; way++) {
		struct seal *from = way ? both.host : both.viewer,
			    *to = way ? both.viewer : both.host;
		for (int lane = 0; lane < SEAL_LANES; lane++) {
			for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
				struct seal_view view;
				size_t len = put(from, lane, plain, sizes[i], record);
				assert_true(len <= SEAL_RECORD_MAX);
				assert_int_equal(seal_open(to, record, len, &view), 0);
				assert_int_equal(view.lane, lane);
				assert_int_equal(view.flags, SEAL_END);
				assert_int_equal(view.len, sizes[i]);
				assert_ptr_equal(view.payload, record + SEAL_HEAD);
				assert_memory_equal(view.payload, plain, view.len);
			}
		}
		assert_int_equal(seal_sent(from), SEAL_LANES * ARRAY_LEN(sizes));
		assert_int_equal(seal_received(to), SEAL_LANES * ARRAY_LEN(sizes));
	}
	both_free(&both);
}

static void s5_every_flipped_bit_ends_it(void **state)
{
	(void)state;
	uint8_t plain[1000], record[1100], copy[1100];
	struct both both;
	both_new(&both);
	memset(plain, 'p', sizeof(plain));
	size_t len = put(both.host, SEAL_PICTURE, plain, sizeof(plain), record);
	assert_int_equal(len, 1000 + SEAL_HEAD + SEAL_TAG);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct seal *to;
		struct seal_view view = {.len = 77};
		assert_int_equal(seal_new(&to, SEAL_VIEWER, cipher_of(1), cipher_of(2)),
			0);
		memcpy(copy, record, len);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(seal_open(to, copy, len, &view), -REASON_E2E_FAILED);
		assert_int_equal(view.len, 77);
		assert_true(seal_dead(to));
		/* Not even the right record opens now, and nothing is sent. */
		memcpy(copy, record, len);
		assert_int_equal(seal_open(to, copy, len, &view), -REASON_E2E_FAILED);
		assert_int_equal(seal_record(to, SEAL_INPUT, 0, copy, 1, &len),
			-REASON_E2E_FAILED);
		seal_free(to);
	}
	both_free(&both);
}

enum attack { REPLAY, REORDER, DROP, DUPLICATE, REFLECT, TRUNCATE, EXTEND, ATTACKS };

static void put_numbered(struct seal *from, int number, uint8_t record[static 128],
	size_t *ret_len)
{
	*ret_len = put(from, SEAL_INPUT, &number, sizeof(number), record);
}

/* Records 0..3; the attack is on record 2 (REPLAY: 0 comes again in its place). The bytes that the
 * reader takes before it notices. */
static int records_before_notice(enum attack attack)
{
	uint8_t records[5][128], own[128];
	size_t lens[5], own_len;
	int taken = 0;
	struct both both;
	both_new(&both);
	for (int i = 0; i < 4; i++)
		put_numbered(both.viewer, i, records[i], &lens[i]);
	put_numbered(both.host, 0, own, &own_len);
	uint8_t replayed[128];
	size_t replayed_len = lens[0];
	memcpy(replayed, records[0], sizeof(replayed));
	if (attack == TRUNCATE)
		lens[2]--;
	if (attack == EXTEND)
		records[2][lens[2]++] = 0;
	for (int i = 0; i < 4; i++) {
		struct seal_view view;
		uint8_t *record = records[i];
		size_t len = lens[i];
		if (i == 2 && attack == REPLAY)
			record = replayed, len = replayed_len;
		if (i == 2 && (attack == REORDER || attack == DROP))
			record = records[3];
		if (i == 2 && attack == REFLECT)
			record = own, len = own_len;
		if (i == 2 && attack == DUPLICATE) {
			memcpy(records[4], record, len);
			assert_int_equal(seal_open(both.host, record, len, &view), 0);
			taken++;
			record = records[4];
		}
		if (seal_open(both.host, record, len, &view) < 0)
			break;
		assert_memory_equal(view.payload, &i, sizeof(i));
		taken++;
	}
	assert_true(seal_dead(both.host));
	both_free(&both);
	return taken;
}

static void s6_nothing_but_the_right_order_opens(void **state)
{
	(void)state;
	for (enum attack attack = 0; attack < ATTACKS; attack++)
		for (int trial = 0; trial < 50; trial++)
			assert_int_equal(records_before_notice(attack),
				attack == DUPLICATE ? 3 : 2);
}

/* A record with any plaintext, sealed by an end that ignores the rules. */
static int open_plain(const uint8_t *plain, size_t len, size_t *ret_payload)
{
	uint8_t record[512];
	struct noise_cipher *cheat = cipher_of(2);
	struct seal *to;
	struct seal_view view = {.len = 0};
	assert_int_equal(seal_new(&to, SEAL_VIEWER, cipher_of(1), cipher_of(2)), 0);
	assert_int_equal(noise_cipher_encrypt_with_ad(cheat, NULL, 0, plain, len, record),
		0);
	int result = seal_open(to, record, len + SEAL_TAG, &view);
	assert_int_equal(seal_dead(to), result < 0);
	*ret_payload = view.len;
	noise_cipher_free(cheat);
	seal_free(to);
	return result;
}

static void opening_is_strict(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} rows[] = {
		{"\2\0\0\1x", 5, 0},
		{"\4\1\0\0", 4, 0},
		{"\2\0\0\1x\0\0\0", 8, 0},
		{"\5\0\0\1x", 5, -REASON_E2E_FAILED}, /* lane */
		{"\xff\0\0\1x", 5, -REASON_E2E_FAILED},
		{"\2\2\0\1x", 5, -REASON_E2E_FAILED}, /* flags */
		{"\2\x80\0\1x", 5, -REASON_E2E_FAILED},
		{"\2\0\0\2x", 5, -REASON_E2E_FAILED}, /* longer than it is */
		{"\2\0\xff\xffx", 5, -REASON_E2E_FAILED},
		{"\2\0\0\1x\0\1", 7, -REASON_E2E_FAILED}, /* padding */
		{"\2\0\0\0x", 5, -REASON_E2E_FAILED},
		{"\2\0\0", 3, -REASON_E2E_FAILED}, /* no head */
		{"", 0, -REASON_E2E_FAILED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t payload;
		assert_int_equal(open_plain((const uint8_t *)rows[i].bytes, rows[i].len,
					 &payload),
			rows[i].result);
	}
	(void)state;
}

/* S16: key and pointer messages of RFB are 8 and 6 bytes; whatever is typed looks the same. */
static void s16_input_has_one_size(void **state)
{
	(void)state;
	uint8_t record[256], plain[64] = {0};
	struct both both;
	both_new(&both);
	for (size_t len = 0; len <= 60; len++) {
		assert_int_equal(put(both.viewer, SEAL_INPUT, plain, len, record), 80);
		assert_int_equal(put(both.viewer, SEAL_CONTROL, plain, len, record), 80);
	}
	assert_int_equal(put(both.viewer, SEAL_INPUT, plain, 61, record), 144);
	assert_int_equal(put(both.viewer, SEAL_PICTURE, plain, 61, record), 81);
	both_free(&both);
}

static void buckets_are_as_written(void **state)
{
	(void)state;
	struct both both;
	both_new(&both);
	assert_int_equal(seal_size(both.viewer, SEAL_CLIPBOARD, 1), 1024 + 16);
	assert_int_equal(seal_size(both.host, SEAL_CLIPBOARD, 1021), 2048 + 16);
	assert_int_equal(seal_size(both.host, SEAL_CONTROL, 1), 21);
	assert_int_equal(seal_size(both.host, SEAL_PICTURE, 1), 21);
	assert_int_equal(seal_size(both.host, SEAL_FILE, 1), 21);
	seal_pad_picture(both.host);
	assert_int_equal(seal_size(both.host, SEAL_PICTURE, 1), 256 + 16);
	for (int lane = 0; lane < SEAL_LANES; lane++)
		assert_int_equal(seal_size(both.viewer, lane, SEAL_PAYLOAD_MAX),
			SEAL_RECORD_MAX);
	both_free(&both);
	assert_null(seal_free(NULL));
}

static void a_handshake_gives_a_tunnel(void **state)
{
	(void)state;
	struct ends ends;
	struct both both;
	struct noise_cipher *send, *receive;
	uint8_t record[256];
	struct seal_view view;
	ends_keys(&ends);
	ends_handshake(&ends);
	assert_int_equal(noise_finish(ends.viewer, &send, &receive), 0);
	assert_int_equal(seal_new(&both.viewer, SEAL_VIEWER, send, receive), 0);
	assert_int_equal(noise_finish(ends.host, &send, &receive), 0);
	assert_int_equal(seal_new(&both.host, SEAL_HOST, send, receive), 0);
	ends_stop(&ends);
	size_t len = put(both.viewer, SEAL_INPUT, "key", 3, record);
	assert_int_equal(seal_open(both.host, record, len, &view), 0);
	assert_memory_equal(view.payload, "key", 3);
	len = put(both.host, SEAL_PICTURE, "pixels", 6, record);
	assert_int_equal(seal_open(both.viewer, record, len, &view), 0);
	assert_memory_equal(view.payload, "pixels", 6);
	both_free(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sizes_and_lanes_come_through),
		cmocka_unit_test(s5_every_flipped_bit_ends_it),
		cmocka_unit_test(s6_nothing_but_the_right_order_opens),
		cmocka_unit_test(opening_is_strict),
		cmocka_unit_test(s16_input_has_one_size),
		cmocka_unit_test(buckets_are_as_written),
		cmocka_unit_test(a_handshake_gives_a_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
