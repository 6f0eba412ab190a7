#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

struct thing {
	uint32_t magic;
};

#define THING_MAGIC 0x7468696e

/* Runs a failing check in a child; its last words end up in `ret`. */
static int die_of(struct thing *thing, char *ret, size_t size)
{
	int pipe_fd[2], status;
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(pipe_fd[1], 2);
		signal(SIGABRT, SIG_DFL);
		CHECK_OBJ(thing, THING_MAGIC);
		_exit(0);
	}
	close(pipe_fd[1]);
	ssize_t n = read(pipe_fd[0], ret, size - 1);
	ret[n < 0 ? 0 : n] = 0;
	close(pipe_fd[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void failed_check_names_its_place(void **state)
{
	(void)state;
	char words[300];
	struct thing freed = {0};
	assert_int_equal(die_of(&freed, words, sizeof(words)), SIGABRT);
	assert_non_null(strstr(words, "test_check.c:"));
	assert_non_null(strstr(words, "check failed"));
	assert_int_equal(die_of(NULL, words, sizeof(words)), SIGABRT);
}

static void true_check_does_nothing(void **state)
{
	(void)state;
	char words[300];
	struct thing alive = {THING_MAGIC};
	assert_int_equal(die_of(&alive, words, sizeof(words)), 0);
	assert_string_equal(words, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_check_names_its_place),
		cmocka_unit_test(true_check_does_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
