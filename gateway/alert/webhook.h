/* webhook: an alarm as POST of JSON over HTTPS.
 *
 *   Engawa-Signature: t=UNIX-SECONDS,v1=HEX    HMAC-SHA256(secret, t || "." || body), RFC 2104
 *   Idempotency-Key: ID                        the same at every try
 *
 * The body is rules/alarm.h's alarm_show(). Any 2xx is success; a redirect is a failure.
 * Thread and errors: alert/letter.h.
 */
#ifndef ALERT_WEBHOOK_H
#define ALERT_WEBHOOK_H

#include "alert/letter.h"

MUST_CHECK int webhook_send(const struct letter *letter, char error[static LETTER_ERROR]);

#define WEBHOOK_SIGNATURE 96
/* The header's value. */
MUST_CHECK int webhook_sign(const char *secret, int64_t now_ms, const char *body,
	char ret[static WEBHOOK_SIGNATURE]);

#endif
