/* agent_session_inside: what the files of a session share, and nobody else includes: agent_session.c (its life
 * and its bytes), agent_session_admit.c (who may come in, and the question to the person at the office),
 * agent_session_watch.c (what is in force while it lives).
 *
 * Thread and owner: as agent_session.h.
 */
#ifndef AGENT_AGENT_SESSION_INSIDE_H
#define AGENT_AGENT_SESSION_INSIDE_H

#define SESSION_MAGIC 0x53455353

#include "agent_session.h"
#include "link/tunnel.h"
#include "permitted.h"
#include "silence.h"
#include "veto.h"

/* Bits of `warned`: the viewer has been told that its session will end of this. */
#define WARNED_OF_TIME 1u
#define WARNED_OF_IDLE 2u

struct agent_session {
	uint32_t magic;
	struct agent_session_house house;
	struct uplink *uplink; /* NULL while cut */
	struct desktop *desktop;
	int desktop_reason; /* why there is none */
	struct tunnel *tunnel;
	struct bridge *bridge;
	struct clip_lane *clip;
	enum prologue_purpose purpose;
	uint8_t id[16], key[INNER_KEY];
	char viewer[INNER_NAME_SIZE], user[INNER_NAME_SIZE], address[65];
	/* As it was paired: what the viewer says of itself today proves nothing. */
	char paired_device[INNER_NAME_SIZE], paired_user[INNER_NAME_SIZE];
	enum inner_class class, paired_class;
	uint16_t wanted, device_rights, rights;
	uint32_t features;
	struct permitted told; /* by the gateway, ever narrower while the session lives */
	struct permitted in_force;   /* that, and the veto file */
	int64_t since_ms, up_ms;     /* wall clock, monotonic: when it came up first */
	int up, marked;              /* marked: the watermark is on */
	struct inner_rects monitors; /* as the viewer was told; one alone is none */
	unsigned question;           /* to the person at the office; 0: none is open */
	int consented;
	unsigned warned;
	int64_t clip_limit; /* the desktop keeps to it */
	struct silence silence;
	struct event *notes; /* what is written down of a session that is up */
};

/* -REASON_CONFIG: it has an error, and nobody is let in. */
MUST_CHECK int agent_session_veto(const struct agent_session *session, struct veto *ret);
/* For the log that the host keeps itself; takes `reason` if it is not 0. */
void agent_session_note(struct agent_session *session, const char *event, int reason);

/* agent_session_admit.c: for the tunnel's events. */
int agent_session_admit_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY]);
int agent_session_admit_accept(void *ctx, const struct tunnel_peer *peer);
void agent_session_admit_guessed(void *ctx, uint32_t ticket);
void agent_session_admit_ask(void *ctx, const struct tunnel_peer *peer);
int agent_session_admit_paired(void *ctx, const struct tunnel_paired *paired);
/* The person at the office has answered, or nobody. */
void agent_session_admit_answer(struct agent_session *session, unsigned question,
	int yes);
/* Nobody waits for the answer any more. */
void agent_session_admit_forget(struct agent_session *session);

/* agent_session_watch.c. Reads the veto file and works out what is in force. 0 or why the session may not be
 * (any more); `wall_ms` for the hours. */
MUST_CHECK int agent_session_watch_force(struct agent_session *session, int64_t wall_ms,
	uint16_t *ret_rights);
/* Puts limits and watermark upon the desktop. -REASON_POLICY when the watermark cannot be written. */
MUST_CHECK int agent_session_watch_apply(struct agent_session *session);
void agent_session_watch_policy(struct agent_session *session, const char *text);
void agent_session_watch_tick(struct agent_session *session, int64_t wall_ms);
/* A line in the viewer's window. */
void agent_session_watch_tell(struct agent_session *session, int reason, const char *en,
	const char *ja);

#endif
