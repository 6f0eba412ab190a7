/* uplink_inside: the inside of link/uplink, shared by its files only:
 *
 *   uplink.c          life, the owner's functions, the place of the tunnel
 *   uplink_reach.c    which gateway, which way: dial, proxy, TLS, and what a failure means
 *   uplink_talk.c     frames: HELLO to WELCOME, then the leg
 *   uplink_tls        the connection
 *
 * Thread: that of the loop. Every entry from the loop is between uplink_enter() and uplink_leave().
 * Errors: as uplink.h.
 */
#ifndef LINK_UPLINK_INSIDE_H
#define LINK_UPLINK_INSIDE_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/reason.h"
#include "link/dial.h"
#include "link/http_connect.h"
#include "link/uplink.h"
#include "link/uplink_tls.h"
#include "wire/frame.h"
#include "wire/keepalive.h"

#define UPLINK_MAGIC 0x75706c6bu
#define UPLINK_TLS_MS 10000
/* While another gateway is left: one that is stopped takes connections and never answers. */
#define UPLINK_TLS_HURRY_MS 3000
#define UPLINK_PROXY_MS 10000
#define UPLINK_CHALLENGE_MS 10000
#define UPLINK_VERDICT_MS 35000
#define UPLINK_LEAVE_MS 2000
#define UPLINK_CLOCK_FAR_MS (10 * 60 * 1000)
/* So far off nothing that is written down with a time is worth anything, whatever the certificate says. */
#define UPLINK_CLOCK_USELESS_MS (INT64_C(7) * 86400 * 1000)
#define UPLINK_TOTP_FAR_MS 30000
#define UPLINK_PROGRAM 65
/* A host may move while its viewer is on the way to it. */
#define UPLINK_REDIRECTS 3

/* What is only needed until the leg is welcome; in pages of its own. */
struct uplink_secrets {
	uint8_t secret[LICENSE_KEY_SECRET];
	char password[257], totp[17], join[129];
	struct http_connect_proxy proxy;
};

struct uplink {
	uint32_t magic;
	struct event_base *base;
	const struct uplink_events *events;
	void *ctx;
	int depth;
	bool freed;

	/* From the configuration. */
	struct text_endpoint gateways[UPLINK_GATEWAYS_MAX];
	size_t gateway_count, first;
	char *ca_file, *proxy, *inventory;
	char license[LICENSE_KEY_PUBLIC_SIZE];
	enum hello_side side;
	const struct identity *identity;
	char kind[17], program[UPLINK_PROGRAM], name[129];
	enum uplink_enrol enrol;
	struct uplink_secrets *secrets;

	/* The attempt. */
	bool started, alive;
	bool tried[UPLINK_GATEWAYS_MAX];
	bool redirected; /* `at` is not in the list */
	bool returned;   /* from a redirect in vain, to the gateway that said it */
	bool back_due;
	int redirects;
	char unreached[TEXT_HOST_SIZE + 16]; /* where that led, or "" */
	bool proxied;                        /* this way goes through the proxy */
	size_t now;                          /* index of the gateway in use */
	size_t dialled[UPLINK_GATEWAYS_MAX]; /* gateway of each target of `dial` */
	size_t dialled_count;
	struct text_endpoint at; /* where it is: the gateway, or the one it sent us to */
	char at_text[TEXT_HOST_SIZE + 16];
	struct dial *dial;
	struct ssl_ctx_st *tls_context;
	struct event *turn; /* runs at the end of the turn: next gateway, `down` */
	struct event *deadline;
	struct event *asking; /* the proxy's answer */
	int asking_fd;
	struct buf answer;
	struct uplink_down verdict; /* the most telling one so far */
	int verdict_rank;
	bool next_due, down_due;

	/* The leg. */
	struct uplink_tls *tls;
	enum hello_state state;
	struct message_challenge challenge;
	int64_t clock_skew_ms;
	struct keepalive keepalive;
	struct event *heartbeat;
	bool full; /* the tunnel was told so; `room` is owed */
	bool leaving;
	int leave_reason;
	uint8_t session[16];
	uint8_t *place;
};

static inline void uplink_enter(struct uplink *uplink)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	uplink->depth++;
}
void uplink_leave_turn(struct uplink *uplink);

/* Drops the connection, whatever stage it is in. */
void uplink_drop(struct uplink *uplink);
void uplink_forget_secrets(struct uplink *uplink);
/* This way has failed: the next gateway, or `down`. */
void uplink_failed(struct uplink *uplink, const struct uplink_down *why);
/* `down` at the end of the turn, with the verdict. */
void uplink_down_now(struct uplink *uplink, const struct uplink_down *why);
void uplink_wait(struct uplink *uplink, int64_t ms); /* 0: no deadline */

/* uplink_reach.c */
void uplink_reach_next(struct uplink *uplink);
void uplink_reach_redirect(struct uplink *uplink, const struct text_endpoint *to);
/* To the gateway that sent us where nobody serves us. */
void uplink_reach_back(struct uplink *uplink);
/* A failure found on this machine, with the gateway's name in front of the detail. */
void uplink_reach_failed(struct uplink *uplink, int reason, const char *detail);

/* uplink_talk.c */
void uplink_talk_begin(struct uplink *uplink);
size_t uplink_talk_bytes(struct uplink *uplink, uint8_t *bytes, size_t len);
MUST_CHECK int uplink_talk_send(struct uplink *uplink, const struct buf *frame);
void uplink_talk_heartbeat(struct uplink *uplink);

#endif
