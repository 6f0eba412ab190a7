/* agent_session: one session as the office PC lives it: who may come in, what they may do, the desktop's
 * stream in the tunnel, the clipboard, the sign at the office, and the end.
 *
 * Everything that a gateway or a viewer says only narrows: granted = wanted AND the device's rights AND
 * the veto file AND the company's policy (e2e/pin_rules.h).
 * Thread: main. Owner: the agent, which also owns the desktop, the peers and the uplink that a session borrows;
 * it tells the session when those go away.
 */
#ifndef AGENT_AGENT_SESSION_H
#define AGENT_AGENT_SESSION_H

#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"
#include "wire/message.h"

struct agent_session;
struct desktop;
struct desktop_event;
struct event_base;
struct identity;
struct news;
struct pair_guard;
struct peers;
struct uplink;

/* What the agent lends for as long as the session lives. */
struct agent_session_house {
	struct event_base *base;
	const struct identity *identity;
	struct peers *peers;
	struct pair_guard *guard;
	const char *dir;     /* state directory: tickets, veto.conf, records */
	const char *license; /* public id, upper case */
	const char *host_name;
	int64_t grace_ms;
	uint64_t fence;          /* the last one seen */
	const struct news *news; /* the operator's notices; borrowed, may change */
	/* The session is over and may be freed. */
	void (*ended)(void *ctx, int reason);
	/* Something that the status file shows has changed. */
	void (*changed)(void *ctx);
	/* A tunnel is up under this fence: to be remembered before anything else happens. */
	int (*fence_seen)(void *ctx, uint64_t fence);
	void *ctx;
};

MUST_CHECK int agent_session_new(struct agent_session **ret,
	const struct agent_session_house *house);
/* An OPEN for it, first or resumed. On error the session at the node is to be closed. */
MUST_CHECK int agent_session_open(struct agent_session *session, struct uplink *uplink,
	const struct message_open *open);
/* The operator's notices have changed: the sign at the office says the next planned stop. */
void agent_session_news(struct agent_session *session);
/* The company's policy has changed: only ever narrows the session, or ends it. */
void agent_session_policy(struct agent_session *session, const char *text);
void agent_session_data(struct agent_session *session, uint8_t *record, size_t len);
void agent_session_room(struct agent_session *session);
void agent_session_close(struct agent_session *session,
	const struct message_close *close);
/* The leg is gone. */
void agent_session_cut(struct agent_session *session, int reason);
/* We part from this leg, and the session goes on on the next one: CLOSE with this reason and the receipt. */
void agent_session_part(struct agent_session *session, int reason);
/* NULL and why: there is no desktop at the moment; viewers are told that reason. */
void agent_session_desktop(struct agent_session *session, struct desktop *desktop,
	int reason);
void agent_session_event(struct agent_session *session,
	const struct desktop_event *event);
/* Ends it from here. */
void agent_session_end(struct agent_session *session, int reason);
/* Every two seconds: peers removed, veto file changed, time up. */
void agent_session_tick(struct agent_session *session, int64_t wall_ms);

/* Another session takes its place: it ends as any other does (records, lock), but at once and without
 * `ended`, and is freed. Returns NULL. */
struct agent_session *agent_session_replace(struct agent_session *session);

const uint8_t *agent_session_id(const struct agent_session *session);
/* Who is connected, "" before. */
const char *agent_session_viewer(const struct agent_session *session);
uint16_t agent_session_rights(const struct agent_session *session);
int64_t agent_session_since_ms(const struct agent_session *session);
struct agent_session *agent_session_free(struct agent_session *session);

#endif
