/* crossing: carries a viewer of this node to the node that has its host, where ends cannot go by themselves:
 * over a connection of its own between the two nodes (ALPN engawa-peer/1).
 *
 * It begins with PEER (the viewer, proved here) and the viewer's CONNECT; from then on what the one says goes
 * to the other as it is. Here only the frames' headers are looked at, PING and PONG are answered (both ways
 * have keepalives of their own), and the reasons in CLOSE are held to what a viewer can know. Everything that
 * makes a session, policy, rows and meter included, is that node's (landing.h).
 *
 *   DIALLING ─► CROSSED ─► LEAVING
 *       └─────────────────────►┘
 *   DIALLING  the viewer is not read; when nobody answers it waits or is refused like one whose host is away
 *   CROSSED   each direction waits for its own reader alone
 *   LEAVING   the viewer is gone: the node is told why
 *
 * Thread: the desk of the viewer's leg, which does not move any more. Owner: itself; the leg borrows it.
 */
#ifndef RELAY_CROSSING_H
#define RELAY_CROSSING_H

#include <stdint.h>

struct crossing;
struct frame;
struct leg;
struct whereabouts;

#define CROSSING_GEN 1 /* of what nodes say to each other */

/* `viewer` is HELLO_WAITING with its wish; `to` has a `peer`. A viewer that another node carries here is told to
 * come again instead: there is one crossing, never a chain. */
void crossing_begin(struct leg *viewer, const struct whereabouts *to);
/* A control frame of the viewer. 0 or -REASON_*: its leg ends. */
int crossing_take(struct crossing *crossing, const struct frame *frame);
/* The viewer's queue has room again. */
void crossing_room(struct crossing *crossing);
/* The other node may not be trusted any more (distrust.h). */
void crossing_distrust(struct crossing *crossing);
void crossing_tick(struct crossing *crossing, int64_t now_ms);
/* The viewer's leg has ended. */
void crossing_lose(struct crossing *crossing, int reason);

#endif
