#include "net/handoff.h"

#include <stdlib.h>

#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/worker.h"

struct handoff {
	struct post_item item; /* first: the item is the handoff */
	struct conn *conn;
	struct worker *to;
	handoff_arrived arrived;
	void *ctx;
};

static void arrive(struct post_item *item)
{
	struct handoff *handoff = (struct handoff *)item;
	struct conn *conn = handoff->conn;
	handoff_arrived arrived = handoff->arrived;
	void *ctx = handoff->ctx;
	conn->vtable->attach(conn, handoff->to);
	free(handoff);
	metrics_add(METRIC_HANDOFFS, 1);
	arrived(ctx, conn);
}

/* At the end of the turn: no callback of this conn is on the stack any more. */
static void depart(struct post_item *item)
{
	struct handoff *handoff = (struct handoff *)item;
	struct conn *conn = handoff->conn;
	int rc = conn->vtable->detach(conn);
	if (rc == -REASON_BUSY) { /* its box still holds something for it: after that */
		post_put(worker_box(conn->worker), &handoff->item);
		return;
	}
	if (rc) {
		free(handoff);
		return;
	}
	handoff->item.run = arrive;
	post_put(worker_box(handoff->to), &handoff->item);
}

int handoff_send(struct conn *conn, struct worker *to, handoff_arrived arrived, void *ctx)
{
	CHECK(worker_is_here(conn->worker));
	struct handoff *handoff = malloc(sizeof(*handoff));
	if (!handoff)
		return -REASON_NO_MEMORY;
	*handoff = (struct handoff){{NULL, depart}, conn, to, arrived, ctx};
	conn->vtable->hold(conn);
	worker_defer(conn->worker, &handoff->item);
	return 0;
}
