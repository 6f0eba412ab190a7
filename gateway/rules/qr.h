/* qr: a text as QR code, for the console to draw and engawactl to print (the otpauth: link of a TOTP secret).
 *
 * Thread: any; pure. What it makes is as secret as the text. Source: ISO/IEC 18004 by libqrencode,
 * error correction M, which a phone reads off a screen at an angle.
 */
#ifndef RULES_QR_H
#define RULES_QR_H

#include <jansson.h>

#include "base/check.h"

#define QR_TEXT_MAX 512

/* {"size":29,"rows":["1111111001…",…]}, 1 is dark; without the quiet zone, which whoever draws it adds
 * (4 modules). The caller owns *ret. -REASON_LIMIT over QR_TEXT_MAX bytes, -REASON_BAD_VALUE for an
 * empty text, -REASON_NO_MEMORY. */
MUST_CHECK int qr_make(const char *text, json_t **ret);

#endif
