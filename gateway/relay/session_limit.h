/* session_limit: when a session has to end at the latest, by license, policy and node, and what a policy does that
 * changes while it lives.
 *
 * Thread and owner: as session.h.
 */
#ifndef RELAY_SESSION_LIMIT_H
#define RELAY_SESSION_LIMIT_H

struct leg;
struct session;

/* How fast it may carry, as its policy, its company and this node say now. It is live; ends it for want
 * of memory. */
void session_limit_rates(struct session *session);
void session_limit_begin(struct session *session, const struct leg *viewer);
/* What the company permits has changed: both ends are told, and it ends sooner if that says so. */
void session_limit_narrow(struct session *session, const char *policy);

#endif
