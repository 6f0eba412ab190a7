/* exchange: one request and its answer, as a handler sees them. A handler answers once: whole
 * (exchange_json, exchange_problem, exchange_whole) or as a stream of any length (exchange_begin,
 * exchange_put …, exchange_end), which costs the same memory however long it gets.
 *
 * Thread: one office thread at a time. Owner: whoever runs the handler; the handler borrows it.
 * The bytes go to a sink: a connection (http_server), or memory in tests.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <jansson.h>
#include <stddef.h>

#include "base/check.h"
#include "base/reason.h"
#include "http/request.h"

struct event_stream;

#define EXCHANGE_PARAMS 4
#define EXCHANGE_HEADERS 8

/* Takes the next bytes of the answer; blocks while the peer is behind. Not 0: nobody takes any
 * more, and the handler should stop. */
typedef int (*exchange_sink)(void *ctx, const void *bytes, size_t len);

/* The next bytes of an upload; blocks until there are some. *ret_len 0: that was all. */
typedef int (*exchange_source)(void *ctx, void *bytes, size_t size, size_t *ret_len);

struct exchange {
	struct request *request;
	const char *address;                         /* of the peer */
	struct request_pair params[EXCHANGE_PARAMS]; /* {id} of the route */
	size_t param_count;
	void *who; /* set for the gate and the handlers; what it is, they know */
	enum reason_lang lang;
	/* the answer */
	int status; /* HTTP status, 0: not answered yet */
	int reason; /* of a refusal, for log and metrics */
	const char
		*field; /* of a refusal: the member or parameter that is wrong, or NULL */
	struct request_pair headers[EXCHANGE_HEADERS];
	size_t header_count;
	int streaming; /* 0 whole, 1 chunked, 2 until the connection closes */
	int broken;    /* the sink's first error */
	int keep;      /* the connection may serve another request */
	char *held;    /* what a stream has gathered and not sent yet */
	size_t held_len;
	struct event_stream *stays; /* who has the connection from now on, or NULL */
	exchange_sink sink;
	exchange_source source; /* of an upload; the ctx is that of the sink */
	size_t read;            /* of a body that is here already */
	void *ctx;
	/* gets an answer that is given as a whole, if somebody wants to see it */
	void (*copy)(void *ctx, int status, const char *type, const void *bytes,
		size_t len);
	void *copy_ctx;
};

/* From Accept-Language. */
void exchange_init(struct exchange *exchange, struct request *request,
	const char *address, exchange_sink sink, void *ctx);
/* What a handler left unanswered becomes INTERNAL. Frees what init and begin took. */
void exchange_done(struct exchange *exchange);

const char *exchange_param(const struct exchange *exchange, const char *name);
/* An additional header; name is borrowed, value must live until the answer. */
void exchange_header(struct exchange *exchange, const char *name, const char *value);

/* The body piece by piece, whether it is here or on its way. *ret_len 0: that was all. -REASON_*: it
 * did not come; nothing is answered. */
MUST_CHECK int exchange_read(struct exchange *exchange, void *bytes, size_t size,
	size_t *ret_len);

void exchange_whole(struct exchange *exchange, int status, const char *type,
	const void *bytes, size_t len);
/* Takes the reference of `body` over; NULL (no memory) becomes a problem. */
void exchange_json(struct exchange *exchange, int status, json_t *body);
/* 204 */
void exchange_empty(struct exchange *exchange);

/* What went wrong, as RFC 9457 problem with the reason's code, text and hint in the language of
 * the asker. `detail` may be NULL. Returns `reason` negative, for `return exchange_problem(…)`. */
int exchange_problem(struct exchange *exchange, int reason, const char *detail);
/* The same with a status of its own (404 of a path, 405). */
int exchange_problem_as(struct exchange *exchange, int status, int reason,
	const char *detail);

MUST_CHECK int exchange_begin(struct exchange *exchange, const char *type);
MUST_CHECK int exchange_put(struct exchange *exchange, const void *bytes, size_t len);
/* Without it the peer sees a cut answer: that is how it learns that rows are missing. */
MUST_CHECK int exchange_end(struct exchange *exchange);

/* The same until the connection closes, whatever the peer's version. */
MUST_CHECK int exchange_open(struct exchange *exchange, const char *type);
/* Instead of exchange_end: what was put goes out, then the connection is this stream's. */
void exchange_stay(struct exchange *exchange, struct event_stream *stream);

#endif
