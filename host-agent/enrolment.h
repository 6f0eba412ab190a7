/* enrolment: what `engawa-host enroll` left behind: DIR/enrolment.json (mode 0600) and DIR/ca.pem. It is written
 * when a gateway has accepted the host, and not before.
 *
 * Thread: main. Errors: -REASON_NOT_ENROLLED when there is none, else those of e2e/private_file.h.
 */
#ifndef AGENT_ENROLMENT_H
#define AGENT_ENROLMENT_H

#include <stdint.h>

#include "base/check.h"
#include "link/access.h"
#include "link/uplink.h"

struct enrolment {
	struct access access;
	char name[129]; /* of this host, for people */
	int64_t enrolled_ms;
};

MUST_CHECK int enrolment_read(const char *dir, struct enrolment *ret);
MUST_CHECK int enrolment_write(const char *dir, const struct enrolment *enrolment);
/* "DIR/ca.pem" in `ret`, or NULL for the system's roots. */
/* Whether that CA is whole: -REASON_FILE_UNREADABLE, -REASON_STATE_DAMAGED. */
MUST_CHECK int enrolment_ca_check(const char *dir, const struct enrolment *enrolment);
const char *enrolment_ca(const char *dir, const struct enrolment *enrolment, char *ret,
	size_t size);

/* What an uplink of this host needs; everything is borrowed. `ca_file` NULL: the system's roots. */
struct uplink_config enrolment_uplink(const struct enrolment *enrolment,
	const struct identity *identity, const char *ca_file, const char *inventory);

#endif
