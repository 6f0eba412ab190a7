#include "rfb/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/reason.h"
#include "rfb/picture.h"

static int limit(int resource, rlim_t value)
{
	const struct rlimit limit = {value, value};

	return setrlimit(resource, &limit) ? -REASON_INTERNAL : 0;
}

int sandbox_limits(int first_fd)
{
	int r = 0;

	if (clearenv() || close_range((unsigned)first_fd, ~0U, 0))
		return -REASON_INTERNAL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -REASON_INTERNAL;
	r = r ? r : limit(RLIMIT_CORE, 0);
	r = r ? r : limit(RLIMIT_FSIZE, 0);
	/* Not 0: poll(2) refuses more entries than this. Opening is refused by the other layers. */
	r = r ? r : limit(RLIMIT_NOFILE, (rlim_t)first_fd + 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* The picture, as much again for one decompressed rectangle (libvncclient takes what a
	 * rectangle needs), the libraries. Sanitizers reserve terabytes. */
	r = r ? r : limit(RLIMIT_AS, 2 * PICTURE_BYTES + ((rlim_t)512 << 20));
#endif
	return r;
}

/* The kernel takes any prefix of this; Debian 12's header knows the first member only. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* since version 4: bind and connect TCP */
	uint64_t scoped;             /* since version 6: abstract sockets, signals */
};

int sandbox_files(void)
{
	static const unsigned char fs_rights[] = {
		0, 13, 14, 15, 15, 16}; /* bits per version */
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset ruleset = {0};
	size_t size = sizeof ruleset.handled_access_fs;

	if (version < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -REASON_INTERNAL;
	long known = version < 5 ? version : 5;
	ruleset.handled_access_fs = ((uint64_t)1 << fs_rights[known]) - 1;
	if (version >= 4) {
		ruleset.handled_access_net = 3;
		size = 2 * sizeof(uint64_t);
	}
	if (version >= 6) {
		ruleset.scoped = 3;
		size = sizeof ruleset;
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return -REASON_INTERNAL;
	long failed = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return failed ? -REASON_INTERNAL : 0;
}

/* recvfrom and sendto serve recv(2) and send(2): with no way to make a socket, only the two that
 * the child was born with can be meant. */
static const int calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(futex), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(sched_yield),
	SCMP_SYS(getrandom), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(close), SCMP_SYS(exit), SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* looked at before every function that does not return */
#endif
};

static int allow(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0))
			return -REASON_INTERNAL;
	/* Memory may be had, code may not be made. */
	if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) ||
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) ||
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_EQ, FIONREAD)))
		return -REASON_INTERNAL;
	return 0;
}

int sandbox_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = -REASON_INTERNAL;

	if (!filter)
		return -REASON_NO_MEMORY;
	if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1))
		goto out;
	r = allow(filter);
	if (r)
		goto out;
	r = seccomp_load(filter) ? -REASON_INTERNAL : 0;
out:
	seccomp_release(filter);
	return r;
}
