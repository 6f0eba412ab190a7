#include "http/router.h"

#include <stdio.h>
#include <string.h>

/* A parameter's name is a view into the route's path: "id}/disable". */
static int matches(const struct router_route *route, struct exchange *exchange)
{
	const struct request *request = exchange->request;
	const char *at = route->path;

	exchange->param_count = 0;
	for (size_t i = 0; i < request->segment_count; i++) {
		if (*at != '/')
			return 0;
		size_t len = strcspn(++at, "/");
		const char *segment = request->segments[i];
		if (*at == '{') {
			if (!*segment || exchange->param_count == EXCHANGE_PARAMS)
				return 0;
			exchange->params[exchange->param_count++] =
				(struct request_pair){at + 1, segment};
		} else if (strlen(segment) != len || strncmp(segment, at, len)) {
			return 0;
		}
		at += len;
	}
	return !*at;
}

static int serves(const struct router_route *route, enum request_method method)
{
	return route->method == method ||
	       (route->method == REQUEST_GET && method == REQUEST_HEAD);
}

const struct router_route *router_match(const struct router *router,
	struct exchange *exchange)
{
	for (size_t i = 0; i < router->count; i++)
		if (serves(&router->routes[i], exchange->request->method) &&
			matches(&router->routes[i], exchange))
			return &router->routes[i];
	exchange->param_count = 0;
	return NULL;
}

/* RFC 9110 section 15.5.6: a path that exists under another method says which. */
static void answer_unmatched(const struct router *router, struct exchange *exchange)
{
	char allow[80] = "", detail[120];

	for (size_t i = 0; i < router->count; i++) {
		const char *name = request_method_name(router->routes[i].method);
		if (!matches(&router->routes[i], exchange) || strstr(allow, name))
			continue;
		size_t len = strlen(allow);
		snprintf(allow + len, sizeof(allow) - len, "%s%s", len ? ", " : "", name);
	}
	exchange->param_count = 0;
	if (*allow) {
		exchange_header(exchange, "Allow", allow);
		snprintf(detail, sizeof(detail), "method: %s", allow);
		exchange_problem_as(exchange, 405, REASON_BAD_VALUE, detail);
		exchange->header_count = 0; /* `allow` ends here */
	} else {
		exchange_problem(exchange, REASON_NOT_FOUND, "no such path");
	}
}

void router_dispatch(const struct router *router, struct exchange *exchange)
{
	const struct router_route *route = router_match(router, exchange);

	if (exchange->request->upload &&
		(!route || !router->uploads || !router->uploads(route)))
		exchange_problem_as(exchange, 413, REASON_LIMIT, NULL);
	else if (!route)
		answer_unmatched(router, exchange);
	else if (!router->gate(router->ctx, exchange, route->permission))
		route->handler(router->ctx, exchange);
}
