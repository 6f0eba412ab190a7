/* http_server: HTTP/1.1 over the connections of one worker. Parses requests, lets the office answer
 * them one after the other, and takes the answers back to the connection.
 *
 * Thread: new and free from main; accept and stop on the worker; handlers run on office threads.
 * Owner: the server owns the conns it accepted. Limits: http_server_settings; a connection that
 * waits for its answer is not read.
 * Errors: a malformed request is answered (400 … 505) and its connection closed.
 */
#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include <stdint.h>

#include "base/check.h"
#include "http/exchange.h"
#include "http/office.h"

struct conn;
struct http_server;
struct worker;

/* Answers the exchange; on an office thread. */
typedef void (*http_server_handler)(void *ctx, struct exchange *exchange);

struct http_server_settings {
	int64_t header_ms; /* from the first byte of a request to the end of its header */
	int64_t body_ms;   /* from there to the end of its body */
	int64_t idle_ms;   /* without a request */
	int64_t stalled_ms; /* an answer that nobody takes */
	int64_t connections;
};

MUST_CHECK int http_server_new(struct worker *worker, struct office *office,
	const struct http_server_settings *settings, http_server_handler handler,
	void *ctx, struct http_server **ret);
/* Takes the conn over. Beyond the permitted number it is closed. */
void http_server_accept(struct http_server *server, struct conn *conn);
/* For the connections from now on. On the worker. */
void http_server_set(struct http_server *server,
	const struct http_server_settings *settings);

enum http_server_stop { HTTP_SERVER_SOON, HTTP_SERVER_NOW };
/* SOON: answers under way are finished; NOW: they are cut, and office threads that wait for a
 * peer return. New connections are refused after either. */
void http_server_stop(struct http_server *server, enum http_server_stop how);
/* When the worker has ended and the office is gone. Accepts NULL, returns NULL. */
struct http_server *http_server_free(struct http_server *server);

#endif
