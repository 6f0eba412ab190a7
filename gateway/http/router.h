/* router: from method and path to the handler, past the one gate where rights are checked.
 *
 * Thread: any; a router is constant after it was made. Paths are compared segment by segment after
 * decoding; "{id}" takes one segment that is not empty.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stddef.h>

#include "http/exchange.h"

typedef void (*router_handler)(void *ctx, struct exchange *exchange);
/* Who asks, and may they? 0 and exchange->who, or the exchange is answered and not 0. */
typedef int (*router_gate)(void *ctx, struct exchange *exchange, int permission);

struct router_route {
	enum request_method method;
	const char *path; /* "/api/v1/licenses/{id}" */
	int permission;   /* what it means, the gate knows */
	router_handler handler;
};

struct router {
	const struct router_route *routes;
	size_t count;
	router_gate gate;
	/* Whether a route takes an upload; NULL: none does. Others are refused one before the gate. */
	int (*uploads)(const struct router_route *route);
	void *ctx; /* of gate and handlers */
};

/* Answers the exchange in any case. HEAD is served by the handler of GET. */
void router_dispatch(const struct router *router, struct exchange *exchange);
/* The route that would serve it, NULL without one; fills the exchange's params. */
const struct router_route *router_match(const struct router *router,
	struct exchange *exchange);

#endif
