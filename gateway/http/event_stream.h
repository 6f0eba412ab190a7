/* event_stream: server-sent events (WHATWG HTML section 9.2) to browsers that look at live pages. A
 * stream keeps its connection but no office thread: after the head it belongs to the http worker,
 * and whoever has news sends them there.
 *
 * Thread: event_stream_open on an office thread; event_stream_all_new and _free from main; the rest on
 * the worker of the streams. Owner: struct event_streams is gateway.c's; a stream belongs to the
 * connection it keeps (http_server). Limits: EVENT_STREAM_MOST streams; a peer that leaves
 * EVENT_STREAM_QUEUE bytes unread is dropped; a stream ends by itself after EVENT_STREAM_LIFE_MS, so
 * that its listener is asked again who he is.
 * Nothing is kept for those who are away: a stream begins with the event "hello", after which a page
 * asks anew for all that it shows. "renew" comes shortly before the end of its life, and a comment
 * every EVENT_STREAM_BEAT_MS. Errors: -REASON_NO_MEMORY.
 */
#ifndef HTTP_EVENT_STREAM_H
#define HTTP_EVENT_STREAM_H

#include <stdint.h>

#include "base/check.h"
#include "http/exchange.h"

#define EVENT_STREAM_MOST 128
#define EVENT_STREAM_QUEUE (64 * 1024)
#define EVENT_STREAM_BEAT_MS 15000
#define EVENT_STREAM_LIFE_MS 120000
#define EVENT_STREAM_RENEW_MS 10000 /* before the end of its life */

struct conn;
struct event_stream;
struct event_streams;
struct worker;

struct event_listener {
	char tenant[41]; /* whose news he hears; "": everybody's */
	char key[65];    /* of his sign-in or token, for event_stream_all_drop */
	char name[136];  /* of himself, for the same */
	uint64_t rights; /* bits of the kinds of news he hears */
};

enum event_reach { EVENT_TENANT, EVENT_EVERYBODY };

struct event {
	const char *tenant;
	enum event_reach reach; /* EVENT_EVERYBODY: also to those of other tenants */
	uint64_t rights;        /* one of these bits is needed */
	const char *json;       /* one line */
};

MUST_CHECK int event_stream_all_new(struct worker *worker, struct event_streams **ret);
/* Accepts NULL, returns NULL. No stream is left. */
struct event_streams *event_stream_all_free(struct event_streams *streams);
/* Starts the clock of the streams, on the worker; stop before the worker ends. */
MUST_CHECK int event_stream_all_start(struct event_streams *streams);
void event_stream_all_stop(struct event_streams *streams);

/* Answers the exchange with a stream, or with why not (BUSY: too many). */
void event_stream_open(struct event_streams *streams, struct exchange *exchange,
	const struct event_listener *listener);
/* To every stream whose listener hears it. */
void event_stream_all_send(struct event_streams *streams, const struct event *event);
/* Ends the streams of this sign-in, token or name. */
void event_stream_all_drop(struct event_streams *streams, const char *key);

/* For http_server: the stream now has this connection; `over` asks for its end. */
void event_stream_attach(struct event_stream *stream, struct conn *conn,
	void (*over)(void *ctx, int reason), void *ctx);
/* The connection is gone, or none ever came (then from any thread). Accepts NULL, returns NULL. */
struct event_stream *event_stream_free(struct event_stream *stream);

#endif
