/* body: the JSON object that a request carries, and its members, checked one by one. A member that
 * nobody asks for is an error: a misspelt one must not be ignored silently.
 *
 * Thread: that of the exchange. Owner: body_parse gives a reference that body_done drops.
 * Errors are gathered: the first one stays, with the member's name, and body_check tells it.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "http/exchange.h"

#define BODY_MEMBERS 24
#define BODY_DETAIL 200

struct body {
	json_t *object;
	const char *asked[BODY_MEMBERS];
	size_t asked_count;
	int status;
	char field[64], detail[BODY_DETAIL];
};

enum body_need { BODY_MAY, BODY_NEED };

/* An absent body counts as {}. On error the exchange is answered. */
MUST_CHECK int body_parse(struct body *body, struct exchange *exchange);
void body_done(struct body *body);

/* Text of at most `max` bytes, without characters that deceive (base/text.h). NULL when it is absent or wrong. */
const char *body_text(struct body *body, const char *name, size_t max,
	enum body_need need);
int64_t body_number(struct body *body, const char *name, int64_t min, int64_t max,
	int64_t fallback);
/* The first error stays. */
void body_wrong(struct body *body, const char *name, const char *what);

/* After all members were asked for: 0, or the exchange is answered with what is wrong. */
MUST_CHECK int body_check(struct body *body, struct exchange *exchange);

#endif
