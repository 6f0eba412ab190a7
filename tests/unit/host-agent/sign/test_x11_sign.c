/* The sign on a real X server: shown again and again, by a process that uses its memory for other
 * things in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/reason.h"
#include "sign/x11_sign.h"
#include "unit/host-agent/x_world.h"

/* What is freed has to be given out again, or a library's use of freed memory stays unseen. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

static void pressed(void *ctx)
{
	(*(int *)ctx)++;
}

static void reuse_memory(void)
{
	char *pieces[600];
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		size_t size = 16 + 8 * (i % 6);
		pieces[i] = malloc(size);
		assert_non_null(pieces[i]);
		memset(pieces[i], 0x6f, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		free(pieces[i]);
}

static void test_shown_for_every_session(void **state)
{
	const struct x_world *world = *state;
	int presses = 0;
	for (int i = 0; i < 12; i++) {
		struct x11_sign *sign = NULL;
		alarm(60); /* a reply that is lost is waited for without end */
		assert_int_equal(x11_sign_new(world->display, "佐藤 is connected", "End",
					 pressed, &presses, &sign),
			0);
		x11_sign_free(sign);
		reuse_memory();
	}
	alarm(0);
	assert_int_equal(presses, 0);
}

static void test_without_a_display(void **state UNUSED)
{
	struct x11_sign *sign = NULL;
	assert_int_equal(x11_sign_new(":4711", "nobody", "End", pressed, NULL, &sign),
		-REASON_NO_DISPLAY);
	assert_null(sign);
	assert_null(x11_sign_free(NULL));
}

static int start_world(void **state)
{
	static struct x_world world;
	*state = &world;
	return x_world_start(&world, "800x600x24") ? 0 : -1;
}

static int end_world(void **state)
{
	x_world_stop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown_for_every_session),
		cmocka_unit_test(test_without_a_display),
	};
	return cmocka_run_group_tests(tests, start_world, end_world);
}
