/* cookie: the cookies of the console: read out of a request, and the text that sets one.
 *
 * Names begin with "__Host-": browsers take those only over TLS, from this very host, for all of it
 * (RFC 6265bis section 4.1.3.2). Scripts never see them.
 * Thread: that of the exchange. Errors: -REASON_NOT_FOUND; -REASON_BAD_VALUE when there are two of the
 * name: somebody put one beside ours, and nobody can tell which is which.
 */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "http/request.h"

MUST_CHECK int cookie_get(const struct request *request, const char *name, char *ret,
	size_t size);

/* STRICT: sent only by our own pages. LAX: also when a provider sends the browser back to us. */
enum cookie_site { COOKIE_STRICT, COOKIE_LAX };
/* The value of a Set-Cookie header. `seconds`: -1 until the browser is closed, 0 removes it. Values
 * are base64url or hex. -REASON_LIMIT. */
MUST_CHECK int cookie_set(const char *name, const char *value, enum cookie_site site,
	int64_t seconds, char *ret, size_t size);

#endif
