#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "store/sealed/sealed_box.h"

/* The two vectors of C2SP XAES-256-GCM. */
static void test_the_cipher_is_what_its_header_says(void **state)
{
	(void)state;
	static const struct {
		uint8_t key;
		const char *aad, *box;
	} vectors[] = {
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM",
			"986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"}};
	const uint8_t *nonce = (const uint8_t *)"ABCDEFGHIJKLMNOPQRSTUVWX";
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t key[32], box[12 + SEALED_BOX_MORE];
		char hex[TEXT_HEX_SIZE(28)];
		struct sealed_place place = {.len = strlen(vectors[i].aad)};
		memset(key, vectors[i].key, sizeof(key));
		memcpy(place.bytes, vectors[i].aad, place.len);
		assert_int_equal(sealed_box_close_with(nonce, key, &place, "XAES-256-GCM",
					 12, box),
			0);
		text_hex(hex, box + SEALED_BOX_NONCE, 28);
		assert_string_equal(hex, vectors[i].box);
	}
}

static const uint8_t key[32] = "a key of thirty-two bytes, said.";

static struct sealed_place place_of(const char *a, const char *b)
{
	struct sealed_place place = {0};
	sealed_box_bind(&place, a);
	sealed_box_bind(&place, b);
	return place;
}

static void test_a_changed_bit_is_found(void **state)
{
	(void)state;
	uint8_t box[20 + SEALED_BOX_MORE], plain[20];
	struct sealed_place place = place_of("license", "lic_a");
	assert_int_equal(sealed_box_close(key, &place, "twenty bytes of text", 20, box),
		0);
	for (size_t bit = 0; bit < sizeof(box) * 8; bit++) {
		box[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(sealed_box_open(key, &place, box, sizeof(box), plain),
			-REASON_STATE_DAMAGED);
		box[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof(box); len++)
		assert_int_equal(sealed_box_open(key, &place, box, len, plain),
			-REASON_STATE_DAMAGED);
	assert_int_equal(sealed_box_open(key, &place, box, sizeof(box), plain), 0);
	assert_memory_equal(plain, "twenty bytes of text", 20);
}

static void test_a_box_belongs_to_its_place(void **state)
{
	(void)state;
	uint8_t box[2 + SEALED_BOX_MORE], plain[2], other[32] = {0};
	struct sealed_place place = place_of("ab", "c");
	assert_int_equal(sealed_box_close(key, &place, "{}", 2, box), 0);
	struct sealed_place moved = place_of("a", "bc");
	assert_int_equal(sealed_box_open(key, &moved, box, sizeof(box), plain),
		-REASON_STATE_DAMAGED);
	assert_int_equal(sealed_box_open(other, &place, box, sizeof(box), plain),
		-REASON_STATE_DAMAGED);
	assert_int_equal(sealed_box_open(key, &place, box, sizeof(box), plain), 0);
}

static void test_texts(void **state)
{
	(void)state;
	struct sealed_place place = place_of("a", "b");
	char *text, *again, room[256];
	size_t len;
	assert_int_equal(sealed_box_text(key, 4294967295u, &place, "{\"n\":\"縁\"}", 11,
				 &text),
		0);
	assert_int_equal(sealed_box_text(key, 4294967295u, &place, "{\"n\":\"縁\"}", 11,
				 &again),
		0);
	/* The same is never sealed to the same. */
	assert_string_not_equal(text, again);
	assert_int_equal(sealed_box_generation(text), 4294967295u);
	assert_in_range(sealed_box_room(text), 12, sizeof(room));
	assert_int_equal(sealed_box_untext(key, &place, text, room, &len), 0);
	assert_int_equal(len, 11);
	assert_string_equal(room, "{\"n\":\"縁\"}");
	free(again);
	free(text);
	static const char *const wrong[] = {"", "{}", "{\"sealed\":1}",
		"{\"sealed\":1,\"key\":0,\"box\":\"AAAA\"}",
		"{\"sealed\":1,\"key\":01,\"box\":\"AAAA\"}",
		"{\"sealed\":1,\"key\":-1,\"box\":\"AAAA\"}",
		"{\"sealed\":1,\"key\":4294967296,\"box\":\"AAAA\"}",
		"{\"sealed\":1,\"key\":1,\"box\":\"AAAA\"",
		"{\"sealed\":1,\"key\":1,\"box\":\"",
		"{\"sealed\":1,\"key\":1,\"box\":\"}",
		"{\"sealed\":1,\"key\":1, \"box\":\"AAAA\"}"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(sealed_box_generation(wrong[i]), 0);
		assert_int_equal(sealed_box_untext(key, &place, wrong[i], room, &len),
			-REASON_STATE_DAMAGED);
	}
	static const char *const broken[] = {"{\"sealed\":1,\"key\":1,\"box\":\"\"}",
		"{\"sealed\":1,\"key\":1,\"box\":\"AAAA\"}",
		"{\"sealed\":1,\"key\":1,\"box\":\"A A\"}"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		assert_int_equal(sealed_box_untext(key, &place, broken[i], room, &len),
			-REASON_STATE_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_cipher_is_what_its_header_says),
		cmocka_unit_test(test_a_changed_bit_is_found),
		cmocka_unit_test(test_a_box_belongs_to_its_place),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
