/* tls_ctx: the node's side of TLS: TLS 1.3 only, no tickets, no early data, ALPN from a fixed list,
 * certificate and key from files that can be read anew while connections live.
 *
 * Other nodes (ALPN engawa-peer/1) are asked for a certificate and must show one that peer_trust.h accepts;
 * who names another protocol is never asked for one. Towards other nodes this one is a client and shows the
 * same certificate; there the name is that of the certificate's mark, not the host name that was dialled.
 *
 * Thread: new/reload/free from main; tls_ctx_get and tls_ctx_expires_ms from any. Owner: who made
 * it; connections under way hold their own reference to what they began with.
 * Errors, with one line in `error`: -REASON_FILE_UNREADABLE, -REASON_FILE_EXPOSED (key readable by
 * group or others), -REASON_CONFIG (not PEM, key and certificate do not belong together, expired).
 */
#ifndef NET_TLS_CTX_H
#define NET_TLS_CTX_H

#include <stdint.h>

#include "base/check.h"

struct ssl_ctx_st;
struct ssl_st;
struct tls_ctx;

#define TLS_CTX_ERROR 256

enum tls_alpn {
	TLS_ALPN_NONE,
	TLS_ALPN_NATIVE, /* engawa/1 */
	TLS_ALPN_WEB,    /* http/1.1 */
	TLS_ALPN_PEER,   /* engawa-peer/1: a node of the cluster, proved */
};

/* Which protocols are offered: the public port speaks both, the admin port only http/1.1. */
enum tls_offer { TLS_OFFER_BOTH, TLS_OFFER_WEB };

MUST_CHECK int tls_ctx_new(const char *cert_file, const char *key_file,
	enum tls_offer offer, struct tls_ctx **ret, char error[static TLS_CTX_ERROR]);
/* From now on other nodes are spoken to and listened to: `ca_file` has signed their certificates,
 * `revoked_file` lists those that are refused (peer_trust.h). Before the first connection. */
MUST_CHECK int tls_ctx_trust_peers(struct tls_ctx *tls, const char *ca_file,
	const char *revoked_file, char error[static TLS_CTX_ERROR]);
/* Whether the certificate in use carries a node's mark, so that other nodes would accept it. */
int tls_ctx_is_marked(struct tls_ctx *tls);
/* Reads the same files again. On error the old certificate stays in use. */
MUST_CHECK int tls_ctx_reload(struct tls_ctx *tls, char error[static TLS_CTX_ERROR]);
/* When the certificate in use expires: UTC, ms since 1970. */
int64_t tls_ctx_expires_ms(struct tls_ctx *tls);
/* The present context with one more reference (SSL_CTX_free gives it back). */
struct ssl_ctx_st *tls_ctx_get(struct tls_ctx *tls);
/* A connection's side towards the node of this name, not connected yet; NULL: no peers are trusted, or no
 * memory. */
struct ssl_st *tls_ctx_dial(struct tls_ctx *tls, const char *node);
/* What was chosen, once the handshake is done. */
enum tls_alpn tls_ctx_alpn(const struct ssl_st *ssl);
/* Of a connection to or from another node: its name once it is proved, "" before; and why it was not
 * accepted, or NULL. */
const char *tls_ctx_node(const struct ssl_st *ssl);
const char *tls_ctx_refusal(const struct ssl_st *ssl);
/* Of the same, proved: whether it would be proved now, by the CA and the list of revoked ones as they were read last.
 * NULL, or why not. How long its certificate is valid is looked at when a connection begins. */
const char *tls_ctx_distrusts(struct tls_ctx *tls, const struct ssl_st *ssl);
/* Accepts NULL, returns NULL. */
struct tls_ctx *tls_ctx_free(struct tls_ctx *tls);

#endif
