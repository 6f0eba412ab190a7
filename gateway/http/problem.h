/* problem: a reason as an HTTP answer: its status, and the body of RFC 9457 with the members
 * `code` (symbol), `message` and `hint` beside the standard ones.
 *
 * Thread: any; constant data.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include <jansson.h>

#include "base/reason.h"

/* 400 … 507; 500 for what no client can cause or cure. */
int problem_status(int reason);
/* "Not Found" */
const char *problem_phrase(int status);
/* The reason that fits an HTTP status that the parser or the router found. */
int problem_reason(int status);
/* A new reference; NULL without memory. `detail` may be NULL. */
json_t *problem_json(int status, int reason, const char *detail, enum reason_lang lang);

#endif
