/* latin1: the only characters that plain RFB cut text can carry (RFC 6143 section 7.5.6).
 *
 * Thread: any; no state. The results are malloc'ed and NUL-terminated; NULL: no memory, or (to
 * Latin-1) a character that does not exist there.
 */
#ifndef SCREEN_LATIN1_H
#define SCREEN_LATIN1_H

#include <stddef.h>

/* Line ends become plain \n in both directions. */
char *latin1_to_utf8(const char *latin1, size_t len, size_t *ret_len);
/* `utf8` is valid UTF-8. */
char *latin1_from_utf8(const char *utf8, size_t len, size_t *ret_len);

#endif
