/* tunnel_inside: the inside of link/tunnel, shared by its three files only:
 *
 *   tunnel.c         life, legs, the owner's functions
 *   tunnel_shake.c   from OPEN to "up": handshake, fence, admission, pairing
 *   tunnel_flow.c    records both ways once it is up: lanes, ACK, probes, credit
 *
 * Thread: that of the tunnel. Every entry from outside is between tunnel_enter() and tunnel_leave():
 * while one is on the stack a freed tunnel stays in memory, dead. Errors: as tunnel.h.
 */
#ifndef LINK_TUNNEL_INSIDE_H
#define LINK_TUNNEL_INSIDE_H

#include <stdbool.h>

#include "base/reason.h"
#include "e2e/noise.h"
#include "e2e/prologue.h"
#include "link/credit.h"
#include "link/lanes.h"
#include "link/tunnel.h"

struct event;

#define TUNNEL_MAGIC 0x74756e6cu

/* Small messages that are due but wait for room: at most one of each. */
#define TUNNEL_DUE_ACK 0x01
#define TUNNEL_DUE_PROBE 0x02
#define TUNNEL_DUE_REPLY 0x04

struct tunnel {
	uint32_t magic;
	struct event_base *base;
	struct tunnel_config config;
	const struct tunnel_events *events;
	void *ctx;
	int depth;
	bool freed;

	enum tunnel_state state;
	int end_reason;
	enum tunnel_end end_how;
	struct event *timer; /* the one deadline of the present state */
	struct event
		*turn; /* runs at the end of this loop turn: `ended`, acknowledgements */
	struct event *tick; /* probes and late acknowledgements */

	/* The leg. */
	const struct carrier *carrier; /* NULL: none */
	void *carrier_ctx;
	struct prologue prologue;
	struct noise *noise;
	struct seal *seal;
	int64_t shake_us;
	unsigned shake_step;             /* messages of the handshake received */
	uint64_t leg_sent, leg_received; /* DATA payload */
	bool psk_asked;
	bool hello_read;
	struct inner_viewer_hello hello; /* host: the viewer's */

	/* The session. */
	uint8_t session[PROLOGUE_ID];
	uint64_t fence;
	bool has_session, was_up;
	unsigned resumes;
	uint8_t peer_key[INNER_KEY];
	struct tunnel_peer peer;
	struct tunnel_grant grant;
	struct lanes lanes;
	struct credit credit[SEAL_LANES]; /* picture and clipboard */
	struct gate *gate;

	unsigned due;
	int64_t acked_us, probed_us, busy_us;
	uint64_t reply_time_us;
	int64_t rtt_us, rtt_min_us;
};

static inline void tunnel_enter(struct tunnel *tunnel)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	tunnel->depth++;
}
void tunnel_leave(struct tunnel *tunnel);

/* The session is over; `ended` follows at the end of the turn. Nothing is told to anybody. */
void tunnel_end(struct tunnel *tunnel, int reason, enum tunnel_end how);
/* Something did not verify: keys are wiped, the node hears `told`, the owner `reason`. */
void tunnel_fail(struct tunnel *tunnel, int reason, int told);
void tunnel_deadline(struct tunnel *tunnel, int64_t ms); /* 0: none */
/* One record that needs no seal: a message of the handshake. */
MUST_CHECK int tunnel_raw(struct tunnel *tunnel, const uint8_t *bytes, size_t len);

/* tunnel_shake.c */
MUST_CHECK int tunnel_shake_begin(struct tunnel *tunnel);
void tunnel_shake_message(struct tunnel *tunnel, const uint8_t *bytes, size_t len);
/* A control message while the state is TUNNEL_ADMITTING. */
void tunnel_shake_control(struct tunnel *tunnel, const struct inner_message *message);
/* PAIRED and PAIRED_OK. */
void tunnel_shake_pairing(struct tunnel *tunnel, const struct inner_message *message);
/* tunnel_admit(). */
void tunnel_shake_admit(struct tunnel *tunnel, int reason,
	const struct tunnel_grant *grant);

/* tunnel_flow.c */
void tunnel_flow_begin(struct tunnel *tunnel);
void tunnel_flow_stop(struct tunnel *tunnel);
void tunnel_flow_record(struct tunnel *tunnel, uint8_t *record, size_t len);
/* Seals what may be sealed now. */
void tunnel_flow_push(struct tunnel *tunnel);
/* A control message that belongs to this leg, at once. */
void tunnel_flow_say(struct tunnel *tunnel, const struct inner_message *message);
/* Counted or of one leg only: link/tunnel.h. */
bool tunnel_flow_counted(enum inner_kind kind);
size_t tunnel_flow_room(const struct tunnel *tunnel, enum seal_lane lane);
void tunnel_flow_gate(struct tunnel *tunnel);
void tunnel_flow_turn(struct tunnel *tunnel);
void tunnel_flow_consumed(struct tunnel *tunnel);

#endif
