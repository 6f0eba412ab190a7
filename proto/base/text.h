/* text: UTF-8, encodings for people and wires, addresses as people type them.
 *
 * Thread: any; no state. Errors: -REASON_BAD_VALUE (malformed), -REASON_LIMIT (does not fit);
 * on error the result is untouched.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

bool text_utf8_valid(const void *bytes, size_t len);
/* Length of the part from the start that is valid. */
size_t text_utf8_span(const void *bytes, size_t len);

/* The length of a character at `at` with which text could deceive its reader or steer his terminal, or
 * 0: controls (C0, DEL, C1), direction marks, what has no width, line and paragraph separators, the byte
 * order mark. The text must be valid and end with NUL. */
size_t text_deceit(const char *at);
/* Valid, and without any such character. */
bool text_is_plain(const char *text);

/* Copies with its NUL, or refuses: never truncates silently. */
MUST_CHECK int text_copy(char *ret, size_t size, const char *text);
/* Copies at most size-1 bytes, cut at a character border: for display only. */
void text_clip(char *ret, size_t size, const char *text);
/* For log lines and terminals: control characters, U+2028/2029 and bidi controls become \u{..},
 * invalid UTF-8 becomes \x.., at most size-1 bytes. */
void text_escape(char *ret, size_t size, const char *text);

#define TEXT_HEX_SIZE(len) (2 * (len) + 1)
void text_hex(char *ret, const void *bytes, size_t len);
MUST_CHECK int text_unhex(void *ret, size_t len,
	const char *hex); /* exactly `len` bytes */

/* base64url without padding, RFC 4648 section 5. */
#define TEXT_B64_SIZE(len) (((len)*4 + 2) / 3 + 1)
void text_b64(char *ret, const void *bytes, size_t len);
MUST_CHECK int text_unb64(void *ret, size_t size, size_t *ret_len, const char *text);

/* Crockford base32: 5 bits a character, most significant first; decoding takes small letters,
 * O as 0, I and L as 1, and skips '-' and blanks. `chars` * 5 bits are moved between `digits`
 * (one value 0..31 each) and text. */
void text_crockford(char *ret, const uint8_t *digits,
	size_t chars); /* writes chars + NUL */
MUST_CHECK int text_uncrockford(uint8_t *ret_digits, size_t chars, const char *text);

/* "host:port", "[2001:db8::1]:port", ":port" (any address), "port"; a missing port is `port`
 * unless that is 0. */
#define TEXT_HOST_SIZE 256
struct text_endpoint {
	char host[TEXT_HOST_SIZE];
	uint16_t port;
};
MUST_CHECK int text_endpoint(struct text_endpoint *ret, const char *text, uint16_t port);
/* The same back again, with brackets where they are needed. */
void text_endpoint_text(char *ret, size_t size, const struct text_endpoint *endpoint);

#endif
