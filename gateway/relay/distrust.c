#include "relay/distrust.h"

#include "base/log.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "relay/crossing.h"
#include "relay/desk.h"
#include "relay/landing.h"
#include "relay/leg.h"

/* Whether it is trusted still; if not, that is said. */
static int is_distrusted(struct desk *desk, const struct conn *conn, const char *node)
{
	const char *why = desk->house->tls ? conn_distrust(conn, desk->house->tls) : NULL;
	if (!why)
		return 0;
	metrics_reason(METRIC_PEERS_REFUSED, REASON_PEER_UNTRUSTED);
	log_line(LOG_WARN, "a node is not trusted any more: its connection is closed",
		LOG_S("node", node), LOG_S("address", conn->address), LOG_S("why", why));
	return 1;
}

int distrust_closes(struct desk *desk, struct conn *conn, const char *node)
{
	if (!is_distrusted(desk, conn, node))
		return 0;
	conn_close(conn, REASON_PEER_UNTRUSTED, CONN_DROP);
	return 1;
}

static void look_at_landing(struct list *node, const void *ctx UNUSED)
{
	landing_distrust(landing_at(node));
}

static void look_at_leg(struct list *node, const void *ctx UNUSED)
{
	struct leg *leg = LIST_ENTRY(node, struct leg, node);
	if (leg->crossing)
		crossing_distrust(leg->crossing);
	else if (leg->via && leg->state != HELLO_ENDED &&
		 is_distrusted(leg->desk, leg->conn, leg->via))
		leg_cut(leg, REASON_NODE_STOPPED);
}

void distrust_look(struct desk *desk)
{
	desk_each(&desk->landings, look_at_landing, NULL);
	desk_each(&desk->legs, look_at_leg, NULL);
}
