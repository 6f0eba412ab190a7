/* gateway_web: the viewer's page on the public port: a page server on each worker of the relay, and the
 * way of its WebSockets into the relay. Stands between http/ and relay/, which do not know each other.
 *
 * Thread: new, attach and free from main; the rest runs on the relay's workers. Owner: gateway.c; it
 * outlives the relay.
 */
#ifndef GATEWAY_WEB_H
#define GATEWAY_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "http/page_assets.h"
#include "relay/relay.h"

struct gateway_web;

struct gateway_web_settings {
	const struct assets *assets; /* what was built */
	const char *const *origins;  /* other sites whose pages may open legs */
	size_t origin_count;
	struct page_assets_more more;
};

/* For relay_parts.web; the ctx is the gateway_web. */
extern const struct relay_web gateway_web_of_relay;

/* The settings' contents are borrowed. -REASON_NO_MEMORY, -REASON_CONFIG (too many nodes). */
MUST_CHECK int gateway_web_new(const struct gateway_web_settings *settings,
	struct gateway_web **ret);
/* Between relay_new() and relay_start(). */
MUST_CHECK int gateway_web_attach(struct gateway_web *web, struct relay *relay);
/* When the relay is gone. Accepts NULL, returns NULL. */
struct gateway_web *gateway_web_free(struct gateway_web *web);

#endif
