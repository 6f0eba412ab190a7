/* links: proto_wire */
/* A stream of frames, as a gateway gets it before it trusts anybody. */
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/hello.h"

/* However the stream is cut, the verdict on a frame is the same. */
static void check_cuts(const uint8_t *bytes, size_t len, int verdict)
{
	struct frame part;
	size_t until = len < 40 ? len : 40;
	int before = 0;
	for (size_t cut = 0; cut < until; cut++) {
		int r = frame_parse(bytes, cut, &part);
		if (before && r != before)
			abort();
		if (r && r != verdict)
			abort();
		before = r;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	while (len) {
		struct frame frame;
		/* a copy of exactly this size, so that reading past it is seen */
		uint8_t *copy = malloc(len);
		memcpy(copy, bytes, len);
		int r = frame_parse(copy, len, &frame);
		check_cuts(copy, len, r);
		size_t size = r == 1 ? frame_size(&frame) : 0;
		if (r == 1) {
			uint8_t header[FRAME_HEADER];
			frame_header(header, frame.type, frame.len);
			if (size > len || frame.payload != copy + FRAME_HEADER ||
				memcmp(header, copy, FRAME_HEADER) != 0)
				abort();
			for (enum hello_state state = HELLO_FRESH; state <= HELLO_ENDED;
				state++)
				if (hello_end_may(HELLO_VIEWER, state, frame.type) &&
					state == HELLO_ENDED)
					abort();
		}
		free(copy);
		if (r != 1)
			return 0;
		bytes += size;
		len -= size;
	}
	return 0;
}
