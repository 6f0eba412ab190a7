#include "rfb/decoder_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/text.h"
#include "rfb/decoder_ipc.h"

int decoder_child_find(char *ret, size_t size)
{
	static const char *const places[] = {
		"engawa-decoder", "../libexec/engawa/engawa-decoder"};
	char self[4096], path[4096 + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return -REASON_MISSING_PROGRAM;
	self[n] = 0;
	char *slash = strrchr(self, '/');
	if (!slash)
		return -REASON_MISSING_PROGRAM;
	slash[1] = 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(path, sizeof path, "%s%s", self, places[i]);
		if (!access(path, X_OK))
			return text_copy(ret, size, path);
	}
	return -REASON_MISSING_PROGRAM;
}

int decoder_child_memory(int *ret_fd, unsigned char **ret_map)
{
	int fd = memfd_create("engawa-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0)
		return -REASON_NO_MEMORY;
	if (ftruncate(fd, (off_t)PICTURE_BYTES) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	map = mmap(NULL, PICTURE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	/* Somebody's desktop is not for the core file of a crashed viewer. */
	madvise(map, PICTURE_BYTES, MADV_DONTDUMP);
	*ret_fd = fd;
	*ret_map = map;
	return 0;
fail:
	close(fd);
	return -REASON_NO_MEMORY;
}

/* A number above the three places, so that no dup2 treads on one that is still needed. */
static int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, DECODER_FD_PIXELS + 1);
}

static int plan(posix_spawn_file_actions_t *actions, const int fds[static 3])
{
	int r = 0;

	for (int fd = 0; fd < 3 && !r; fd++)
		r = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
	for (int i = 0; i < 3 && !r; i++)
		r = posix_spawn_file_actions_adddup2(actions, fds[i], DECODER_FD_RFB + i);
	/* Other parts of the viewer may hold descriptors that are not close-on-exec. */
	if (!r)
		r = posix_spawn_file_actions_addclosefrom_np(actions,
			DECODER_FD_PIXELS + 1);
	return r;
}

/* Signals that the viewer blocks or ignores must work on the child. */
static int plain_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_setsigmask(attr, &none) ||
		posix_spawnattr_setsigdefault(attr, &all))
		return -1;
	/* A group of its own: Ctrl-C in the terminal is the viewer's business. */
	return posix_spawnattr_setflags(attr,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

int decoder_child_spawn(pid_t *ret, const char *program, int rfb_fd, int ipc_fd,
	int pixels_fd)
{
	int fds[3] = {lift(rfb_fd), lift(ipc_fd), lift(pixels_fd)};
	char name[] = "engawa-decoder", *argv[] = {name, NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r = -REASON_NO_MEMORY;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || plan(&actions, fds) ||
		plain_signals(&attr))
		goto out;
	int error = posix_spawn(ret, program, &actions, &attr, argv, envp);
	r = !error                               ? 0
	    : error == ENOENT || error == EACCES ? -REASON_MISSING_PROGRAM
						 : -REASON_NO_MEMORY;
out:
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

void decoder_child_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
