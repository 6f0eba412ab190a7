#include "link/lanes.h"

#include "base/reason.h"

#define CONTROL_HEAD 3 /* u8 number, u16 length */

static const struct {
	size_t keep, window;
} SIZES[SEAL_LANES] = {
	[SEAL_CONTROL] = {LANES_CONTROL_MAX, LANES_CONTROL_MAX},
	[SEAL_INPUT] = {LANES_INPUT_MAX, LANES_INPUT_MAX},
	[SEAL_PICTURE] = {LANES_PICTURE_MAX, LANES_PICTURE_MAX},
	[SEAL_CLIPBOARD] = {LANES_CLIPBOARD_MAX, LANES_CLIPBOARD_WINDOW},
	[SEAL_FILE] = {LANES_FILE_MAX, LANES_FILE_MAX},
};

void lanes_init(struct lanes *lanes)
{
	*lanes = (struct lanes){0};
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		ring_init(&lanes->out[lane].ring, SIZES[lane].keep);
		lanes->out[lane].window = SIZES[lane].window;
		lanes->in[lane].window = SIZES[lane].window;
	}
}

void lanes_done(struct lanes *lanes)
{
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		ring_done(&lanes->out[lane].ring);
		lanes->out[lane].sent = lanes->out[lane].ring.tail;
	}
}

size_t lanes_in_flight(const struct lanes *lanes, enum seal_lane lane)
{
	const struct lanes_out *out = &lanes->out[lane];
	return (size_t)(out->sent - out->ring.head);
}

size_t lanes_unsent(const struct lanes *lanes, enum seal_lane lane)
{
	const struct lanes_out *out = &lanes->out[lane];
	return (size_t)(out->ring.tail - out->sent);
}

size_t lanes_ready(const struct lanes *lanes, enum seal_lane lane)
{
	size_t flight = lanes_in_flight(lanes, lane), unsent = lanes_unsent(lanes, lane);
	size_t window = lanes->out[lane].window;
	if (flight >= window)
		return 0;
	return unsent < window - flight ? unsent : window - flight;
}

void lanes_take(struct lanes *lanes, enum seal_lane lane, uint8_t *ret, size_t len)
{
	struct lanes_out *out = &lanes->out[lane];
	ring_copy(&out->ring, out->sent, ret, len);
	out->sent += len;
}

static size_t control_message_at(const struct lanes *lanes, uint64_t at)
{
	const struct ring *ring = &lanes->out[SEAL_CONTROL].ring;
	uint8_t head[CONTROL_HEAD];
	if (ring->tail - at < CONTROL_HEAD)
		return 0;
	ring_copy(ring, at, head, sizeof(head));
	return CONTROL_HEAD + (size_t)(head[1] << 8 | head[2]);
}

size_t lanes_control_next(const struct lanes *lanes)
{
	return control_message_at(lanes, lanes->out[SEAL_CONTROL].sent);
}

/* Control messages are sent and sent again whole: a count inside of one is a lie. */
static bool on_border(const struct lanes *lanes, enum seal_lane lane, uint64_t position)
{
	const struct ring *ring = &lanes->out[lane].ring;
	if (lane != SEAL_CONTROL)
		return true;
	uint64_t at = ring->head;
	while (at < position)
		at += control_message_at(lanes, at);
	return at == position;
}

static bool plausible(const struct lanes *lanes, enum seal_lane lane, uint64_t position)
{
	const struct lanes_out *out = &lanes->out[lane];
	return position >= out->ring.head && position <= out->sent &&
	       on_border(lanes, lane, position);
}

int lanes_acked(struct lanes *lanes, enum seal_lane lane, uint64_t consumed)
{
	if (!plausible(lanes, lane, consumed))
		return -REASON_PROTOCOL;
	ring_release(&lanes->out[lane].ring, consumed);
	return 0;
}

int lanes_rewind(struct lanes *lanes, const uint64_t sequence[static SEAL_LANES])
{
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		if (!plausible(lanes, lane, sequence[lane]))
			return -REASON_PROTOCOL;
	}
	for (int lane = 0; lane < SEAL_LANES; lane++)
		lanes->out[lane].sent = sequence[lane];
	return 0;
}

int lanes_arrived(struct lanes *lanes, enum seal_lane lane, size_t len)
{
	struct lanes_in *in = &lanes->in[lane];
	if (in->received - in->consumed + len > in->window)
		return -REASON_PROTOCOL;
	in->received += len;
	return 0;
}

void lanes_consumed(struct lanes *lanes, enum seal_lane lane, size_t len)
{
	struct lanes_in *in = &lanes->in[lane];
	CHECK(len <= in->received - in->consumed);
	in->consumed += len;
}
