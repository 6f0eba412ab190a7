#include "relay/leg_send.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "net/conn.h"
#include "relay/leg.h"
#include "wire/frame.h"

static int give(struct leg *leg, int rc, struct buf *out)
{
	if (!rc)
		rc = conn_write(leg->conn, buf_head(out), buf_len(out));
	buf_done(out);
	return rc;
}

void leg_send_close(struct leg *leg, int reason, const char *session, int64_t retry_ms,
	const char *detail)
{
	struct message_close message = {.reason = (uint64_t)reason,
		.retry_ms = (uint64_t)(retry_ms > 0 ? retry_ms : 0)};
	struct buf out;
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	text_clip(message.session, sizeof(message.session), session ? session : "");
	text_clip(message.detail, sizeof(message.detail), detail ? detail : "");
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_close_write(&message, &out), &out))
		log_line(LOG_DEBUG, "close not sent", LOG_S("leg", leg->id));
}

void leg_send_open(struct leg *leg, const struct message_open *open)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_open_write(open, &out), &out))
		log_line(LOG_WARN, "open not sent", LOG_S("leg", leg->id));
}

void leg_send_policy(struct leg *leg, const struct message_policy *policy)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_policy_write(policy, &out), &out))
		log_line(LOG_WARN, "policy not sent", LOG_S("leg", leg->id));
}

void leg_send_notices(struct leg *leg, const char *notices)
{
	struct message_notices message;
	struct buf out;
	if (leg->state == HELLO_ENDED || leg->moving || leg->via)
		return;
	text_clip(message.notices, sizeof(message.notices), notices);
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_notices_write(&message, &out), &out))
		log_line(LOG_DEBUG, "notices not sent", LOG_S("leg", leg->id));
}

void leg_send_drain(struct leg *leg, int64_t within_ms)
{
	struct message_notice notice = {
		.kind = "drain", .within_ms = (uint64_t)(within_ms > 0 ? within_ms : 0)};
	struct buf out;
	if (leg->state == HELLO_ENDED || leg->moving)
		return;
	text_clip(notice.en, sizeof(notice.en), reason_text(REASON_DRAINING, REASON_EN));
	text_clip(notice.ja, sizeof(notice.ja), reason_text(REASON_DRAINING, REASON_JA));
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_notice_write(&notice, &out), &out))
		log_line(LOG_DEBUG, "notice not sent", LOG_S("leg", leg->id));
}

void leg_send_keepalive(struct leg *leg, uint8_t type, const uint8_t payload[static 8])
{
	uint8_t frame[FRAME_HEADER + 8];
	frame_header(frame, type, 8);
	memcpy(frame + FRAME_HEADER, payload, 8);
	if (conn_write(leg->conn, frame, sizeof(frame)))
		log_line(LOG_DEBUG, "keepalive not sent", LOG_S("leg", leg->id));
}
