/* http_connect: through the company's HTTP proxy: which one, what to ask it, what it answers
 * (RFC 9110 section 9.3.6).
 *
 * Thread: any; pure, values. The password of the proxy is in the struct: wipe it when done.
 * Errors: -REASON_BAD_VALUE (URL), -REASON_PROTOCOL (answer), -REASON_LIMIT.
 */
#ifndef LINK_HTTP_CONNECT_H
#define LINK_HTTP_CONNECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"

#define HTTP_CONNECT_CREDENTIALS 384
#define HTTP_CONNECT_ANSWER_MAX 16384
#define HTTP_CONNECT_PORT 8080 /* of a proxy without one */

struct http_connect_proxy {
	struct text_endpoint at;
	char authorization[HTTP_CONNECT_CREDENTIALS * 4 / 3 + 16]; /* "Basic …" or "" */
};

/* "http://[USER:PASSWORD@]HOST[:PORT][/]" or "HOST:PORT"; USER and PASSWORD may be %-encoded. A proxy
 * that itself wants TLS (https://) is not supported. */
MUST_CHECK int http_connect_parse(const char *url, struct http_connect_proxy *ret);
/* Whether the way to `host` goes past the proxy: list of names (and all below them), addresses, "*". */
int http_connect_exempt(const char *no_proxy, const char *host);
MUST_CHECK int http_connect_request(const struct http_connect_proxy *proxy,
	const struct text_endpoint *target, struct buf *out);
/* 1: the whole head is there, *ret_status is its status and *ret_used its length; 0: more bytes are
 * needed. */
MUST_CHECK int http_connect_answer(const uint8_t *bytes, size_t len, int *ret_status,
	size_t *ret_used);

#endif
