#include "wire/hello.h"

#include <string.h>

#include "base/reason.h"
#include "wire/frame.h"

#define IN(state) (1u << HELLO_##state)
#define HOST (1u << HELLO_HOST)
#define VIEWER (1u << HELLO_VIEWER)
#define WELCOMED (IN(IDLE) | IN(WAITING) | IN(JOINED))

struct permit {
	uint8_t type;
	unsigned sides, states;
};

/* DATA is also taken outside a session: the CLOSE of one side and the last records of the other
 * cross on the way. The receiver drops them; only the tunnel decides what a record is worth.
 * Likewise both may CLOSE at once, and a receipt may come when the next session is open. */
static const struct permit of_end[] = {
	{FRAME_HELLO, HOST | VIEWER, IN(FRESH)},
	{FRAME_PROVE, HOST | VIEWER, IN(ASKED)},
	{FRAME_CONNECT, VIEWER, IN(IDLE)},
	{FRAME_DATA, HOST | VIEWER, IN(IDLE) | IN(JOINED)},
	{FRAME_CLOSE, HOST | VIEWER, WELCOMED},
	{FRAME_REPORT, HOST, WELCOMED},
	{FRAME_RECEIPT, HOST | VIEWER, WELCOMED},
	{FRAME_PING, HOST | VIEWER, WELCOMED},
	{FRAME_PONG, HOST | VIEWER, WELCOMED},
};

/* A node may refuse from the first moment on, before the end has said anything. */
static const struct permit of_node[] = {
	{FRAME_CHALLENGE, HOST | VIEWER, IN(ASKED)},
	{FRAME_WELCOME, HOST | VIEWER, IN(PROVING)},
	{FRAME_REFUSED, HOST | VIEWER, IN(FRESH) | IN(ASKED) | IN(PROVING)},
	{FRAME_OPEN, HOST, IN(IDLE)},
	{FRAME_OPEN, VIEWER, IN(WAITING)},
	{FRAME_DATA, HOST | VIEWER, WELCOMED},
	{FRAME_CLOSE, HOST | VIEWER, WELCOMED},
	{FRAME_NOTICE, HOST | VIEWER, WELCOMED},
	{FRAME_PING, HOST | VIEWER, WELCOMED},
	{FRAME_PONG, HOST | VIEWER, WELCOMED},
};

static bool permitted(const struct permit *permits, size_t count, enum hello_side side,
	enum hello_state state, uint8_t type)
{
	unsigned now = 1u << state;
	if (type >= FRAME_SKIP_FROM)
		return (now & WELCOMED) != 0;
	for (size_t i = 0; i < count; i++)
		if (permits[i].type == type && permits[i].sides & 1u << side &&
			permits[i].states & now)
			return true;
	return false;
}

bool hello_end_may(enum hello_side side, enum hello_state state, uint8_t type)
{
	return permitted(of_end, ARRAY_LEN(of_end), side, state, type);
}

bool hello_node_may(enum hello_side side, enum hello_state state, uint8_t type)
{
	return permitted(of_node, ARRAY_LEN(of_node), side, state, type);
}

int hello_generation(uint64_t gen_min, uint64_t gen_max)
{
	uint64_t newest = gen_max < HELLO_GEN ? gen_max : HELLO_GEN;
	if (newest < gen_min || newest < HELLO_GEN_MIN)
		return -REASON_VERSION;
	return (int)newest;
}

const char *hello_state_name(enum hello_state state)
{
	static const char *const names[] = {
		"fresh", "asked", "proving", "idle", "waiting", "joined", "ended"};
	return (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown";
}

const char *hello_side_name(enum hello_side side)
{
	return side == HELLO_HOST ? "host" : "viewer";
}

int hello_side_parse(const char *text, enum hello_side *ret)
{
	for (enum hello_side side = HELLO_HOST; side <= HELLO_VIEWER; side++)
		if (!strcmp(text, hello_side_name(side))) {
			*ret = side;
			return 0;
		}
	return -REASON_BAD_MESSAGE;
}
