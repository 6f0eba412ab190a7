/* fetch: gets one JSON object from an https server, within bounds: so much time, so many bytes, no
 * redirection, no other protocol, the certificate checked.
 *
 * Thread: any that may block. Owner: the caller of *ret.
 * Errors: -REASON_DIRECTORY_UNREACHABLE (no answer, no TLS, status 5xx, no JSON), -REASON_DIRECTORY_REFUSED
 * (status 4xx: the other side says no), -REASON_NO_MEMORY; with one sentence in `detail` for
 * administrators.
 */
#ifndef DIRECTORY_FETCH_H
#define DIRECTORY_FETCH_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"

#define FETCH_DETAIL 257
#define FETCH_MOST (256 * 1024)

struct fetch {
	const char *url;
	const char *ca;   /* PEM; "": the system's */
	const char *form; /* POST of x-www-form-urlencoded; NULL: GET */
	const char *user,
		*password;  /* HTTP basic, already encoded as its users need it; NULL */
	const char *bearer; /* an access token; NULL */
	int64_t connect_ms, answer_ms;
};

/* Once, before there are threads. */
void fetch_init(void);

MUST_CHECK int fetch_json(const struct fetch *fetch, json_t **ret,
	char detail[static FETCH_DETAIL]);
/* "a b&c" as "a%20b%26c"; the caller frees, NULL without memory. */
char *fetch_escape(const char *text);

#endif
