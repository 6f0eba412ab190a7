/* sandbox: what the decoder child gives up before it reads the first byte of the host.
 *
 * Thread: the child's first thread, in the order in which they stand here. A compromised decoder
 * can then compute, write the picture, and answer on the descriptors it already has; it can open
 * no file, no socket and no process, and cannot be traced or leave a core file.
 * Errors: -REASON_INTERNAL; the child must then leave, there is no mode without a sandbox.
 */
#ifndef RFB_SANDBOX_H
#define RFB_SANDBOX_H

#include "base/check.h"

/* Closes all descriptors from `first_fd` on, sets the resource limits, clears the environment,
 * no_new_privs, not dumpable. */
MUST_CHECK int sandbox_limits(int first_fd);
/* Landlock with no permitted path, port or abstract socket. 0 also where the kernel has none: the
 * list of system calls stands by itself. Call before the first thread: it binds only the caller. */
MUST_CHECK int sandbox_files(void);
/* seccomp: a short list of system calls in all threads of the process; any other kills it. */
MUST_CHECK int sandbox_calls(void);

#endif
