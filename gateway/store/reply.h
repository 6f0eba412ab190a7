/* reply: the way of an answer back to who asked a store: built on any thread, read on the thread of
 * the asker's box, gone after its callback.
 *
 * Thread: whoever answers builds it alone; reply_send() hands it over. Owner: the answering side
 * until reply_send(), which takes it. reply_new_*() cannot fail: a question must get its answer
 * also when memory is short, so a few replies are set aside for that.
 */
#ifndef STORE_REPLY_H
#define STORE_REPLY_H

#include "base/check.h"
#include "store/journal.h"
#include "store/state.h"

struct reply;

/* `box` may be NULL: nobody waits, and reply_send() only frees. */
struct reply *reply_new_state(struct post_box *box, state_done done, void *ctx);
struct reply *reply_new_journal(struct post_box *box, journal_done done, void *ctx);

/* Copies into the answer. -REASON_NO_MEMORY: then send that status. */
MUST_CHECK int reply_doc(struct reply *reply, const struct state_doc *doc);
MUST_CHECK int reply_row(struct reply *reply, const struct journal_row *row);
MUST_CHECK int reply_holder(struct reply *reply, const char *holder);

/* The numbers of the answer, to be filled in. */
struct state_answer *reply_state_answer(struct reply *reply);
struct journal_answer *reply_journal_answer(struct reply *reply);

/* With any status but 0 the copied docs and rows are left out. */
void reply_send(struct reply *reply, int status);

#endif
