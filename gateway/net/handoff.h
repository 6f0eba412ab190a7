/* handoff: moves a conn, with its TLS state and every byte that has arrived but was not used up, to
 * another worker: no byte is lost or doubled, in either direction.
 *
 * Thread: handoff_send on the conn's worker, `arrived` on the other. From handoff_send on the conn
 * makes no callback but `closed` until it has arrived; nobody writes to it meanwhile.
 */
#ifndef NET_HANDOFF_H
#define NET_HANDOFF_H

#include "base/check.h"

struct conn;
struct worker;

typedef void (*handoff_arrived)(void *ctx, struct conn *conn);

/* The move begins at the end of this turn. When the conn ends before that, `closed` runs on the old
 * worker and `arrived` never. -REASON_NO_MEMORY: the conn stays. */
MUST_CHECK int handoff_send(struct conn *conn, struct worker *to, handoff_arrived arrived,
	void *ctx);

#endif
