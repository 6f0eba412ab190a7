#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "link/ring.h"

static uint8_t at(uint64_t position)
{
	return (uint8_t)(position * 31 + (position >> 8));
}

static void fill(struct ring *ring, size_t len)
{
	uint8_t byte;
	for (size_t i = 0; i < len; i++) {
		byte = at(ring->tail);
		assert_int_equal(ring_write(ring, &byte, 1), 1);
	}
}

static void check(const struct ring *ring, uint64_t from, size_t len)
{
	static uint8_t bytes[1 << 20];
	ring_copy(ring, from, bytes, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], at(from + i));
}

static void keeps_what_was_written(void **state UNUSED)
{
	struct ring ring;
	ring_init(&ring, 300000);
	uint64_t released = 0;
	for (unsigned i = 0; i < 4000; i++) {
		size_t len = i * 7919 % 700;
		if (ring.max - ring_len(&ring) < len) {
			released += ring_len(&ring) / 2;
			ring_release(&ring, released);
		}
		fill(&ring, len);
		check(&ring, ring.head, ring_len(&ring) > 100 ? 100 : ring_len(&ring));
		if (i % 50 == 0)
			check(&ring, ring.head, ring_len(&ring));
	}
	check(&ring, ring.head + 3, ring_len(&ring) - 3);
	ring_done(&ring);
}

static void never_more_than_max(void **state UNUSED)
{
	struct ring ring;
	uint8_t block[1000] = {0};
	size_t put = 0, got, room;
	uint8_t *place;
	ring_init(&ring, 5000);
	while ((got = ring_write(&ring, block, sizeof(block))))
		put += got;
	assert_int_equal(put, 5000);
	ring_reserve(&ring, &place, &room);
	assert_int_equal(room, 0);
	ring_release(&ring, 1);
	ring_reserve(&ring, &place, &room);
	assert_int_equal(room, 1);
	ring_done(&ring);
}

static void truncates_and_gives_back(void **state UNUSED)
{
	struct ring ring;
	ring_init(&ring, 1 << 20);
	fill(&ring, 200000);
	ring_truncate(&ring, 150000);
	assert_int_equal(ring_len(&ring), 150000);
	check(&ring, 0, 150000);
	fill(&ring, 100);
	check(&ring, 149990, 110);
	ring_release(&ring, ring.tail);
	assert_null(ring.data);
	assert_int_equal(ring.head, 150100); /* positions go on */
	fill(&ring, 10);
	check(&ring, 150100, 10);
	ring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_written),
		cmocka_unit_test(never_more_than_max),
		cmocka_unit_test(truncates_and_gives_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
