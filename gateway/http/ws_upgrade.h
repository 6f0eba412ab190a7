/* ws_upgrade: the opening handshake of a WebSocket, server side (RFC 6455 section 4.2), and who may ask
 * for one: a browser sends along where its page came from (Origin), and only pages of this gateway, and
 * of origins that the operator listed, may open legs.
 *
 * Thread: any; pure. Not a browser (no Origin) is refused too: native ends have a protocol of their own.
 */
#ifndef HTTP_WS_UPGRADE_H
#define HTTP_WS_UPGRADE_H

#include <stddef.h>

#include "http/request.h"

struct ws_upgrade_rules {
	const char *protocol; /* the one subprotocol that is spoken */
	const char *const
		*origins; /* "https://remote.example.co.jp", beside the gateway's own */
	size_t origin_count;
};

#define WS_UPGRADE_ANSWER 256

/* 101 and the whole head of the answer in `ret`; or the status of a refusal: 400 (malformed), 403
 * (Origin), 405 (not GET), 426 (another version or subprotocol). */
int ws_upgrade_answer(const struct request *request, const struct ws_upgrade_rules *rules,
	char ret[static WS_UPGRADE_ANSWER]);

#endif
