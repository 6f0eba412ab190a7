/* tls_ctx: the node's side of TLS: TLS 1.3 only, no tickets, no early data, ALPN from a fixed list,
 * certificate and key from files that can be read anew while connections live.
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
struct tls_ctx;

#define TLS_CTX_ERROR 256

enum tls_alpn {
	TLS_ALPN_NONE,
	TLS_ALPN_NATIVE, /* engawa/1 */
	TLS_ALPN_WEB,    /* http/1.1 */
};

/* Which protocols are offered: the public port speaks both, the admin port only http/1.1. */
enum tls_offer { TLS_OFFER_BOTH, TLS_OFFER_WEB };

MUST_CHECK int tls_ctx_new(const char *cert_file, const char *key_file,
	enum tls_offer offer, struct tls_ctx **ret, char error[static TLS_CTX_ERROR]);
/* Reads the same files again. On error the old certificate stays in use. */
MUST_CHECK int tls_ctx_reload(struct tls_ctx *tls, char error[static TLS_CTX_ERROR]);
/* When the certificate in use expires: UTC, ms since 1970. */
int64_t tls_ctx_expires_ms(struct tls_ctx *tls);
/* The present context with one more reference (SSL_CTX_free gives it back). */
struct ssl_ctx_st *tls_ctx_get(struct tls_ctx *tls);
/* Accepts NULL, returns NULL. */
struct tls_ctx *tls_ctx_free(struct tls_ctx *tls);

#endif
