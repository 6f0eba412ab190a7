/* Path 05/11: records become frames, and frames records again. */
#include "wire/frame.h"

#include "base/cursor.h"
#include "base/reason.h"

static const struct frame_rule {
	const char *name; /* NULL: unknown */
	uint32_t least, most;
} rules[256] = {
#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	[number] = {#SYMBOL, 0, FRAME_CONTROL_MAX},
#define FIELD(name, type, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	[FRAME_PING] = {"PING", 8, 8},
	[FRAME_PONG] = {"PONG", 8, 8},
	[FRAME_DATA] = {"DATA", 16, FRAME_DATA_MAX}, /* 16: the tag of an empty record */
};

static const struct frame_rule skipped = {"UNKNOWN", 0, FRAME_CONTROL_MAX};

int frame_parse(const uint8_t *bytes, size_t len, struct frame *ret)
{
	struct cursor cursor = cursor_of(bytes, len);
	struct frame frame = {0};
	if (cursor_u8(&cursor, &frame.type) || cursor_u24(&cursor, &frame.len))
		return 0;
	const struct frame_rule *rule = &rules[frame.type];
	if (!rule->name && frame.type >= FRAME_SKIP_FROM)
		rule = &skipped;
	/* Before the payload is there: a peer must not make us wait for what we will refuse. */
	if (!rule->name || frame.len < rule->least || frame.len > rule->most)
		return -REASON_PROTOCOL;
	if (cursor_bytes(&cursor, frame.len, &frame.payload))
		return 0;
	*ret = frame;
	return 1;
}

void frame_header(uint8_t ret[static FRAME_HEADER], uint8_t type, uint32_t len)
{
	CHECK(len <= FRAME_DATA_MAX);
	ret[0] = type;
	ret[1] = (uint8_t)(len >> 16);
	ret[2] = (uint8_t)(len >> 8);
	ret[3] = (uint8_t)len;
}

const char *frame_type_name(uint8_t type)
{
	const char *name = rules[type].name;
	return name ? name : "UNKNOWN";
}
