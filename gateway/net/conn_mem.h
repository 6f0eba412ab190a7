/* conn_mem: two conns that are each other's peer, in memory: for tests of everything above a conn,
 * and with the same manners: nothing arrives before the next turn, a peer that is paused fills the
 * writer's queue.
 *
 * Thread: each of the two belongs to its worker, which may be the same one or different ones.
 * The two stand for one TLS connection: both give the same exporter value.
 * Owner: each its receiver, as conn.h says. Errors: -REASON_NO_MEMORY.
 */
#ifndef NET_CONN_MEM_H
#define NET_CONN_MEM_H

#include "base/check.h"

struct conn;
struct worker;

MUST_CHECK int conn_mem_pair(struct worker *worker_a, struct worker *worker_b,
	const char *address_of_a, struct conn **ret_a, struct conn **ret_b);
/* As if the network had cut it: both see PEER_LOST, what is on the way is gone. */
void conn_mem_cut(struct conn *conn);

#endif
