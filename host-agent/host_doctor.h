/* host_doctor: looks at everything that a session needs, in the order in which it is needed, and says of each
 * whether it is there and what to do. Changes nothing and disturbs no running agent.
 *
 * Thread: main. Returns 0, or the first failure as -REASON_*; all findings are printed either way.
 */
#ifndef AGENT_HOST_DOCTOR_H
#define AGENT_HOST_DOCTOR_H

#include "base/check.h"

struct host_doctor_config {
	const char *dir, *display, *vnc;
	int json;
};

MUST_CHECK int host_doctor_run(const struct host_doctor_config *config);

#endif
