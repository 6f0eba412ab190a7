/* landing: where a viewer arrives that another node carries here (crossing.h). It hears PEER, asks admission
 * whether that viewer may still come in, as of now and from where it really is, and makes a leg of it, which
 * is a viewer's like any other: lobby, session, policy, rows and meter are this node's.
 *
 * What the other node says of the viewer (that it has proved itself, and from where it comes) is believed: its
 * certificate is that of a node (net/peer_trust.h). License, company, policy, address rules, devices, hours
 * and what was revoked since the proof are looked at here.
 * Thread: the worker that accepted. Owner: the landing owns its conn until that becomes a leg; it frees itself.
 */
#ifndef RELAY_LANDING_H
#define RELAY_LANDING_H

#include <stdint.h>

struct conn;
struct desk;
struct landing;
struct list;

/* The conn was admitted by the guard, its other side is the node of this name. */
void landing_open(struct desk *desk, struct conn *conn, const char *node);
/* The landing whose node this is in desk->landings. */
struct landing *landing_at(struct list *node);
/* Its node may not be trusted any more (distrust.h). */
void landing_distrust(struct landing *landing);
void landing_tick(struct landing *landing, int64_t now_ms);
/* CLOSE with this reason, which the viewer hears, then the end. */
void landing_refuse(struct landing *landing, int reason, int64_t retry_ms,
	const char *detail);

#endif
