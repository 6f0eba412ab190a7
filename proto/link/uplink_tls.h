/* uplink_tls: TLS 1.3 over one connected socket, driven on plain libevent events; it carries the
 * picture, so bytes are read and written in large pieces and copied as rarely as OpenSSL permits.
 *
 * Writing: a frame is built at the end of the queue (reserve, commit) and handed to OpenSSL at the end of
 * the loop turn with all others. TCP_NOTSENT_LOWAT keeps what the kernel holds unsent small, since
 * what lies there can no longer be overtaken.
 * Reading: frames are shown where they were decrypted; what is not used up is shown again.
 *
 * Trust: chain and name (DNS or address) are verified in the handshake. Only a wrong date is let
 * through, and remembered (uplink_tls_date): the owner asks the node for its clock to tell which of
 * the two is wrong, and says nothing else.
 *
 * Thread: that of the loop. Owner: the uplink. uplink_tls_free() may be called in any callback.
 * Errors in `closed`: TLS_UNTRUSTED, TLS_NAME, TLS_FAILED, LEG_CLOSED (orderly), PEER_LOST.
 */
#ifndef LINK_UPLINK_TLS_H
#define LINK_UPLINK_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define UPLINK_TLS_DETAIL 200
#define UPLINK_TLS_HARD (1024 * 1024) /* reserve() refuses beyond this */

struct event_base;
struct ssl_ctx_st;
struct uplink_tls;

struct uplink_tls_events {
	void (*ready)(void *ctx); /* the handshake is done */
	/* Returns how many of the bytes are used up. They may be changed. */
	size_t (*bytes)(void *ctx, uint8_t *bytes, size_t len);
	/* The queue has become shorter, or empty. */
	void (*drained)(void *ctx);
	/* The end; nothing comes after it. */
	void (*closed)(void *ctx, int reason, const char *detail);
};

/* `ca_file` NULL: the CAs of the system. -REASON_FILE_UNREADABLE, -REASON_NO_MEMORY. */
MUST_CHECK int uplink_tls_context(const char *ca_file, struct ssl_ctx_st **ret);
struct ssl_ctx_st *uplink_tls_context_free(struct ssl_ctx_st *context);

/* Takes over `fd`, on error too. `name` is what the certificate has to be for. */
MUST_CHECK int uplink_tls_new(struct uplink_tls **ret, struct event_base *base,
	struct ssl_ctx_st *context, int fd, const char *name,
	const struct uplink_tls_events *events, void *ctx);
/* What is wrong about the certificate's dates; NULL: nothing. */
const char *uplink_tls_date(const struct uplink_tls *tls);
/* RFC 8446 section 7.5. */
MUST_CHECK int uplink_tls_exporter(struct uplink_tls *tls, uint8_t ret[static 32]);
/* A place of `len` bytes at the end of the queue; valid until commit. */
MUST_CHECK int uplink_tls_reserve(struct uplink_tls *tls, size_t len, uint8_t **ret);
void uplink_tls_commit(struct uplink_tls *tls, size_t len);
/* Not given to the kernel yet, and what it has not put on the line. */
size_t uplink_tls_queued(const struct uplink_tls *tls);
size_t uplink_tls_waiting(const struct uplink_tls *tls); /* the first part only */
/* `drained` is wanted even when only the kernel has something left to send. */
void uplink_tls_watch(struct uplink_tls *tls);
/* Accepts NULL, returns NULL. */
struct uplink_tls *uplink_tls_free(struct uplink_tls *tls);

#endif
