/* desk_rig: real X servers and programs for the tests of the desktop half, and the pump that stands
 * in for the tunnel. Every process dies with the test (PR_SET_PDEATHSIG) and is ended by its pid.
 */
#ifndef DESK_RIG_H
#define DESK_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"

/* Long: two cores, shared with compilers. A test that passes does not wait for it. */
#define RIG_PATIENCE_MS 60000

/* Tests are in build/tests, programs in build/bin. */
static UNUSED const char *rig_decoder(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);

	assert_true(n > 0);
	path[n] = 0;
	strcpy(strrchr(path, '/'), "/../bin/engawa-decoder");
	return path;
}

static UNUSED pid_t rig_spawn(const char *display, int keep_fd, const char *const *argv)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (display)
		setenv("DISPLAY", display, 1);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	if (!getenv("RIG_VERBOSE")) {
		dup2(null, 1);
		dup2(null, 2);
	}
	if (keep_fd >= 0)
		fcntl(keep_fd, F_SETFD, 0);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static UNUSED void rig_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int i = 0; i < 200; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Runs to its end; its exit code. */
static UNUSED int rig_run(const char *display, const char *const *argv)
{
	int status;
	pid_t pid = rig_spawn(display, -1, argv);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
#define RIG_RUN(display, ...) rig_run((display), (const char *const[]){__VA_ARGS__, NULL})

static UNUSED void rig_temp(char *ret, size_t size)
{
	snprintf(ret, size, "/tmp/engawa-desk-XXXXXX");
	assert_non_null(mkdtemp(ret));
}

static UNUSED void rig_remove(const char *dir)
{
	RIG_RUN(NULL, "rm", "-rf", dir);
}

struct rig_x {
	pid_t pid;
	char display[16];
};

/* argv[0] is Xvfb or Xvnc; two slots at the end are filled with -displayfd N. */
static UNUSED struct rig_x rig_x_start(const char **argv)
{
	struct rig_x x = {0};
	char number[12] = {0}, text[12];
	int fds[2], i = 0;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(text, sizeof text, "%d", fds[1]);
	while (argv[i])
		i++;
	argv[i] = "-displayfd";
	argv[i + 1] = text;
	x.pid = rig_spawn(NULL, fds[1], argv);
	close(fds[1]);
	for (size_t n = 0; n < sizeof number - 1 && !strchr(number, '\n'); n++)
		if (read(fds[0], number + n, 1) != 1)
			break;
	close(fds[0]);
	number[strcspn(number, "\n")] = 0;
	assert_true(number[0]);
	snprintf(x.display, sizeof x.display, ":%s", number);
	return x;
}

static UNUSED struct rig_x rig_xvfb(const char *geometry)
{
	const char *argv[10] = {"Xvfb", "-screen", "0", geometry, "-nolisten", "tcp"};

	return rig_x_start(argv);
}

/* `path` is the Unix socket on which it speaks RFB. */
static UNUSED struct rig_x rig_xvnc(const char *geometry, const char *path)
{
	const char *argv[20] = {"Xvnc", "-geometry", geometry, "-depth", "24",
		"-SecurityTypes", "None", "-rfbport", "-1", "-rfbunixpath", path,
		"-nolisten", "tcp"};

	return rig_x_start(argv);
}

static UNUSED int rig_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	while (clock_mono_ms() < until) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof address)) {
			fcntl(fd, F_SETFL, O_NONBLOCK);
			return fd;
		}
		close(fd);
		usleep(20000);
	}
	fail_msg("no server at %s", path);
	return -1;
}

/* The tunnel's place: bytes both ways between two sockets, without blocking. */
struct rig_pump {
	int fd[2];
	uint8_t *bytes[2]; /* read from [i], not yet written to the other */
	size_t len[2], done[2];
	uint64_t total[2];
};
#define RIG_PUMP_SIZE 65536

static UNUSED void rig_pump_open(struct rig_pump *pump, int a, int b)
{
	memset(pump, 0, sizeof *pump);
	pump->fd[0] = a;
	pump->fd[1] = b;
	for (int i = 0; i < 2; i++)
		assert_non_null(pump->bytes[i] = malloc(RIG_PUMP_SIZE));
}

static UNUSED void rig_pump_close(struct rig_pump *pump)
{
	for (int i = 0; i < 2; i++) {
		if (pump->bytes[i])
			close(pump->fd[i]);
		free(pump->bytes[i]);
		pump->bytes[i] = NULL;
	}
}

static UNUSED void rig_pump_turn(struct rig_pump *pump)
{
	for (int i = 0; pump->bytes[0] && i < 2; i++) {
		if (!pump->len[i]) {
			ssize_t n = recv(pump->fd[i], pump->bytes[i], RIG_PUMP_SIZE,
				MSG_DONTWAIT);
			if (n == 0)
				shutdown(pump->fd[!i], SHUT_WR);
			pump->len[i] = n > 0 ? (size_t)n : 0;
			pump->done[i] = 0;
			pump->total[i] += pump->len[i];
		}
		ssize_t n = 0;
		if (pump->len[i])
			n = send(pump->fd[!i], pump->bytes[i] + pump->done[i],
				pump->len[i], MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			pump->done[i] += (size_t)n;
			pump->len[i] -= (size_t)n;
		}
	}
}

/* Raw pixels of a display as an X client sees them: 3 bytes each. */
static UNUSED uint8_t *rig_grab(const char *display, const char *dir, size_t *ret_len)
{
	char path[256], target[280];
	struct stat st;

	snprintf(path, sizeof path, "%s/grab.rgb", dir);
	snprintf(target, sizeof target, "rgb:%s", path);
	assert_int_equal(RIG_RUN(display, "import", "-silent", "-window", "root",
				 "-depth", "8", target),
		0);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	uint8_t *bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	*ret_len = (size_t)st.st_size;
	return bytes;
}

#endif
