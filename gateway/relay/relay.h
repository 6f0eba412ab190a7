/* relay: the moving half of a node: workers, listeners, lobby, sessions. It is told what to do by
 * orders on the bus and tells what it does by state documents and journal rows; it never meets the
 * administration's code.
 *
 * Thread: all functions from main, except relay_counts (any). relay_drain's callback runs on `box`.
 * Owner: gateway.c. Order of life: relay_new → relay_start → relay_drain → relay_free; the store and
 * admission outlive the relay.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/post.h"

struct admission;
struct conn;
struct relay;
struct store;
struct worker;

#define RELAY_ERROR 320

/* Every limit and time of the relay: S(name, default, least, most, what it is). Times in ms, rates in bytes
 * a second. */
// clang-format off
#define RELAY_SETTINGS(S) \
	S(tls_ms, 5000, 50, 60000, "from accept to the end of the TLS handshake") \
	S(hello_ms, 5000, 50, 60000, "from there to the first whole frame") \
	S(login_ms, 30000, 50, 300000, "from there to the verdict") \
	S(peer_ms, 5000, 50, 60000, "from the decision to carry a viewer to another node to the connection with it") \
	S(open_ms, 15000, 50, 120000, "from CONNECT to OPEN, waiting for a lost host apart") \
	S(strangers, 1024, 4, 1000000, "connections that have not proved themselves") \
	S(strangers_per_address, 256, 1, 1000000, "of them from one IPv4 address or IPv6 /64") \
	S(accepts_per_address, 200, 1, 1000000, "new connections a second from one address") \
	S(penalty_least_ms, 15000, 0, 3600000, "an address is refused from this much penalty on") \
	S(penalty_most_ms, 600000, 0, 86400000, "and never for longer than this") \
	S(legs, 20000, 2, 1000000, "ends that are welcome at the same time") \
	S(viewers_per_license, 16, 1, 10000, "of them viewers with one license") \
	S(keepalive_ms, 15000, 50, 600000, "PING after this silence; three silences are the end") \
	S(slow_reader_ms, 30000, 50, 600000, "an end that takes no byte for so long is cut") \
	S(grace_ms, 60000, 0, 3600000, "how long a session waits for a lost end") \
	S(receipt_ms, 2000, 10, 60000, "how long a closing session waits for receipts") \
	S(claim_ttl_ms, 15000, 150, 600000, "a session's claim on its license lasts so long") \
	S(claim_renew_ms, 5000, 50, 200000, "and is renewed so often") \
	S(presence_ttl_ms, 45000, 150, 600000, "a host's presence is announced for so long") \
	S(presence_renew_ms, 15000, 50, 200000, "and again so often") \
	S(meter_ms, 3600000, 50, 3600000, "bandwidth rows are written so often, and when an hour ends") \
	S(drain_ms, 3000, 0, 600000, "sessions may leave for so long when the node stops") \
	S(node_lost_ms, 120000, 500, 86400000, "a node that says nothing for so long is lost: others close what it carried") \
	S(session_ms, 43200000, 0, 2592000000, "longest session; policies can only shorten it; 0: no limit") \
	S(rate_per_session, 0, 0, 10000000000, "most bytes a second of a session each way; policies can only lower it; 0: no limit")
// clang-format on

struct relay_settings {
#define RELAY_SETTING(name, fallback, least, most, help) int64_t name;
	RELAY_SETTINGS(RELAY_SETTING)
#undef RELAY_SETTING
};

void relay_settings_default(struct relay_settings *ret);

/* What the public port says to browsers. The relay knows no HTTP: it gives their conns away and gets
 * back those that have become WebSockets. All of it on the worker of the conn. */
struct relay_web {
	/* TLS stands, ALPN is http/1.1: the receiver listens at once. */
	void (*conn)(void *ctx, struct conn *conn);
	/* The node stops: no conn of this worker may be left. */
	void (*stop)(void *ctx, struct worker *worker);
};

struct relay_parts {
	struct store *store; /* borrowed, as the next */
	struct admission *admission;
	int64_t cache_ms; /* as admission has it; 0: nobody new comes in while the store is away */
	const char *node; /* name of the node, as in proofs and rows */
	const char *
		address; /* HOST:PORT under which ends reach it; "": nobody is sent here */
	const char *peer; /* and other nodes; "": the same */
	const char *cert_file, *key_file;
	/* The cluster's CA and the list of revoked certificates (net/peer_trust.h); NULL: no other nodes. */
	const char *ca_file, *revoked_file;
	const char *const *listen; /* HOST:PORT each */
	size_t listen_count;
	const char *const *proxies; /* addresses that send PROXY v2 */
	size_t proxy_count;
	size_t workers;              /* 0: one per core */
	const struct relay_web *web; /* NULL: browsers are turned away */
	void *web_ctx;
	const struct relay_settings *settings; /* NULL: defaults; copied */
};

/* Binds the ports and starts nothing. Errors with one line in `error`: those of tls_ctx.h and
 * listener.h. */
MUST_CHECK int relay_new(const struct relay_parts *parts, struct relay **ret,
	char error[static RELAY_ERROR]);
MUST_CHECK int relay_start(struct relay *relay);
/* Between relay_new and relay_start; NULL beyond the last. */
struct worker *relay_worker(const struct relay *relay, size_t index);
/* A conn that was given to `web` has become a WebSocket: it begins at the door like all others. */
void relay_web_leg(struct relay *relay, struct conn *conn);
/* It is gone without that. */
void relay_web_gone(struct relay *relay, const char *address, int reason);
/* "127.0.0.1:34567": where the index-th address of `listen` is really served. "" beyond. */
const char *relay_endpoint(const struct relay *relay, size_t index);
/* Certificate and key anew from their files; on error the old ones stay. */
MUST_CHECK int relay_reload(struct relay *relay, char error[static RELAY_ERROR]);
/* New limits and times, for what begins from now on. */
void relay_set(struct relay *relay, const struct relay_settings *settings);
/* UTC, ms since 1970. */
int64_t relay_certificate_expires_ms(struct relay *relay);

typedef void (*relay_drained)(void *ctx);
/* Stops accepting, tells all ends, closes what is left after drain_ms, and calls `done` when every
 * row is in the journal, at the latest after drain_ms + 7 s. Once. */
void relay_drain(struct relay *relay, struct post_box *box, relay_drained done,
	void *ctx);

struct relay_counts {
	int accepting; /* listeners are open and nobody ordered a drain */
	int draining;
	uint64_t sessions, hosts, viewers;
	uint64_t unproved; /* connections that have not proved themselves */
};
void relay_counts(const struct relay *relay, struct relay_counts *ret);

/* Closes what still lives. Accepts NULL, returns NULL. */
struct relay *relay_free(struct relay *relay);

#endif
