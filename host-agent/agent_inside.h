/* agent_inside: what the files of the agent share, and nobody else includes: agent.c (its life, its desktop,
 * its session), agent_line.c (gateways: signing in, coming back, what they say).
 *
 * Thread and owner: as agent.h.
 */
#ifndef AGENT_AGENT_INSIDE_H
#define AGENT_AGENT_INSIDE_H

#include <event2/event.h>

#include "agent.h"
#include "base/text.h"
#include "enrolment.h"
#include "link/backoff.h"
#include "link/news.h"
#include "link/uplink.h"
#include "pair_guard.h"

#define AGENT_MAGIC 0x4147454e

struct agent {
	uint32_t magic;
	const struct agent_config *config;
	struct event_base *base;
	struct loop_box *box;
	struct event *tick, *attempt, *move, *desktop_retry, *signals[2];
	struct identity *identity;
	struct peers *peers;
	struct enrolment enrolment;
	struct pair_guard guard;
	struct backoff backoff;
	struct desktop *desktop;
	struct text_endpoint vnc;
	struct uplink *uplink;
	struct agent_session *session;
	uint64_t fence;
	int64_t grace_ms, online_since_ms;
	int lock, ready_fd, leaving, online;
	int moving; /* to another gateway, because this one is drained */
	size_t gateway;
	struct news news; /* of the operator */
	int why;          /* REASON_* of the last failure */
	char why_detail[UPLINK_DETAIL];
};

/* What `engawa-host status` shows. */
void agent_tell_status(struct agent *agent);
/* A session that no leg carries yet. */
MUST_CHECK int agent_begin_session(struct agent *agent);

/* agent_line.c: the timers of the next attempt, and of going to another gateway. */
void agent_line_attempt(evutil_socket_t fd, short what, void *ctx);
void agent_line_move(evutil_socket_t fd, short what, void *ctx);

#endif
