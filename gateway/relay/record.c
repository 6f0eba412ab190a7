#include "relay/record.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/desk.h"
#include "relay/session.h"
#include "wire/hello.h"

#define HOUR_MS 3600000

static void text(json_t *body, const char *name, const char *value)
{
	json_object_set_new(body, name, json_string(value));
}

static void number(json_t *body, const char *name, uint64_t value)
{
	json_object_set_new(body, name, json_integer((json_int_t)value));
}

static void moment(json_t *body, const char *name, int64_t wall_ms)
{
	char when[CLOCK_TEXT];
	clock_text(wall_ms, when);
	text(body, name, when);
}

static void end(json_t *body, const char *side, const struct session_end_info *info)
{
	char name[32];
	text(body, side, info->name[0] ? info->name : info->device);
	snprintf(name, sizeof(name), "%s_device", side);
	text(body, name, info->device);
	snprintf(name, sizeof(name), "%s_address", side);
	text(body, name, info->address);
	snprintf(name, sizeof(name), "%s_kind", side);
	text(body, name, info->kind);
}

static json_t *basics(const struct session *session)
{
	json_t *body = json_object();
	text(body, "id", session->id_text);
	number(body, "fence", session->fence);
	text(body, "license", session->license);
	text(body, "tenant", session->tenant);
	text(body, "holder", session->holder);
	text(body, "node", session->desk->house->node);
	moment(body, "started", session->started_ms);
	number(body, "resumed", session->resumed);
	text(body, "purpose", session->wish.purpose == 2 ? "pairing" : "session");
	end(body, "host", &session->ends[HELLO_HOST]);
	end(body, "viewer", &session->ends[HELLO_VIEWER]);
	if (session->from_cache)
		json_object_set_new(body, "cached", json_true());
	if (session->ends[HELLO_VIEWER].via[0])
		text(body, "via", session->ends[HELLO_VIEWER].via);
	return body;
}

static char *print(json_t *body)
{
	char *out = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return out;
}

char *record_opening(const struct session *session)
{
	json_t *body = basics(session);
	text(body, "event", "open");
	return print(body);
}

/* What a side sent was carried or was still on the way; what the other side received was carried.
 * Whoever bends one of the three numbers breaks the order. */
static int is_in_order(const struct session_end_info *from, uint64_t carried,
	const struct session_end_info *to)
{
	return from->receipt.sent >= carried && carried >= to->receipt.received;
}

enum record_agreement record_agreement(const struct session *session)
{
	const struct session_end_info *host = &session->ends[HELLO_HOST];
	const struct session_end_info *viewer = &session->ends[HELLO_VIEWER];
	if (!host->has_receipt || !viewer->has_receipt)
		return RECORD_UNKNOWN;
	return is_in_order(host, session->meter.carried.to_viewer, viewer) &&
			       is_in_order(viewer, session->meter.carried.to_host, host)
		       ? RECORD_AGREE
		       : RECORD_DIFFER;
}

static void receipt(json_t *receipts, const char *side,
	const struct session_end_info *info)
{
	char signature[TEXT_B64_SIZE(64)];
	if (info->refused)
		json_object_set_new(receipts, side,
			json_pack("{s:s}", "refused", reason_symbol(REASON_PROOF_WRONG)));
	if (!info->has_receipt)
		return;
	json_t *body = json_object();
	number(body, "sent", info->receipt.sent);
	number(body, "received", info->receipt.received);
	text(body, "reason", reason_symbol((int)info->receipt.reason));
	number(body, "reason_number", info->receipt.reason);
	text_b64(signature, info->receipt.signature, sizeof(info->receipt.signature));
	text(body, "signature", signature);
	json_object_set_new(receipts, side, body);
}

char *record_closing(const struct session *session)
{
	static const char *const agreements[] = {"unknown", "yes", "no"};
	json_t *body = basics(session), *receipts = json_object();
	text(body, "event", "close");
	moment(body, "ended", session->ended_ms);
	number(body, "duration_ms",
		(uint64_t)(session->ended_ms > session->started_ms
				   ? session->ended_ms - session->started_ms
				   : 0));
	text(body, "reason", reason_symbol(session->reason));
	number(body, "bytes_to_viewer", session->meter.carried.to_viewer);
	number(body, "bytes_to_host", session->meter.carried.to_host);
	number(body, "frames", session->meter.frames);
	if (session->by[0])
		text(body, "by", session->by);
	receipt(receipts, "host", &session->ends[HELLO_HOST]);
	receipt(receipts, "viewer", &session->ends[HELLO_VIEWER]);
	text(receipts, "agree", agreements[record_agreement(session)]);
	json_object_set_new(body, "receipts", receipts);
	return print(body);
}

char *record_bandwidth(const char *id, uint64_t fence, struct meter_count delta,
	int64_t at_ms)
{
	json_t *body = json_object();
	text(body, "session", id);
	number(body, "fence", fence);
	moment(body, "hour", at_ms - at_ms % HOUR_MS);
	number(body, "bytes_to_viewer", delta.to_viewer);
	number(body, "bytes_to_host", delta.to_host);
	return print(body);
}

char *record_document(const struct session *session)
{
	json_t *body = basics(session);
	struct meter_count covered = session_covered(session);
	text(body, "run", session->desk->house->run);
	text(body, "state",
		session->away_until_ms ? "away"
		: session->reason      ? "closing"
				       : "live");
	number(body, "bytes_to_viewer", session->meter.carried.to_viewer);
	number(body, "bytes_to_host", session->meter.carried.to_host);
	number(body, "frames", session->meter.frames);
	number(body, "metered_to_viewer", covered.to_viewer);
	number(body, "metered_to_host", covered.to_host);
	moment(body, "seen", clock_wall_ms());
	if (session->away_until_ms)
		moment(body, "until", session->away_until_ms);
	if (session->reason)
		text(body, "reason", reason_symbol(session->reason));
	return print(body);
}

char *record_news(const struct session *session, const char *event)
{
	json_t *body = json_object();
	text(body, "type", "session");
	text(body, "act", event);
	text(body, "id", session->id_text);
	text(body, "license", session->license);
	text(body, "tenant", session->tenant);
	if (session->reason)
		text(body, "reason", reason_symbol(session->reason));
	return print(body);
}
