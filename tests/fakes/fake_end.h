/* fake_end: a scripted end (host or viewer) of the outer protocol, over a memory conn or over TLS. It
 * answers PING, counts DATA, and sends its RECEIPT when a session closes, unless told not to. Its device
 * is a real Ed25519 key, the same for the same number, which signs the receipts; its proofs are not
 * signed, the fake admission believes them.
 *
 * Thread: the test's. Over TLS nothing happens but in fake_end_pump().
 */
#ifndef FAKES_FAKE_END_H
#define FAKES_FAKE_END_H

#include <stdint.h>

#include "base/buf.h"
#include "fakes/tls_end.h"
#include "wire/hello.h"
#include "wire/message.h"

struct conn;

struct fake_end {
	enum hello_side side;
	char license[17], kind[17], name[129];
	uint8_t device[32], seed[32]; /* public key and private key */
	int gen_min, gen_max;         /* 1 and 1 */
	char unreached[301];          /* said in HELLO */
	int mute;                     /* answers nothing */
	int no_receipts;
	int lie;   /* its receipts say so many bytes more */
	int forge; /* its receipts are signed with another key */
	int bend;  /* its receipts say one byte more than was signed */
	/* transport: one of the two */
	struct conn *conn;
	struct tls_end tls;
	int is_tls;
	int gone, gone_reason;
	struct buf in;
	/* what was heard */
	int challenged, welcomed, refusals, opens, closes, leg_closes, notices, pings;
	int policies, noted; /* POLICY, NOTICES */
	struct message_challenge challenge;
	struct message_welcome welcome;
	struct message_refused refused;
	struct message_open open;
	struct message_close close; /* the last one */
	struct message_notice notice;
	struct message_policy policy;
	struct message_notices board;
	/* DATA of the present session */
	uint64_t sent, received;
	uint32_t next_sent,
		next_received; /* pattern: each record begins with its number */
	int out_of_order;
	uint64_t frames;
};

void fake_end_init(struct fake_end *end, enum hello_side side, const char *license,
	int device);
/* The end listens on this conn, which is the far one of a conn_mem_pair. */
void fake_end_on_conn(struct fake_end *end, struct conn *conn);
void fake_end_on_tls(struct fake_end *end, uint16_t port);
void fake_end_pump(struct fake_end *end);
/* Bytes of its TLS connection, or of any other: parses what is whole. */
void fake_end_feed(struct fake_end *end, const uint8_t *bytes, size_t len);

void fake_end_hello(struct fake_end *end);
void fake_end_prove(struct fake_end *end, const char *password);
/* resume NULL: a new session. */
void fake_end_connect(struct fake_end *end, const char *resume);
/* One DATA frame of `len` payload bytes (at least 16). */
void fake_end_data(struct fake_end *end, size_t len);
/* Of the session it is in, or (leg) of the connection. */
enum fake_close { FAKE_CLOSE_SESSION, FAKE_CLOSE_LEG };
void fake_end_close(struct fake_end *end, enum fake_close what, int reason);
/* Its receipt of the last session, once more; it sends one by itself when it hears CLOSE. */
void fake_end_receipt(struct fake_end *end);
void fake_end_raw(struct fake_end *end, const void *bytes, size_t len);
/* "ses_…" of the last OPEN. */
const char *fake_end_session(const struct fake_end *end);
/* Cuts the line without a word. */
void fake_end_vanish(struct fake_end *end);
void fake_end_done(struct fake_end *end);

#endif
