/* request: one HTTP/1.1 request, parsed strictly: what two programs could understand differently
 * (RFC 9112 section 11.2) is refused instead of interpreted.
 *
 * Thread: that of the owner. Owner: request_new() until request_free(); views (name, value, path
 * segments, body) live as long. Limits: head 8 KiB and 64 header lines, body 64 KiB. A longer one with
 * a Content-Length, up to 16 MiB, is an upload: it is not kept here, the handler reads it as it comes
 * (exchange_read), so that nobody who may not send it makes us keep it.
 * Errors: request_feed returns -REASON_BAD_MESSAGE or -REASON_LIMIT and `status` has the HTTP
 * status; nothing of such a connection may be read any further.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define REQUEST_HEAD_MAX 8192
#define REQUEST_BODY_MAX 65536
#define REQUEST_UPLOAD_MAX (16 * 1024 * 1024)
#define REQUEST_HEADERS 64
#define REQUEST_SEGMENTS 12
#define REQUEST_QUERIES 24

enum request_method {
	REQUEST_GET,
	REQUEST_HEAD,
	REQUEST_POST,
	REQUEST_PUT,
	REQUEST_PATCH,
	REQUEST_DELETE,
	REQUEST_OPTIONS,
};

struct request_pair {
	const char *name, *value;
};

struct request {
	enum request_method method;
	const char *path;                       /* still encoded, without the query */
	const char *segments[REQUEST_SEGMENTS]; /* decoded */
	size_t segment_count;
	struct request_pair headers[REQUEST_HEADERS];
	size_t header_count;
	struct request_pair queries[REQUEST_QUERIES]; /* decoded */
	size_t query_count;
	const char *body; /* with a NUL behind it; "" when there is none */
	size_t body_len;
	size_t upload; /* bytes of an upload, which follow; 0: there is none */
	int minor;     /* HTTP/1.minor */
	bool keep;     /* the client wants the connection to stay */
	bool expects;  /* Expect: 100-continue; the body has not been sent yet */
	bool head_done;
	int status; /* of a refused request: 400, 413, 414, 417, 431, 501, 505 */
	struct request_parse *parse;
};

MUST_CHECK int request_new(struct request **ret);
/* Accepts NULL, returns NULL. Wipes: bodies carry passwords, headers carry tokens. */
struct request *request_free(struct request *request);

enum { REQUEST_DONE = 0, REQUEST_MORE = 1, REQUEST_UPLOAD = 2 };
/* Takes bytes until the request is complete; *ret_used counts what belongs to it. REQUEST_UPLOAD: it is,
 * but for `upload` bytes that follow. */
MUST_CHECK int request_feed(struct request *request, const uint8_t *bytes, size_t len,
	size_t *ret_used);

/* NULL when it is not there. Header names are compared without case. */
const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);
const char *request_method_name(enum request_method method);

#endif
