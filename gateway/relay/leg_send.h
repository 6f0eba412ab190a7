/* leg_send: what a leg says. Each function writes one frame; a leg that cannot take it is ending anyway, so
 * none of them has a result.
 *
 * Thread: the worker of its desk.
 * Owner: the leg is borrowed for the call.
 */
#ifndef RELAY_LEG_SEND_H
#define RELAY_LEG_SEND_H

#include <stdint.h>

struct leg;
struct message_open;
struct message_policy;

/* `session` and `detail` may be NULL; `retry_ms` 0: the end waits as long as it likes. */
void leg_send_close(struct leg *leg, int reason, const char *session, int64_t retry_ms,
	const char *detail);
void leg_send_open(struct leg *leg, const struct message_open *open);
void leg_send_policy(struct leg *leg, const struct message_policy *policy);
/* The operator's, as JSON; not to one that is carried: it hears them from the node it came to. */
void leg_send_notices(struct leg *leg, const char *notices);
/* Another gateway is to be found within this time. */
void leg_send_drain(struct leg *leg, int64_t within_ms);
/* FRAME_PING or FRAME_PONG. */
void leg_send_keepalive(struct leg *leg, uint8_t type, const uint8_t payload[static 8]);

#endif
