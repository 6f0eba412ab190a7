/* repeat: a POST that a client sends again, because the answer to the first one got lost, is done
 * once: with the same Idempotency-Key the repetition gets the answer that the first one got.
 *
 * It stands between the gate and the handlers, so that every POST with a caller behaves alike. Two
 * requests are the same when path, query and body are; of an upload that is read by its handler the
 * length stands for the body. A refusal is not kept: the repetition may succeed. An answer that is
 * too long to be kept (once.h) is refused with CONFLICT: it was done, and is not done again.
 * The memory is the node's: a repetition has to reach the same one.
 * Thread: that of the call. Errors: -REASON_*, answered.
 */
#ifndef ADMIN_REPEAT_H
#define ADMIN_REPEAT_H

#include "base/check.h"

struct call;

/* 0: go on, and tell the end. Else it is answered. */
MUST_CHECK int repeat_begin(struct call *call);
/* After the handler; harmless when nothing began. */
void repeat_end(struct call *call);

#endif
