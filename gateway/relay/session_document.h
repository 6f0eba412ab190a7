/* session_document: the STATE_SESSION document of a session: what people see of it while it lives, what
 * another node resumes it by, and what its own node closes it by after a kill (recover.h).
 *
 *   live ─► closing ─► away ─► gone      after a cut, for the grace time
 *                └──────────────► gone     the row is durable, nobody comes back
 *   owed      another document, "<session>~<fence>": a part of a session that went on while its closing row was not
 *             known to be written, because its node may be dead. Who takes the session up leaves this behind before
 *             the first word of the new part replaces the last one of the old; recover.h closes it.
 * What is "closing" or "owed" is in no list and counts nowhere: nobody is in it any more.
 *
 * Refreshed about once a second while the counts change, so that a kill loses no more than that; every
 * minute when they do not, so that `seen` tells when the session was last alive. One write is under way
 * at a time, and a store that needs long for one is asked as much more seldom. The document belongs to
 * the session with the greatest fence: who finds a greater one in it leaves it alone from then on.
 *
 * Thread and owner: as session.h.
 */
#ifndef RELAY_SESSION_DOCUMENT_H
#define RELAY_SESSION_DOCUMENT_H

#include <stdint.h>

struct session;
struct state_doc;

/* A session is taken up again, and this is what its node wrote of its last part: 1 when that part's closing row is
 * not known to be written; session_document_owe() then leaves the "owed" document behind and calls `done` with 0
 * or -REASON_* as the last thing that it does. */
int session_document_is_owed(const struct state_doc *doc);
void session_document_owe(struct session *session, const struct state_doc *doc,
	void (*done)(struct session *session, int status));

/* Now, or after the write that is under way. */
void session_document_show(struct session *session);
/* A live session: when there is something new to show. */
void session_document_tick(struct session *session, int64_t now_ms);
/* It has just ended: says so at once, if there is a document. */
void session_document_close(struct session *session);
/* The closing row is durable. After a cut the document stays, as "away", for the grace time. */
void session_document_leave(struct session *session);
/* It is not needed any more: session_settle comes here until `documented` is 0, again and again while the
 * store is away. Nothing may be asked when this is called. */
void session_document_remove(struct session *session);

#endif
