/* session_inside: what the files of a session share, and nobody else includes: session_open.c (until it
 * lives or is refused), session.c (its time and its end), session_receipt.c, session_rows.c (what the
 * journal gets), session_document.c (what people see of it while it lives).
 *
 * Thread and owner: as session.h.
 */
#ifndef RELAY_SESSION_INSIDE_H
#define RELAY_SESSION_INSIDE_H

#define SESSION_MAGIC 0x73657373u

#include "relay/desk.h"
#include "relay/session.h"
#include "store/store_open.h"

/* Every question to the store goes out with session_ask() as its ctx and comes in through
 * session_answered(); between the two the session is not freed. */
struct session *session_ask(struct session *session);
struct session *session_answered(void *ctx);
/* The last act of every answer: frees what has nothing to wait for. */
void session_settle(struct session *session);

/* The wish cannot be met. What was begun is taken back when its answer is there. */
void session_open_refuse(struct session *session, int reason, int64_t retry_ms,
	const char *detail);
/* Another id, drawn anew: it is no session that was cut. -REASON_NO_RANDOM. */
MUST_CHECK int session_open_fresh(struct session *session);
/* The claim, if there is one, and then the host's seat. */
void session_give_back(struct session *session);
/* News for pages that are open: event "open" or "close". */
void session_tell(struct session *session, const char *event);
/* Its memory; nothing may refer to it any more. */
void session_release(struct session *session);

static inline struct state *session_store(const struct session *session)
{
	return session->desk->house->store->state;
}

static inline struct post_box *session_box(const struct session *session)
{
	return desk_box(session->desk);
}

#endif
