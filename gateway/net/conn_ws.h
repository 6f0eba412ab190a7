/* conn_ws: a conn over WebSocket (RFC 6455), server side, on top of another conn on which the opening
 * handshake is done. The payloads of its binary messages, one after the other, are the bytes.
 *
 * Path 09: out to a browser.
 * Thread, owner: as conn.h says; the conn below belongs to it. Framing and masking are wslay's.
 * Strict: a frame that is not masked, has reserved bits, is text, or breaks the rules of fragments
 * and control frames ends the conn (close codes 1002, 1003); a message longer than message_max too
 * (1009); so do more pings, empty fragments and the like than a browser sends (1008).
 * There is no exporter: a browser cannot know its TLS connection.
 */
#ifndef NET_CONN_WS_H
#define NET_CONN_WS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct conn;

struct conn_ws_settings {
	size_t message_max;
	/* How many of the bytes that are written make the next message: at least 1, at most `len`.
	 * NULL: each conn_write() is one message. */
	size_t (*span)(const uint8_t *bytes, size_t len);
};

/* Takes `below` over; the receiver calls conn_listen() at once. The settings are borrowed.
 * -REASON_NO_MEMORY: `below` stays the caller's. */
MUST_CHECK int conn_ws_new(struct conn *below, const struct conn_ws_settings *settings,
	struct conn **ret);

#endif
