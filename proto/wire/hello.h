/* hello: which frame is allowed now: the order of the conversation between an end and a node, as a
 * table for both sides. A frame that is not permitted in the present state ends the leg, whatever
 * it says.
 *
 *   end:  HELLO            PROVE                 (CONNECT)          DATA … CLOSE
 *   node:       CHALLENGE         WELCOME|REFUSED          OPEN     DATA … CLOSE
 *
 * Thread: any; pure. Generations: HELLO_GEN is spoken, HELLO_GEN_MIN still understood (N-1).
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

#define HELLO_GEN 1
#define HELLO_GEN_MIN 1
#define HELLO_APP 1
#define HELLO_APP_MIN 1
#define HELLO_ALPN "engawa/1"
#define HELLO_EXPORTER_LABEL "EXPORTER-engawa-1" /* wire/proof.h signs what it gives */

enum hello_side { HELLO_HOST, HELLO_VIEWER };

enum hello_state {
	HELLO_FRESH,   /* connected; the end's HELLO is due */
	HELLO_ASKED,   /* CHALLENGE is due, then PROVE */
	HELLO_PROVING, /* PROVE is sent; the verdict is due */
	HELLO_IDLE,    /* welcome; no session */
	HELLO_WAITING, /* a viewer's CONNECT is sent; OPEN or CLOSE is due */
	HELLO_JOINED,  /* in a session: DATA */
	HELLO_ENDED,
};

/* Whether an end of this side may send (hello_end_may) or receive (hello_node_may: the node may
 * send) this frame type now. Unknown skippable types are allowed from HELLO_IDLE on. */
bool hello_end_may(enum hello_side side, enum hello_state state, uint8_t type);
bool hello_node_may(enum hello_side side, enum hello_state state, uint8_t type);

/* The generation both understand, or -REASON_VERSION. */
MUST_CHECK int hello_generation(uint64_t gen_min, uint64_t gen_max);

const char *hello_state_name(enum hello_state state);
const char *hello_side_name(enum hello_side side);
/* -REASON_BAD_MESSAGE for anything but "host" and "viewer". */
MUST_CHECK int hello_side_parse(const char *text, enum hello_side *ret);

#endif
