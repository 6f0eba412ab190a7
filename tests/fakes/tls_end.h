/* tls_end: the client side of one TLS connection, driven by hand: nothing happens but in
 * tls_end_pump(), so that a test decides who moves when.
 *
 * Thread: any one. Bytes to send wait in `out`, bytes received in `in`.
 */
#ifndef FAKES_TLS_END_H
#define FAKES_TLS_END_H

#include <stdint.h>

#include "base/buf.h"

struct ssl_st;

struct tls_end {
	int fd;
	struct ssl_st *ssl;
	struct buf in, out;
	int ready;    /* TLS stands */
	int over;     /* the other side closed in order */
	int lost;     /* reset, refused or broken */
	int reads;    /* 1: takes what comes (the default); 0: lets the line fill up */
	uint64_t got; /* bytes received, also those that were dropped */
	int drops;    /* 1: counts and forgets */
};

/* TCP connects at once; TLS by pumping. `alpn` such as "engawa/1", NULL: none. */
void tls_end_dial(struct tls_end *end, uint16_t port, const char *alpn);
/* The same, bound to another source address of 127.0.0.0/8. */
void tls_end_dial_from(struct tls_end *end, const char *source, uint16_t port,
	const char *alpn);
void tls_end_pump(struct tls_end *end);
void tls_end_send(struct tls_end *end, const void *bytes, size_t len);
/* close_notify, then nothing more is sent. */
void tls_end_finish(struct tls_end *end);
void tls_end_exporter(struct tls_end *end, uint8_t ret[static 32]);
/* Closes the socket without a word. */
void tls_end_done(struct tls_end *end);

#endif
