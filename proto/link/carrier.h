/* carrier: what a tunnel needs from below: something that takes whole sealed records. In production
 * an uplink (uplink_carrier), in tests two ends tied together in memory.
 *
 * Thread: that of the tunnel. A record is built where it will be sent from: reserve() gives the
 * place, commit() counts it in; nothing is copied in between.
 */
#ifndef LINK_CARRIER_H
#define LINK_CARRIER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct carrier {
	/* Bytes that are sealed and that no line has taken yet, those in the kernel included. When it
	 * was CARRIER_FULL or more in the last answer, the carrier says when it has fallen below
	 * CARRIER_LOW: its owner then calls tunnel_room(). */
	size_t (*queued)(void *ctx);
	/* A place for one record of up to `len` bytes (<= 65535); valid until commit. Not more than one
	 * at a time. -REASON_NO_MEMORY, -REASON_LIMIT, -REASON_LEG_CLOSED. */
	int (*reserve)(void *ctx, size_t len, uint8_t **ret);
	/* Sends the first `len` bytes of that place; 0 gives it back unused. */
	void (*commit)(void *ctx, size_t len);
	/* The session is over on this leg: CLOSE to the node. The leg may stay. */
	void (*close)(void *ctx, int reason);
};

#define CARRIER_FULL (64 * 1024)
#define CARRIER_LOW (32 * 1024)

#endif
