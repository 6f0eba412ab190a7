/* enroll: binds this PC to a license, once: proves the license key to a gateway and keeps what is needed
 * to come back. Nothing is stored unless the gateway said yes.
 *
 * Thread: main; waits for the network. Errors: those of link/uplink.h, e2e/identity.h,
 * -REASON_ALREADY_RUNNING while an agent runs with this directory.
 */
#ifndef AGENT_ENROLL_H
#define AGENT_ENROLL_H

#include "base/check.h"

struct enroll_request {
	const char *dir, *gateways, *ca_file, *license_key, *name;
};

struct enroll_answer {
	char gateway[300], license[16], holder[257], device[24];
};

#define ENROLL_DETAIL 400
MUST_CHECK int enroll_run(const struct enroll_request *request, struct enroll_answer *ret,
	char detail[static ENROLL_DETAIL]);

#endif
