#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/worker.h"

#define SENDERS 3
#define ITEMS 20000

struct letter {
	struct post_item item;
	int sender, number;
};

static struct worker *worker;
static int last[SENDERS], wrong;
static atomic_int arrived;

static void read_letter(struct post_item *item)
{
	struct letter *letter = (struct letter *)item;
	wrong += letter->number != last[letter->sender]++;
	wrong += !worker_is_here(worker);
	free(letter);
	atomic_fetch_add(&arrived, 1);
}

static void *send_letters(void *ctx)
{
	int sender = (int)(intptr_t)ctx;
	for (int i = 0; i < ITEMS; i++) {
		struct letter *letter = malloc(sizeof(*letter));
		*letter = (struct letter){{NULL, read_letter}, sender, i};
		post_put(worker_box(worker), &letter->item);
	}
	return NULL;
}

/* Every item once, each sender's in its order, on the worker's thread; none is forgotten when the
 * worker stops while letters are on the way. */
static void the_box_keeps_order_and_loses_nothing(void **state)
{
	pthread_t threads[SENDERS];
	(void)state;
	assert_int_equal(worker_new("test", &worker), 0);
	assert_int_equal(worker_start(worker), 0);
	assert_false(worker_is_here(worker));
	for (intptr_t i = 0; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, send_letters, (void *)i);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	worker_stop(worker);
	assert_true(worker_is_here(worker));
	worker = worker_free(worker);
	assert_int_equal(atomic_load(&arrived), SENDERS * ITEMS);
	assert_int_equal(wrong, 0);
}

static char order[16];
static int written;

static void note(char what)
{
	order[written++] = what;
	order[written] = 0;
}

static struct post_item second;

static void run_second(struct post_item *item)
{
	(void)item;
	note('b');
}

static void run_first(struct post_item *item)
{
	(void)item;
	note('a');
	second.run = run_second;
	worker_defer(worker, &second);
}

static void flush_one(struct worker_writer *writer)
{
	(void)writer;
	note('1');
}

static void flush_two(struct worker_writer *writer)
{
	(void)writer;
	note('2');
}

/* Bytes leave before memory goes; what is deferred meanwhile still runs in this turn. */
static void the_end_of_a_turn_flushes_first(void **state)
{
	struct worker_writer one = {flush_one}, two = {flush_two};
	struct post_item first = {NULL, run_first};
	(void)state;
	written = 0;
	assert_int_equal(worker_new("test", &worker), 0);
	worker_defer(worker, &first);
	worker_write_take(worker, &one);
	worker_write_take(worker, &one); /* its own already: nothing happens */
	assert_int_equal(written, 0);
	worker_write_take(worker, &two);
	worker_turn(worker, 0);
	assert_string_equal(order, "12ab");
	worker_write_take(worker, &one);
	worker_write_drop(worker, &two); /* not the one who has it */
	worker_write_drop(worker, &one);
	worker_turn(worker, 0);
	assert_string_equal(order, "12ab");
	worker = worker_free(worker);
}

static void on_time(void *ctx)
{
	(*(int *)ctx)++;
}

static void a_timer_runs_once_and_can_be_stopped(void **state)
{
	struct worker_timer *timer, *stopped;
	int ran = 0, never = 0;
	(void)state;
	assert_int_equal(worker_new("test", &worker), 0);
	assert_int_equal(worker_timer_new(worker, on_time, &ran, &timer), 0);
	assert_int_equal(worker_timer_new(worker, on_time, &never, &stopped), 0);
	worker_timer_set(timer, 1);
	worker_timer_set(stopped, 1);
	worker_timer_set(stopped, -1);
	for (int i = 0; i < 1000 && !ran; i++)
		worker_turn(worker, 10);
	for (int i = 0; i < 3; i++)
		worker_turn(worker, 2);
	assert_int_equal(ran, 1);
	assert_int_equal(never, 0);
	worker_timer_free(timer);
	worker_timer_free(stopped);
	worker = worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_box_keeps_order_and_loses_nothing),
		cmocka_unit_test(the_end_of_a_turn_flushes_first),
		cmocka_unit_test(a_timer_runs_once_and_can_be_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
