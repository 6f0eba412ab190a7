/* mail_text: a message of RFC 5322 with a subject of RFC 2047 and a body in base64 (RFC 2045): every
 * text of it arrives as it was, in any language, and none can become a header.
 *
 * Thread: any; pure: the time is an argument. Errors: -REASON_NO_MEMORY, -REASON_LIMIT.
 */
#ifndef ALERT_MAIL_TEXT_H
#define ALERT_MAIL_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"

struct mail_text {
	const char *from, *const *to; /* checked addresses */
	size_t to_count;
	const char *subject, *body; /* UTF-8; the body's lines end with \n */
	const char *id;             /* left part of Message-ID, a-z 0-9 _ - */
	int64_t now_ms;
};

MUST_CHECK int mail_text_write(const struct mail_text *mail, struct buf *out);

#endif
