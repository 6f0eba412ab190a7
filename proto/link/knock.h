/* knock: one attempt at a gateway, waited for: in, WELCOME or a reason, and out again. For enrolling and for
 * the doctors.
 *
 * Thread: main, without a running loop; it brings its own. Errors: those of link/uplink.h.
 */
#ifndef LINK_KNOCK_H
#define LINK_KNOCK_H

#include "base/check.h"
#include "link/uplink.h"
#include "wire/message.h"

struct knock_answer {
	struct message_welcome welcome; /* when it was let in */
	char gateway[TEXT_HOST_SIZE + 16];
	char detail[UPLINK_DETAIL]; /* of a failure */
	int64_t clock_skew_ms;
};

MUST_CHECK int knock(const struct uplink_config *config, struct knock_answer *ret);

#endif
