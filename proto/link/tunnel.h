/* tunnel: the end-to-end session of one end: handshake, lanes, resume. Lives as long as the session,
 * over one leg after the other.
 *
 *   tunnel_new → tunnel_open ─► accept ─► (host: admit → tunnel_admit) ─► up ─► bytes, message …
 *                    ▲                                                     │
 *                    └──────────── next OPEN of the same session ◄── tunnel_cut
 *   … ─► ended, once, whatever the way
 *
 * Every OPEN, first or resumed, runs a fresh Noise XXpsk3; nothing of the crypto is ever resumed.
 * Order of the first records: the viewer sends VIEWER_HELLO at once behind message 3, without
 * waiting; the host answers with HELLO_OK or DENY when it has read it and knows its mind. No other
 * record is sent by the viewer before HELLO_OK, nor by the host before VIEWER_HELLO.
 *
 * Lanes and resume: each lane is a stream of payload bytes; its sequence is its byte count. On the
 * control lane VIEWER_HELLO, HELLO_OK, DENY, CLOSE, PAIRED, PAIRED_OK, ACK, PROBE, PROBE_REPLY and
 * STATS belong to one leg: they are not counted and never sent again. All other control messages are counted
 * (whole messages, head included) and resumed like the bytes of any lane. Nothing of another lane is
 * sealed while a counted control message waits, so what a control message announces (RFB_OPEN) is
 * known before the bytes that come after it.
 * ACK says what was consumed. The sender keeps everything that is not acknowledged.
 *
 * A record that does not open, a handshake that fails, a message that may not be sent: keys are
 * wiped, one CLOSE E2E_FAILED goes to the node, `ended` tells the true reason to this end only.
 * Exceptions are the host's refusals in the clear before keys exist (TICKET_WRONG, TICKET_USED,
 * TICKET_EXPIRED, DEVICE_UNKNOWN, DEVICE_REVOKED) and DENY.
 *
 * Thread: that of `base`. Owner: the caller. tunnel_free() and tunnel_close() may be called in any
 * callback; memory goes at the end of the loop turn, no callback comes after free or after `ended`.
 * `ended` never comes from within a function that the owner called, except through the carrier.
 */
#ifndef LINK_TUNNEL_H
#define LINK_TUNNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "e2e/inner.h"
#include "e2e/prologue.h"
#include "e2e/seal.h"
#include "link/carrier.h"
#include "wire/message.h"

struct event_base;
struct gate;
struct identity;
struct tunnel;

#define TUNNEL_HANDSHAKE_MS 10000
#define TUNNEL_VERDICT_MS                                                                \
	90000 /* a viewer waits so long for HELLO_OK: a person may be asked */
#define TUNNEL_CHUNK (16 * 1024) /* picture payload of one record on ordinary lines */

/* Copied, except identity, which has to outlive the tunnel. */
struct tunnel_config {
	enum seal_side side;
	const struct identity *identity;
	char license[LICENSE_KEY_PUBLIC_SIZE];
	uint32_t features;    /* INNER_FEATURE_* of this program */
	int64_t grace_ms;     /* after tunnel_cut(): GRACE_OVER; 0: waits for ever */
	uint64_t fence;       /* the last one seen for this license, 0: none */
	uint64_t rekey_every; /* 0; other values are for tests */

	/* Viewer only: what it wrote in CONNECT, its key, and how it introduces itself. */
	enum prologue_purpose purpose;
	uint32_t ticket;
	uint8_t psk[INNER_KEY]; /* ticket_psk or pair_psk */
	char user[INNER_NAME_SIZE], device[INNER_NAME_SIZE];
	uint16_t wanted; /* INNER_RIGHT_* */
};

/* The other end, as far as it is proved at the time of the call. */
struct tunnel_peer {
	enum prologue_purpose purpose;
	enum prologue_psk psk_kind;
	uint32_t ticket;
	const uint8_t *key; /* static key, 32 bytes */
	/* From p3, on the host, in accept() and admit(). */
	char user[INNER_NAME_SIZE], device[INNER_NAME_SIZE];
	enum inner_class class;
	uint16_t wanted;
	int resumed; /* 1: the session was up before */
};

/* What the host gives. */
struct tunnel_grant {
	uint16_t rights;
	uint16_t width, height;
	char host_name[INNER_NAME_SIZE];
	/* Pairing: fresh random bytes that the host will store as pair_psk after `paired`. */
	uint8_t pair_psk[INNER_KEY];
};

struct tunnel_up {
	int resumed;            /* 0: lanes begin at zero; 1: they go on */
	uint64_t fence;         /* to be remembered for the license */
	uint16_t rights;        /* granted */
	uint32_t features;      /* what both ends have */
	uint8_t version;        /* application version */
	uint16_t width, height; /* of the host's screen (viewer) */
	char peer_name[INNER_NAME_SIZE];
	const uint8_t *peer_key;
	int64_t handshake_us;
};

struct tunnel_paired {
	const uint8_t *peer_key; /* to be pinned, or to be authorised */
	uint8_t pair_psk[INNER_KEY];
	char host_name[INNER_NAME_SIZE];                     /* viewer */
	char user[INNER_NAME_SIZE], device[INNER_NAME_SIZE]; /* host */
	enum inner_class class;
	uint16_t wanted;
	uint32_t ticket;
};

enum tunnel_end {
	TUNNEL_OURS,        /* tunnel_close() */
	TUNNEL_THEIRS,      /* a sealed CLOSE or DENY: the other end's own word */
	TUNNEL_INTERRUPTED, /* anything else: the node's CLOSE, a failure, time */
};

struct tunnel_events {
	/* Host, message 3, between its tokens s and psk: `peer->key` is not verified yet. Sessions: the
	 * pair_psk of that device (-REASON_DEVICE_UNKNOWN, _DEVICE_REVOKED); pairing: ticket_book_try()
	 * for peer->ticket (-REASON_TICKET_*). May not call the tunnel. */
	int (*find_psk)(void *ctx, const struct tunnel_peer *peer,
		uint8_t ret_psk[static INNER_KEY]);
	/* Both sides, key verified: e2e/pin_rules.h. Host and pairing: ticket_book_use() belongs here,
	 * so that of two viewers one wins. Anything but 0 ends the tunnel; the other end learns
	 * E2E_FAILED (or the reason, if it is one of the exceptions above). */
	int (*accept)(void *ctx, const struct tunnel_peer *peer);
	/* Host, pairing: the handshake did not verify: ticket_book_fail(). */
	void (*guessed)(void *ctx, uint32_t ticket);
	/* Host: the viewer is who it says, and the fence agrees. To be answered with tunnel_admit(),
	 * at once or later. On a resumed session too: rights may have changed. */
	void (*admit)(void *ctx, const struct tunnel_peer *peer);
	/* Session: lanes run from here. Room for writing is announced by `room` only after a short
	 * write. */
	void (*up)(void *ctx, const struct tunnel_up *up);
	/* Pairing. Viewer: write the pin; 0 sends PAIRED_OK, anything else ends the tunnel with it.
	 * Host: the viewer has stored it: authorise the device. `ended` follows: VIEWER_LEFT. */
	int (*paired)(void *ctx, const struct tunnel_paired *paired);
	/* Bytes of a lane, 1..4, in order, each exactly once. Whoever gets them reports them with
	 * tunnel_consumed() when they are really gone. */
	void (*bytes)(void *ctx, enum seal_lane lane, const uint8_t *bytes, size_t len);
	/* A lane that had refused bytes takes some again. */
	void (*room)(void *ctx, enum seal_lane lane);
	/* NEW_KEY, RFB_*, RIGHTS, NOTICE, STATS. */
	void (*message)(void *ctx, const struct inner_message *message);
	/* The session is over. `reason` is for the user of this end. */
	void (*ended)(void *ctx, int reason, enum tunnel_end how);
};

/* `events`: members may be NULL, except accept, find_psk (host) and ended; find_psk and accept missing
 * refuse. It and `ctx` outlive the tunnel. */
MUST_CHECK int tunnel_new(struct tunnel **ret, struct event_base *base,
	const struct tunnel_config *config, const struct tunnel_events *events,
	void *ctx);
/* For each OPEN of this session. A tunnel that is still up on an older leg leaves it without a word.
 * Errors end nothing by themselves: the caller closes the session at the node with the reason.
 * -REASON_FENCE_STALE, -REASON_E2E_FAILED (another session; not what CONNECT asked for),
 * -REASON_VERSION, -REASON_NO_MEMORY, -REASON_NO_RANDOM. */
MUST_CHECK int tunnel_open(struct tunnel *tunnel, const struct carrier *carrier,
	void *carrier_ctx, const struct message_open *open);
/* One record of the leg. It is opened where it lies. */
void tunnel_data(struct tunnel *tunnel, uint8_t *record, size_t len);
/* The carrier has room again. */
void tunnel_room(struct tunnel *tunnel);
/* The leg is lost, or the node parted us for a while (PEER_LOST, NODE_STOPPED, DRAINING, …): waits
 * for the next OPEN. Before the tunnel was ever up it ends with `reason` instead. */
void tunnel_cut(struct tunnel *tunnel, int reason);
/* The node ended the session for good (ADMIN_DISCONNECT, E2E_FAILED of the other end, …) or for a
 * while: decides which by the reason, then like tunnel_cut(), or ended(INTERRUPTED). */
void tunnel_closed(struct tunnel *tunnel, const struct message_close *close);
/* Ends the session by our will: sealed CLOSE, CLOSE to the node, `ended`. Harmless when over. */
void tunnel_close(struct tunnel *tunnel, int reason);
/* The host's answer: REASON_NONE with a grant, or the reason for DENY (VETO, POLICY,
 * CONSENT_REFUSED, HOST_BUSY, …). Ignored when nobody waits for it any more. */
void tunnel_admit(struct tunnel *tunnel, int reason, const struct tunnel_grant *grant);
/* Wipes. Accepts NULL, returns NULL. */
struct tunnel *tunnel_free(struct tunnel *tunnel);

/* Room in the send buffer of a lane, for lanes 1..4: to be filled where it lies. *ret_len is 0 when
 * the lane is full (then `room` will come) or the session is over. The picture lane has no more room
 * than its credit. Works while cut, so nothing typed is lost. */
void tunnel_reserve(struct tunnel *tunnel, enum seal_lane lane, uint8_t **ret,
	size_t *ret_len);
void tunnel_commit(struct tunnel *tunnel, enum seal_lane lane, size_t len);
/* The same with a copy. Returns how many bytes were taken. */
size_t tunnel_write(struct tunnel *tunnel, enum seal_lane lane, const void *bytes,
	size_t len);
/* `len` more bytes of this lane are consumed. */
void tunnel_consumed(struct tunnel *tunnel, enum seal_lane lane, size_t len);
/* A counted control message, or STATS (dropped when the leg is busy or away). -REASON_LIMIT when too
 * many wait, -REASON_BAD_VALUE for kinds that the tunnel sends itself. */
MUST_CHECK int tunnel_message(struct tunnel *tunnel, const struct inner_message *message);

/* Bytes ever received from a lane. */
uint64_t tunnel_received(const struct tunnel *tunnel, enum seal_lane lane);
/* Forgets what is written to the lane and was never sealed; returns the position of the next
 * byte. For a stream that starts anew: nobody wants the old picture. */
uint64_t tunnel_drop_unsent(struct tunnel *tunnel, enum seal_lane lane);
/* The gate that follows the credit of the picture lane (host), NULL ends that. Borrowed: keep a
 * reference. */
void tunnel_gate(struct tunnel *tunnel, struct gate *gate);

enum tunnel_state {
	TUNNEL_WAITING,   /* no leg: before the first OPEN, or cut */
	TUNNEL_SHAKING,   /* handshake */
	TUNNEL_ADMITTING, /* keys are there; the host has not said yes yet */
	TUNNEL_UP,
	TUNNEL_OVER,
};
enum tunnel_state tunnel_state(const struct tunnel *tunnel);
uint64_t tunnel_fence(const struct tunnel *tunnel);

/* For the meter. Rates are of the last second or so; 0: not known. */
struct tunnel_stats {
	int64_t rtt_us, rtt_min_us; /* end to end */
	int64_t rate; /* picture bytes per second that the line delivers (host) */
	int64_t credit, in_flight; /* picture (host) */
	uint64_t sent[SEAL_LANES],
		received[SEAL_LANES];            /* payload since the session began */
	uint64_t records_sent, records_received; /* of this leg */
	unsigned resumes;
};
void tunnel_stats(const struct tunnel *tunnel, struct tunnel_stats *ret);
/* The receipt of the present or last leg: DATA payload bytes by our count, signed. Legs that
 * handed over to a resumed one have had theirs: ask before the next tunnel_open(). */
MUST_CHECK int tunnel_receipt(const struct tunnel *tunnel, int reason,
	struct message_receipt *ret);

#endif
