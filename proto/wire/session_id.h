/* session_id: the 16 bytes of a session as people and JSON see them: "ses_" and 26 lower-case Crockford
 * base32 characters (128 bits, most significant first, two zero bits at the end).
 *
 * Thread: any; no state. Errors: -REASON_BAD_VALUE; on error the result is untouched.
 */
#ifndef WIRE_SESSION_ID_H
#define WIRE_SESSION_ID_H

#include <stdint.h>

#include "base/check.h"

#define SESSION_ID 16
#define SESSION_ID_TEXT 31 /* with its NUL */

void session_id_text(const uint8_t id[static SESSION_ID],
	char ret[static SESSION_ID_TEXT]);
MUST_CHECK int session_id_parse(const char *text, uint8_t ret[static SESSION_ID]);

#endif
