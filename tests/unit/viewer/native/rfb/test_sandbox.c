/* What a taken-over decoder can still do: tried, in a forked process that has gone through the
 * same functions as the child.
 */
#include "unit/viewer/native/desk_rig.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "rfb/sandbox.h"

enum { FILTER = 1, FILES = 2 };

static void open_file(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	_exit(fd < 0 ? 3 : 0);
}

static void make_socket(void)
{
	_exit(socket(AF_INET, SOCK_STREAM, 0) < 0 ? 3 : 0);
}

static void run_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(3);
}

static void fork_away(void)
{
	_exit(fork() < 0 ? 3 : 0);
}

static void make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);

	_exit(p == MAP_FAILED ? 3 : 0);
}

static void kill_parent(void)
{
	_exit(kill(getppid(), 0) ? 3 : 0);
}

static void trace_parent(void)
{
	_exit(ptrace(PTRACE_ATTACH, getppid(), 0, 0) ? 3 : 0);
}

static void make_dir(void)
{
	_exit(mkdir("/tmp/engawa-sandbox-test", 0700) ? 3 : 0);
}

/* What the decoder does need. */
static void work(void)
{
	char byte;
	struct pollfd fd = {.fd = 3, .events = POLLIN};
	int *memory = malloc(8 << 20);

	if (!memory || poll(&fd, 1, 0) < 0 || write(3, "x", 1) != 1 ||
		recv(3, &byte, 1, MSG_DONTWAIT) >= 0)
		_exit(4);
	memory[1000000] = 7;
	free(memory);
	struct timespec now;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	_exit(0);
}

static int try(int layers, void (*deed)(void))
{
	int fds[2], status;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		for (int i = 1; i < 32; i++)
			signal(i, SIG_DFL);
		dup2(fds[0], 3);
		if (sandbox_limits(4) || ((layers & FILES) && sandbox_files()) ||
			((layers & FILTER) && sandbox_calls()))
			_exit(9);
		deed();
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	return status;
}

static void test_forbidden_calls_kill(void **state)
{
	static void (*const deeds[])(void) = {open_file, make_socket, run_program,
		fork_away, make_code, kill_parent, trace_parent, make_dir};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		int status = try(FILTER | FILES, deeds[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("deed %zu: status %x", i, status);
	}
}

static void test_needed_calls_work(void **state)
{
	(void)state;
	assert_int_equal(try(FILTER | FILES, work), 0);
}

/* Each layer holds by itself: files stay closed without the filter. Where the kernel has no Landlock
 * there is nothing to see. */
static void test_landlock_alone(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
		skip();
	int status = try(FILES, open_file);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	status = try(FILES, make_dir);
	assert_int_equal(WEXITSTATUS(status), 3);
	/* And the test would notice: without any layer a directory can be made. */
	status = try(0, make_dir);
	assert_int_equal(WEXITSTATUS(status), 0);
	rmdir("/tmp/engawa-sandbox-test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden_calls_kill),
		cmocka_unit_test(test_needed_calls_work),
		cmocka_unit_test(test_landlock_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
