#include "relay/leg_hear.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "relay/crossing.h"
#include "relay/desk.h"
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "relay/lobby.h"
#include "relay/presence.h"
#include "relay/pump.h"
#include "relay/session.h"
#include "wire/frame.h"

/* An end that sends no receipt is not deaf for ever. */
static int is_late(struct leg *leg)
{
	if (leg->owes && clock_mono_ms() >= leg->owes_until_ms)
		leg->owes = 0;
	return leg->owes != 0;
}

static int take_connect(struct leg *leg, const struct frame *frame)
{
	struct message_connect connect;
	int rc = message_connect_parse(frame->payload, frame->len, &connect);
	if (rc)
		return rc;
	if (connect.purpose < 1 || connect.psk_kind < 1)
		return -REASON_BAD_MESSAGE;
	leg->wish = malloc(sizeof(*leg->wish));
	if (!leg->wish)
		return -REASON_NO_MEMORY;
	*leg->wish = connect;
	leg->asked_ms = clock_mono_ms();
	leg->hops = 0;
	leg_change(leg, HELLO_WAITING);
	lobby_match(leg);
	return 0;
}

/* An end may say why it ends, but not in the name of others: what only a node or an administrator
 * can know is replaced by the plain fact that this side ended it. A node speaks for itself. */
int leg_hear_reason(const struct leg *leg, uint64_t number)
{
	/* We have asked it to go. */
	if (number == REASON_DRAINING && atomic_load(&leg->desk->house->draining))
		return REASON_DRAINING;
	if (leg->via && number != REASON_NONE &&
		reason_parse(reason_symbol((int)number)) != REASON_NONE)
		return (int)number;
	switch (number) {
	case REASON_ADMIN_DISCONNECT:
	case REASON_TAKEN_OVER:
	case REASON_HOST_REPLACED:
	case REASON_NODE_STOPPED:
	case REASON_DRAINING:
	case REASON_LICENSE_DISABLED:
	case REASON_LICENSE_EXPIRED:
	case REASON_RECORDING_FAILED:
	case REASON_SLOW_READER:
	case REASON_NONE:
		break;
	default:
		if (reason_parse(reason_symbol((int)number)) != REASON_NONE)
			return (int)number;
	}
	return leg->side == HELLO_HOST ? REASON_HOST_ENDED : REASON_VIEWER_LEFT;
}

static int take_close(struct leg *leg, const struct frame *frame)
{
	struct message_close message;
	int rc = message_close_parse(frame->payload, frame->len, &message);
	if (rc)
		return rc;
	int reason = leg_hear_reason(leg, message.reason);
	if (!message.session[0]) { /* the leg itself: no CLOSE in return */
		leg_part(leg, reason);
	} else if (leg->session && leg->state == HELLO_JOINED &&
		   !strcmp(message.session, leg->session->id_text)) {
		session_closed_by(leg->session, leg, reason);
	} else {
		/* Both closed at once: its last word about the former one. */
		leg->owes = 0;
	}
	return 0; /* of a session that is over already: both closed at once */
}

static int take_report(struct leg *leg, const struct frame *frame)
{
	struct message_report report;
	int rc = message_report_parse(frame->payload, frame->len, &report);
	if (!rc)
		presence_host_reports(leg, report.inventory);
	return rc;
}

static int take_receipt(struct leg *leg, const struct frame *frame)
{
	struct message_receipt receipt;
	int rc = message_receipt_parse(frame->payload, frame->len, &receipt);
	if (rc)
		return rc;
	if (receipt.fence >= leg->owes)
		leg->owes = 0;
	leg->confirmed = receipt.fence;
	session_receipt(leg, &receipt);
	return 0;
}

static int take_ping(struct leg *leg, const struct frame *frame)
{
	leg_send_keepalive(leg, FRAME_PONG, frame->payload);
	return 0;
}

static int take_pong(struct leg *leg, const struct frame *frame)
{
	keepalive_pong(&leg->keepalive, clock_mono_us(), frame->payload);
	return 0;
}

/* DATA of a session that is over: its CLOSE and the last records crossed on the way. */
static int take_late_data(struct leg *leg, const struct frame *frame)
{
	(void)leg;
	(void)frame;
	return 0;
}

static const struct {
	uint8_t type;
	int (*take)(struct leg *leg, const struct frame *frame);
} takers[] = {
	{FRAME_PING, take_ping},
	{FRAME_PONG, take_pong},
	{FRAME_DATA, take_late_data},
	{FRAME_CONNECT, take_connect},
	{FRAME_CLOSE, take_close},
	{FRAME_RECEIPT, take_receipt},
	{FRAME_REPORT, take_report},
};

static int take_frame(struct leg *leg, const struct frame *frame)
{
	int is_ours =
		!leg->crossing || frame->type == FRAME_PING || frame->type == FRAME_PONG;
	if (is_ours && !hello_end_may(leg->side, leg->state, frame->type))
		return -REASON_PROTOCOL;
	if (frame->type != FRAME_DATA && !bucket_take(&leg->chatter, clock_mono_ms()))
		return -REASON_THROTTLED;
	if (!is_ours)
		return crossing_take(leg->crossing, frame);
	for (size_t i = 0; i < ARRAY_LEN(takers); i++)
		if (takers[i].type == frame->type)
			return takers[i].take(leg, frame);
	return 0; /* of a later generation, skipped */
}

size_t leg_hear_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct leg *leg = ctx;
	struct frame frame;
	size_t used = 0;
	CHECK_OBJ(leg, LEG_MAGIC);
	keepalive_heard(&leg->keepalive, clock_mono_ms());
	while (used < len && leg->state != HELLO_ENDED && !leg->moving) {
		if (leg->pump && !is_late(leg))
			used += pump_take(leg->pump, bytes + used, len - used);
		if (used == len)
			break;
		int rc = frame_parse(bytes + used, len - used, &frame);
		if (!rc)
			break;
		if (rc > 0) {
			used += frame_size(&frame);
			rc = take_frame(leg, &frame);
		}
		if (rc < 0)
			leg_end(leg, -rc);
	}
	return leg->state == HELLO_ENDED ? len : used;
}

void leg_hear_room(void *ctx)
{
	struct leg *leg = ctx;
	CHECK_OBJ(leg, LEG_MAGIC);
	if (leg->crossing)
		crossing_room(leg->crossing);
	else if (leg->session && leg->state == HELLO_JOINED)
		session_room(leg->session, leg);
}
