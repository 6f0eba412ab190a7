/* relay_ends: the two ends of a relayed connection, ready to carry bytes, whatever the relay is: a node of ours
 * (both ends dial in, HELLO, PROVE, CONNECT, OPEN, as a real host and viewer do it, with random bytes for
 * sealed records), a TLS-to-TLS proxy (one end dials, the other is dialled), or nothing in between.
 *
 * Thread: any one. Everything is set up by waiting; what fails ends the program with a message.
 */
#ifndef BENCH_RELAY_ENDS_H
#define BENCH_RELAY_ENDS_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ssl_st;

#define RELAY_ENDS_HEADER 4

enum relay_kind {
	RELAY_ENGAWA,
	RELAY_TLS,    /* dials `port`, waits at `listen_fd` */
	RELAY_DIRECT, /* dials `listen_fd` itself */
};

struct relay_ends {
	enum relay_kind kind;
	uint16_t port;
	uint16_t viewer_port; /* ENGAWA: the node where viewers come in; 0: the same */
	int listen_fd;        /* TLS, DIRECT */
	FILE *licenses; /* ENGAWA: the CSV of `engawactl license import`: id,key,password */
	unsigned connections; /* so far: each comes from its own address of 127.0.0.0/8 */
};

struct relay_end {
	int fd;
	struct ssl_st *ssl;
};

struct relay_pair {
	struct relay_end host,
		viewer; /* of the proxy: the end that is dialled, the end that dials */
};

/* The certificate and key that the dialled end shows (TLS, DIRECT). */
void relay_ends_listen(struct relay_ends *ends, const char *cert, const char *key);
void relay_ends_pair(struct relay_ends *ends, struct relay_pair *ret);
/* A host that waits for its viewer; only with ENGAWA is that one connection. */
void relay_ends_host(struct relay_ends *ends, struct relay_end *ret);
#define RELAY_ENDS_LINE 256
/* The next license of the CSV, and the host of that license; from any thread, with a struct relay_ends of its
 * own each. */
void relay_ends_line(struct relay_ends *ends, char ret[static RELAY_ENDS_LINE]);
void relay_ends_host_of(struct relay_ends *ends, const char *line, struct relay_end *ret);
/* Where this thread goes on when something fails; NULL: nowhere, the program ends. What was begun is the
 * caller's to close. */
extern _Thread_local jmp_buf *relay_ends_way_out;
/* TLS and no more: what a pair costs the relay before the first byte. */
void relay_ends_handshake(struct relay_ends *ends);
void relay_ends_close(struct relay_end *end);
/* The first bytes of a write of `len` bytes, so that all of it is one DATA frame. */
void relay_ends_head(const struct relay_ends *ends, uint8_t *bytes, size_t len);
__attribute__((noreturn, format(printf, 1, 2))) void relay_ends_fail(const char *what,
	...);

#endif
