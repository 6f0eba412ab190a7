/* chunked: the chunked transfer coding of RFC 9112 section 7.1, read strictly: no extensions, no
 * trailers, no other line end than CR LF.
 *
 * Thread: that of the owner; a value inside its owner. Errors: -REASON_BAD_MESSAGE, and
 * -REASON_LIMIT for a chunk that could never be accepted.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define CHUNKED_CHUNK_MAX (1024 * 1024)

enum chunked_state {
	CHUNKED_SIZE,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_END_CR,
	CHUNKED_END_LF,
};

struct chunked {
	enum chunked_state state;
	size_t left;
	int digits;
};

enum { CHUNKED_DONE = 0, CHUNKED_MORE = 1 };

void chunked_init(struct chunked *chunked);
/* Takes one step: *ret_taken bytes are used up, of which the first *ret_data are content. */
MUST_CHECK int chunked_feed(struct chunked *chunked, const uint8_t *bytes, size_t len,
	size_t *ret_taken, size_t *ret_data);

#endif
