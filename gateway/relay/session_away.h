/* session_away: a session that begins while the store is away (degraded_mode = cache; docs/decisions/0023).
 *
 * It has no claim, and a fence that this node draws: greater than every one that it has seen. Two pairs cannot come of
 * it, for a viewer comes only to a host whose leg is on this very node, whose one seat is taken here, and the host
 * itself takes one session and only a greater fence. When the store is back the session is claimed like one whose claim
 * ran out; the store's next fence is then greater than ours. Who has the license meanwhile keeps it, and ours ends.
 *
 * Thread: the worker of the session's desk.
 */
#ifndef RELAY_SESSION_AWAY_H
#define RELAY_SESSION_AWAY_H

#include "base/check.h"

struct leg;
struct session;
struct state_answer;

/* 0, or why this viewer, let in from the cache, may not ask this of this host: REASON_*. */
int session_away_refuses(const struct leg *host, const struct leg *viewer);
/* The store did not answer. Whether the session goes on without: looked up, by an id that this node remembers or a
 * fresh one; claimed, with a fence of this node's. */
int session_away_look_up(struct session *session);
int session_away_claim(struct session *session);
/* The store has a claim for a session that began without: whether this node made it, and the answer was lost. */
int session_away_is_ours(const struct session *session,
	const struct state_answer *answer);

#endif
