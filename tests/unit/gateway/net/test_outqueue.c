#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/outqueue.h"

#define LOT 300000

/* Random pieces in, random pieces out: the bytes stay the same ones in the same order. */
static void bytes_leave_in_the_order_they_came(void **state)
{
	struct outqueue queue = {0};
	struct iovec vectors[OUTQUEUE_PIECES];
	uint8_t piece[9000];
	uint32_t x = 1, in = 0, out = 0;
	(void)state;
	while (out < LOT) {
		x = x * 1664525u + 1013904223u;
		size_t len = (x >> 8) % sizeof(piece);
		if (in < LOT && queue.len < 60000) {
			for (size_t i = 0; i < len; i++)
				piece[i] = (uint8_t)((in + i) * 7 >> 3);
			assert_int_equal(outqueue_append(&queue, piece, len), 0);
			in += (uint32_t)len;
		}
		size_t drain = (x >> 4) % 12000, seen = 0;
		if (drain > queue.len)
			drain = queue.len;
		int count = outqueue_vectors(&queue, vectors);
		for (int v = 0; v < count && seen < drain; v++) {
			const uint8_t *at = vectors[v].iov_base;
			for (size_t i = 0; i < vectors[v].iov_len && seen < drain;
				i++, seen++)
				if (at[i] != (uint8_t)((out + seen) * 7 >> 3))
					fail();
		}
		assert_int_equal(seen, drain);
		outqueue_drain(&queue, drain);
		out += (uint32_t)drain;
		assert_int_equal(queue.len, in - out);
	}
	outqueue_clear(&queue);
	assert_null(queue.first);
	assert_null(queue.last);
}

static void an_empty_queue_holds_nothing(void **state)
{
	struct outqueue queue = {0};
	struct iovec vectors[OUTQUEUE_PIECES];
	(void)state;
	assert_int_equal(outqueue_append(&queue, "", 0), 0);
	assert_null(queue.first);
	assert_int_equal(outqueue_vectors(&queue, vectors), 0);
	assert_int_equal(outqueue_append(&queue, "abc", 3), 0);
	outqueue_drain(&queue, 3);
	assert_null(queue.first);
	assert_int_equal(queue.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_leave_in_the_order_they_came),
		cmocka_unit_test(an_empty_queue_holds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
