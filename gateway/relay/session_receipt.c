/* session_receipt: the last word of each end about a session, signed by its device. */
#include "relay/session.h"

#include <string.h>

#include "base/log.h"
#include "metrics/metrics.h"
#include "relay/leg.h"
#include "relay/session_inside.h"
#include "rules/digest.h"
#include "wire/proof.h"

static int is_signed_by(const uint8_t device[static 32], enum hello_side side,
	const struct message_receipt *receipt)
{
	struct proof_receipt signed_one = {.fence = receipt->fence,
		.side = side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.bytes_sent = receipt->sent,
		.bytes_received = receipt->received,
		.reason = (uint16_t)receipt->reason};
	uint8_t bytes[PROOF_RECEIPT_BYTES];
	if (receipt->reason > UINT16_MAX)
		return 0; /* what was signed has no room for it */
	memcpy(signed_one.session, receipt->session, sizeof(signed_one.session));
	proof_receipt_bytes(&signed_one, bytes);
	return !digest_verify(device, bytes, sizeof(bytes), receipt->signature);
}

/* The first word counts; nobody corrects himself afterwards. It may come before the end itself: the other end has
 * told this one through the tunnel. */
static void take_receipt(struct session *session, const struct leg *leg,
	const struct message_receipt *receipt)
{
	struct session_end_info *info = &session->ends[leg->side];
	int is_time = session->state == SESSION_LIVE || session->state == SESSION_CLOSING;
	if (!is_time || info->has_receipt || info->refused)
		return;
	if (is_signed_by(info->key, leg->side, receipt)) {
		info->receipt = *receipt;
		info->has_receipt = 1;
		return;
	}
	info->refused = 1;
	metrics_add(METRIC_RECEIPTS_REFUSED, 1);
	log_line(LOG_WARN, "receipt with a wrong signature",
		LOG_S("session", session->id_text), LOG_U("fence", session->fence),
		LOG_S("license", session->license),
		LOG_S("side", hello_side_name(leg->side)), LOG_S("device", info->device),
		LOG_S("address", info->address));
}

void session_receipt(struct leg *leg, const struct message_receipt *receipt)
{
	LIST_EACH(node, &leg->desk->sessions)
	{
		struct session *session = LIST_ENTRY(node, struct session, node);
		const struct session_end_info *info = &session->ends[leg->side];
		if (session->fence != receipt->fence ||
			memcmp(session->id, receipt->session, SESSION_ID) ||
			strcmp(session->license, leg->license) ||
			memcmp(info->key, leg->device, sizeof(info->key)))
			continue;
		take_receipt(session, leg, receipt);
		return;
	}
}
