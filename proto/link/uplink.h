/* uplink: one attempt to get one authenticated leg at a gateway, and that leg as long as it lives.
 *
 * Path 06/10: out over TLS, in over TLS.
 *
 *   uplink_new → uplink_start ─┬─► welcome ─► (open ─► data … ─► close)… ─► down
 *                              └──────────────────────────────────────────► down
 *
 * The gateways of the list are tried one after the other, beginning at `first`: addresses of one
 * gateway in parallel (link/dial.h), TLS 1.3, HELLO, PROVE. The first WELCOME wins. When none
 * works, `down` tells the most telling reason: a gateway's refusal before a certificate that is not
 * trusted before a gateway that cannot be reached. A refusal that names the person's own mistake
 * (password, license) or a state that all nodes share ends the attempt at once; BUSY, DRAINING,
 * STORE_UNAVAILABLE, THROTTLED and the like go on to the next gateway. A redirect is followed; when it leads nowhere, the gateway that
 * said it is asked once more and told so.
 * After `down` the uplink is spent: free it, wait (link/backoff.h), make a new one.
 *
 * Thread: that of `base`; names are resolved on a thread of their own.
 * Owner: the caller. uplink_free() may be called in any callback; no callback comes after it, and
 * the memory goes at the end of the loop turn. Without free, the last callback is `down`, exactly
 * once, never from within uplink_start() or another function of this header.
 * Errors: -REASON_*; a failed leg is told by `down`, functions that send fail with
 * -REASON_LEG_CLOSED until then.
 */
#ifndef LINK_UPLINK_H
#define LINK_UPLINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "base/text.h"
#include "link/carrier.h"
#include "wire/hello.h"
#include "wire/message.h"

struct event_base;
struct identity;
struct uplink;

#define UPLINK_GATEWAYS_MAX 16
#define UPLINK_DETAIL 320

enum uplink_enrol { UPLINK_KNOWN, UPLINK_ENROL };

/* All of it is copied by uplink_new(), except identity, which has to outlive the uplink. NULL where
 * there is nothing. Secrets are wiped as soon as the leg is welcome or down. */
struct uplink_config {
	const struct text_endpoint *gateways;
	size_t gateway_count;
	size_t first;        /* index of the gateway to begin with */
	const char *ca_file; /* NULL: the CAs of the system */
	/* "http://[USER:PASSWORD@]HOST:PORT" of the company's proxy; "" for none; NULL: as the
	 * environment says (https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY). */
	const char *proxy;
	enum hello_side side;
	const char *license;   /* public id, 9 upper-case characters */
	const uint8_t *secret; /* LICENSE_KEY_SECRET bytes */
	const struct identity *identity;
	const char *kind;    /* "native" */
	const char *program; /* "engawa-viewer 0.1.0" */
	const char *name;    /* of this device, for people */
	const char *password, *totp;
	const char *inventory; /* JSON object */
	enum uplink_enrol enrol;
};

struct uplink_down {
	int reason; /* REASON_*; after `welcome` that of a CLOSE, or PEER_LOST, … */
	int64_t retry_ms; /* what the node asked for, 0: nothing */
	size_t gateway;   /* index of the gateway whose reason this is */
	int told;         /* 1: a gateway said so (REFUSED, CLOSE); 0: found out here */
	char detail
		[UPLINK_DETAIL]; /* for people: "gw.example:7443: connection refused"; or "" */
};

struct uplink_events {
	void (*welcome)(void *ctx, const struct message_welcome *welcome);
	void (*down)(void *ctx, const struct uplink_down *down);
	/* Two legs are joined: hand it to tunnel_open() with uplink_carrier. */
	void (*open)(void *ctx, const struct message_open *open);
	/* One record; may be opened (changed) where it lies. For tunnel_data(). */
	void (*data)(void *ctx, uint8_t *record, size_t len);
	/* The session ended (or CONNECT was refused); the leg stays and may be used again. For
	 * tunnel_closed(). A CLOSE of the whole leg is told by `down`. */
	void (*close)(void *ctx, const struct message_close *close);
	void (*notice)(void *ctx, const struct message_notice *notice);
	/* What the company permits has changed for the session of the last `open`. */
	void (*policy)(void *ctx, const char *policy);
	/* The operator's notices, as WELCOME had them, have changed. */
	void (*notices)(void *ctx, const char *notices);
	/* queued() fell below CARRIER_LOW after it had been CARRIER_FULL. For tunnel_room(). */
	void (*room)(void *ctx);
};

/* Members of `events` may be NULL; both it and `ctx` outlive the uplink. */
MUST_CHECK int uplink_new(struct uplink **ret, struct event_base *base,
	const struct uplink_config *config, const struct uplink_events *events,
	void *ctx);
/* Begins. -REASON_FILE_UNREADABLE, -REASON_BAD_VALUE (CA file, proxy, license), -REASON_NO_MEMORY. */
MUST_CHECK int uplink_start(struct uplink *uplink);

/* A viewer asks for its host. -REASON_PROTOCOL outside the idle state. */
MUST_CHECK int uplink_connect(struct uplink *uplink,
	const struct message_connect *connect);
/* Ends the session, not the leg. `detail` may be NULL. Nothing happens outside a session. */
void uplink_close(struct uplink *uplink, int reason, const char *detail);
MUST_CHECK int uplink_receipt(struct uplink *uplink,
	const struct message_receipt *receipt);
/* A host tells what changed: JSON object. */
MUST_CHECK int uplink_report(struct uplink *uplink, const char *inventory);
/* Says CLOSE to the node, sends what is queued (at most 2 s) and closes; `down` follows. */
void uplink_leave(struct uplink *uplink, int reason);

/* The place of a tunnel on this leg; `ctx` of its functions is the uplink. */
extern const struct carrier uplink_carrier;

/* Sealed bytes that the kernel has not put on the line yet, plus those it has not been given. */
size_t uplink_queued(const struct uplink *uplink);
/* Round trip of the last PING, 0 before there is one. To the gateway, not to the other end. */
int64_t uplink_rtt_us(const struct uplink *uplink);
/* The gateway in use: index in the list and "HOST:PORT" (another one after a redirect). */
size_t uplink_gateway(const struct uplink *uplink, const char **ret_text);
enum hello_state uplink_state(const struct uplink *uplink);
/* Node's clock minus ours when it greeted us, ms: for doctor; 0 before CHALLENGE. */
int64_t uplink_clock_skew_ms(const struct uplink *uplink);
/* Drops the connection without a word. Accepts NULL, returns NULL. */
struct uplink *uplink_free(struct uplink *uplink);

#endif
