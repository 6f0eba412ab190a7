/* agent: engawa-host as it runs: the desktop on one side, a leg at a gateway on the other, one session
 * between them, and coming back by itself from whatever goes away.
 *
 * Thread: main; agent_run() is its loop. It opens no listening socket.
 * Errors of agent_run(): what keeps it from starting: -REASON_NOT_ENROLLED, -REASON_ALREADY_RUNNING,
 * -REASON_NO_DISPLAY, -REASON_DISPLAY_LACKS, -REASON_VNC_UNREACHABLE, -REASON_CONFIG (veto file), and
 * those of the state files. What goes wrong later is logged, shown by `status`, and tried again.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "base/check.h"

struct agent_config {
	const char *dir;
	const char *display;           /* NULL: $DISPLAY */
	const char *vnc;               /* "HOST:PORT" instead of a display */
	const char *vnc_password_file; /* NULL: none */
	int pattern;                   /* the built-in test picture */
	int ready_fd;                  /* -1: none */
};

/* Until SIGTERM or SIGINT. On error `detail` says more, or is "". */
#define AGENT_DETAIL 700
MUST_CHECK int agent_run(const struct agent_config *config,
	char detail[static AGENT_DETAIL]);

#endif
