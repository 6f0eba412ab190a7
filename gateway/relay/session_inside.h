/* session_inside: what the files of a session share, and nobody else includes: session.c (from the
 * seat to the end), session_document.c (what people see of it while it lives).
 *
 * Thread and owner: as session.h.
 */
#ifndef RELAY_SESSION_INSIDE_H
#define RELAY_SESSION_INSIDE_H

#include "relay/desk.h"
#include "relay/session.h"
#include "store/store_open.h"

/* Every question to the store goes out with session_ask() as its ctx and comes in through
 * session_answered(); between the two the session is not freed. */
struct session *session_ask(struct session *session);
struct session *session_answered(void *ctx);
/* The last act of every answer: frees what has nothing to wait for. */
void session_settle(struct session *session);

static inline struct state *session_store(const struct session *session)
{
	return session->desk->house->store->state;
}

static inline struct post_box *session_box(const struct session *session)
{
	return desk_box(session->desk);
}

#endif
