/* Credit against a simulated line: rate, round trip, jitter, a decoder's delay. Time is the
 * simulation's own, so nothing here depends on the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "link/credit.h"

#define SECOND 1000000
#define STEP 250 /* us */
#define MANY 65536

struct line {
	struct credit credit;
	double rate; /* bytes per second */
	int64_t rtt_us, jitter_us, decoder_us;
	int64_t now_us, sent, free_us, last_us;
	struct {
		int64_t position, at_us;
	} acks[MANY];
	unsigned first, count;
	uint32_t random;
	/* of the present second */
	int64_t carried, queue_max_us, queue_sum_us, steps;
};

static struct line line;

static void line_start(double rate, int64_t rtt_us, int64_t jitter_us, int64_t decoder_us)
{
	memset(&line, 0, sizeof(line));
	line.rate = rate;
	line.rtt_us = rtt_us;
	line.jitter_us = jitter_us;
	line.decoder_us = decoder_us;
	credit_init(&line.credit, 0, 0);
}

static void deliver(void)
{
	int64_t position = 0;
	while (line.count && line.acks[line.first].at_us <= line.now_us) {
		position = line.acks[line.first].position;
		line.first = (line.first + 1) % MANY;
		line.count--;
	}
	if (!position)
		return;
	line.carried += position - line.credit.delivered;
	credit_acked(&line.credit, (uint64_t)position, line.now_us);
}

static void send_one(int64_t len, enum credit_more more)
{
	credit_sent(&line.credit, (size_t)len, more, line.now_us);
	line.sent += len;
	if (line.free_us < line.now_us)
		line.free_us = line.now_us;
	line.free_us += (int64_t)((double)len / line.rate * 1e6);
	line.random = line.random * 1103515245 + 12345;
	int64_t at = line.free_us + line.rtt_us + line.decoder_us;
	if (line.jitter_us)
		at += (line.random >> 8) % (uint32_t)line.jitter_us;
	if (at < line.last_us)
		at = line.last_us;
	line.last_us = at;
	assert_true(line.count < MANY);
	unsigned slot = (line.first + line.count++) % MANY;
	line.acks[slot].position = line.sent;
	line.acks[slot].at_us = at;
}

static int64_t in_flight(void)
{
	return line.sent - line.credit.delivered;
}

static void fill(void)
{
	for (;;) {
		int64_t room = credit_budget(&line.credit) - in_flight();
		int64_t rate = credit_rate(&line.credit);
		int64_t len = rate ? rate / 77 : 16384;
		len = len < 4096 ? 4096 : len > 65515 ? 65515 : len;
		if (room <= 0)
			return;
		send_one(len < room ? len : room, CREDIT_MORE_WAITS);
	}
}

static void measure(void)
{
	int64_t queue = line.free_us > line.now_us ? line.free_us - line.now_us : 0;
	line.queue_max_us = queue > line.queue_max_us ? queue : line.queue_max_us;
	line.queue_sum_us += queue;
	line.steps++;
}

static void run(int64_t us)
{
	line.carried = line.queue_max_us = line.queue_sum_us = line.steps = 0;
	for (int64_t end = line.now_us + us; line.now_us < end; line.now_us += STEP) {
		deliver();
		fill();
		measure();
	}
}

static double used(int64_t us)
{
	return (double)line.carried / (line.rate * (double)us / 1e6);
}

static int64_t queue_us(void)
{
	return line.queue_sum_us / line.steps;
}

static void full_lines_have_short_queues(void **state UNUSED)
{
	static const struct {
		double rate;
		int64_t rtt_us, jitter_us, decoder_us, queue_us;
	} cases[] = {
		{1.25e6, 40000, 0, 0, 25000},      /* 10 Mbit/s */
		{2.5e6, 40000, 0, 0, 25000},       /* 20 Mbit/s */
		{12.5e6, 10000, 0, 0, 25000},      /* 100 Mbit/s */
		{12.5e6, 200000, 0, 0, 25000},     /* far away */
		{100e6, 300, 0, 0, 25000},         /* the office itself */
		{2.5e6, 40000, 20000, 0, 50000},   /* jitter */
		{2.5e6, 20000, 0, 60000, 30000},   /* a slow decoder */
		{1.25e6, 200000, 20000, 0, 50000}, /* far away, and jitter */
		{0.125e6, 40000, 0, 0, 140000},    /* 1 Mbit/s: 16 KiB are 131 ms */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		line_start(cases[i].rate, cases[i].rtt_us, cases[i].jitter_us,
			cases[i].decoder_us);
		run(4 * SECOND);
		run(20 *
			SECOND); /* two refreshes of the lowest round trip are among it */
		assert_true(used(20 * SECOND) > 0.93);
		assert_true(queue_us() < cases[i].queue_us);
	}
}

static void begins_with_128_kib(void **state UNUSED)
{
	struct credit credit;
	credit_init(&credit, 1000, 5);
	assert_int_equal(credit_budget(&credit), 128 * 1024);
	assert_int_equal(credit_rate(&credit), 0);
	credit_acked(&credit, 2000, 10); /* more than was sent */
	credit_acked(&credit, 1, 10);
	assert_int_equal(credit_rate(&credit), 0);
}

static void a_slower_line_is_noticed(void **state UNUSED)
{
	line_start(2.5e6, 40000, 0, 0);
	run(5 * SECOND);
	line.rate = 0.6e6;
	run(SECOND);
	run(SECOND / 2);
	run(SECOND);
	assert_true(queue_us() < 40000);
	assert_in_range(credit_rate(&line.credit), 550000, 650000);
}

static void a_faster_line_is_noticed(void **state UNUSED)
{
	line_start(0.6e6, 40000, 0, 0);
	run(5 * SECOND);
	line.rate = 2.5e6;
	run(SECOND);
	run(SECOND);
	assert_true(used(SECOND) > 0.95);
}

static void a_longer_way_is_not_taken_for_a_queue(void **state UNUSED)
{
	line_start(2.5e6, 30000, 0, 0);
	run(5 * SECOND);
	line.rtt_us = 120000;
	run(6 * SECOND);
	run(2 * SECOND);
	assert_true(used(2 * SECOND) > 0.9);
	assert_true(line.credit.rtt_min_us >= 115000);
}

static void little_to_send_proves_no_limit(void **state UNUSED)
{
	line_start(2.5e6, 40000, 0, 0);
	run(3 * SECOND);
	int64_t rate = credit_rate(&line.credit);
	/* A still desktop: 300 bytes now and then for half a minute. */
	for (int i = 0; i < 300; i++) {
		for (int64_t end = line.now_us + 100000; line.now_us < end;
			line.now_us += STEP)
			deliver();
		send_one(300, CREDIT_NO_MORE);
	}
	assert_true(credit_rate(&line.credit) >= rate * 9 / 10);
	run(SECOND);
	assert_true(used(SECOND) > 0.9);
}

/* A stream begins with a few bytes there and back; they are no reason to take the line for a slow one. */
static void a_few_bytes_at_the_start_prove_no_limit(void **state UNUSED)
{
	line_start(2.5e6, 40000, 0, 0);
	for (int i = 0; i < 5; i++) {
		send_one(40, CREDIT_NO_MORE);
		for (int64_t end = line.now_us + 50000; line.now_us < end;
			line.now_us += STEP)
			deliver();
	}
	assert_int_equal(credit_rate(&line.credit), 0);
	assert_int_equal(credit_budget(&line.credit), CREDIT_START);
	run(SECOND);
	assert_in_range(credit_rate(&line.credit), 2200000, 2900000);
	/* What is more than was assumed is known at once. */
	line_start(100e6, 300, 0, 0);
	send_one(4096, CREDIT_NO_MORE);
	line.now_us += 1000;
	deliver();
	assert_true(credit_rate(&line.credit) > CREDIT_ASSUMED);
}

/* The pacer sends nothing until there is room for half an update. On a short line the budget of a probe
 * is less than that, and without anything in flight nobody would ever raise it. */
static void a_probe_does_not_silence_a_quiet_desktop(void **state UNUSED)
{
	static const double rates[] = {0.05e6, 0.6e6, 2.5e6, 12.5e6, 100e6};
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		int64_t waited_us = 0, next_us = 0;
		line_start(rates[i], 300, 0, 0);
		run(2 * SECOND);
		for (; line.now_us < 60 * SECOND; line.now_us += STEP) {
			/* So that the lowest one grows old. */
			line.rtt_us = line.now_us < 10 * SECOND ? 300 : 3000;
			int64_t half = credit_rate(&line.credit) * 15 / 2000;
			half = half < 3072 ? 3072 : half > 32768 ? 32768 : half;
			deliver();
			if (line.now_us < next_us)
				continue;
			if (credit_budget(&line.credit) - in_flight() < half) {
				waited_us += STEP;
				assert_true(waited_us < SECOND);
				continue;
			}
			waited_us = 0;
			send_one(300, CREDIT_NO_MORE);
			next_us = line.now_us + 100000;
		}
	}
}

static void many_small_records_are_counted(void **state UNUSED)
{
	line_start(2.5e6, 40000, 0, 0);
	for (int i = 0; i < 20000; i++) {
		deliver();
		while (in_flight() + 200 <= credit_budget(&line.credit))
			send_one(200, CREDIT_MORE_WAITS);
		line.now_us += STEP;
	}
	assert_in_range(credit_rate(&line.credit), 2200000, 2900000);
}

static void never_above_4_mib(void **state UNUSED)
{
	line_start(1000e6, 150000, 0, 0);
	run(8 * SECOND);
	assert_true(credit_budget(&line.credit) <= CREDIT_MAX);
	assert_true(in_flight() <= CREDIT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_lines_have_short_queues),
		cmocka_unit_test(begins_with_128_kib),
		cmocka_unit_test(a_slower_line_is_noticed),
		cmocka_unit_test(a_faster_line_is_noticed),
		cmocka_unit_test(a_longer_way_is_not_taken_for_a_queue),
		cmocka_unit_test(little_to_send_proves_no_limit),
		cmocka_unit_test(a_few_bytes_at_the_start_prove_no_limit),
		cmocka_unit_test(a_probe_does_not_silence_a_quiet_desktop),
		cmocka_unit_test(many_small_records_are_counted),
		cmocka_unit_test(never_above_4_mib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
