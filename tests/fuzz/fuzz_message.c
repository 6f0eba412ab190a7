/* links: proto_wire */
/* Control messages: the first byte is the frame type, the rest its JSON. What is understood must
 * survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	static void try_##name(const uint8_t *payload, size_t len, struct buf *out)      \
	{                                                                                \
		static struct message_##name message, back;                              \
		struct frame frame;                                                      \
		if (message_##name##_parse(payload, len, &message))                      \
			return;                                                          \
		if (message_##name##_write(&message, out) ||                             \
			frame_parse(buf_head(out), buf_len(out), &frame) != 1 ||         \
			frame.type != number || frame_size(&frame) != buf_len(out) ||    \
			message_##name##_parse(frame.payload, frame.len, &back) ||       \
			memcmp(&message, &back, sizeof(back)) != 0)                      \
			abort();                                                         \
	}
#define FIELD(name, kind, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	uint8_t *payload = malloc(len);
	memcpy(payload, bytes + 1, len - 1);
	struct buf out;
	buf_init(&out, FRAME_MAX);
	switch (bytes[0]) {
#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	case number:                                                                     \
		try_##name(payload, len - 1, &out);                                      \
		break;
#define FIELD(name, kind, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	default:
		break;
	}
	buf_done(&out);
	free(payload);
	return 0;
}
