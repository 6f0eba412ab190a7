#include "relay/session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "relay/lobby.h"
#include "relay/record.h"
#include "relay/session_away.h"
#include "relay/session_document.h"
#include "relay/session_inside.h"
#include "relay/session_rows.h"
#include "relay/shares.h"
#include "store/bus.h"
#include "store/state.h"

#define NEWS_TOPIC "news"

/* ---- asking the store -------------------------------------------------------------------- */

struct session *session_ask(struct session *session)
{
	session->asked++;
	session->desk->asked++;
	return session;
}

struct session *session_answered(void *ctx)
{
	struct session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	session->asked--;
	session->desk->asked--;
	return session;
}

/* ---- the seat and the claim -------------------------------------------------------------- */

static void free_seat(struct session *session)
{
	struct leg *host = session->seated;
	if (!host)
		return;
	session->seated = NULL;
	host->seat = NULL;
	struct leg *next = desk_find_leg(host->desk, host->next_viewer);
	host->next_viewer = 0;
	if (next && next->state == HELLO_WAITING && !next->session)
		lobby_match(next);
}

static void on_released(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	/* Not released for want of a store: it runs out by itself. */
	(void)answer;
	session->claimed = 0;
	free_seat(session);
	session_settle(session);
}

void session_give_back(struct session *session)
{
	if (!session->claimed) {
		free_seat(session);
		return;
	}
	state_release(session_store(session), session->license, session->id_text,
		session->claim_fence, session_box(session), on_released,
		session_ask(session));
}

void session_tell(struct session *session, const char *event)
{
	char *news = record_news(session, event);
	if (news && bus_publish(session->desk->house->store->bus, NEWS_TOPIC, news))
		log_line(LOG_DEBUG, "news not told", LOG_S("session", session->id_text));
	free(news);
}

/* ---- the end ----------------------------------------------------------------------------- */

int session_may_resume(int reason)
{
	switch (reason) {
	case REASON_PEER_LOST:
	case REASON_KEEPALIVE_TIMEOUT:
	case REASON_SLOW_READER:
	case REASON_HOST_REPLACED:
	case REASON_TAKEN_OVER:
	case REASON_NODE_STOPPED:
	case REASON_DRAINING:
	case REASON_STORE_UNAVAILABLE:
		return 1;
	default:
		return 0;
	}
}

static void log_end(const struct session *session)
{
	log_line(LOG_INFO, "session closed", LOG_S("session", session->id_text),
		LOG_U("fence", session->fence), LOG_S("license", session->license),
		LOG_S("reason", reason_symbol(session->reason)),
		LOG_U("age_ms", session->ended_ms - session->started_ms),
		LOG_U("bytes_to_viewer", session->meter.carried.to_viewer),
		LOG_U("bytes_to_host", session->meter.carried.to_host));
}

static void part(struct session *session, struct leg *leg, const struct leg *closer)
{
	if (!leg)
		return;
	leg_leave_session(leg);
	if (leg == closer)
		return;
	leg_send_close(leg, session->reason, session->id_text, 0, NULL);
	leg_await_receipt(leg, session->fence);
}

static void end_live(struct session *session, int reason, const struct leg *closer)
{
	struct leg *host = session->host, *viewer = session->viewer;
	struct desk *desk = session->desk;
	session->reason = reason;
	session->ended_ms = clock_wall_ms();
	session->state = SESSION_CLOSING;
	session->state_until_ms = clock_mono_ms() + desk->settings.receipt_ms;
	session->host = session->viewer = NULL;
	pump_stop(&session->pumps[HELLO_HOST]);
	pump_stop(&session->pumps[HELLO_VIEWER]);
	session->share = shares_leave(desk->house->shares, session->share);
	part(session, host, closer);
	part(session, viewer, closer);
	atomic_fetch_sub(&desk->house->sessions, 1);
	metrics_add(METRIC_SESSIONS, -1);
	metrics_reason(METRIC_SESSION_ENDS, reason);
	log_end(session);
	session_tell(session, "close");
	session_document_close(session);
	if (session_may_resume(reason))
		lobby_remember(desk->house->lobby, session->license, session->id,
			session->ends[HELLO_VIEWER].key,
			clock_mono_ms() + desk->settings.grace_ms);
	session_give_back(session);
}

void session_end(struct session *session, int reason, const char *by)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->reason)
		return;
	if (by)
		text_clip(session->by, sizeof(session->by), by);
	if (session->state == SESSION_LIVE)
		end_live(session, reason, NULL);
	else
		session_open_refuse(session, reason, 0, NULL);
}

void session_closed_by(struct session *session, struct leg *leg, int reason)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (!session->reason)
		end_live(session, reason, leg);
}

void session_lose(struct session *session, struct leg *leg, int reason)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->host == leg)
		session->host = NULL;
	if (session->viewer == leg)
		session->viewer = NULL;
	if (session->seated == leg)
		session->seated = NULL;
	if (leg->seat == session)
		leg->seat = NULL;
	if (leg->session == session) {
		leg->session = NULL;
		leg->pump = NULL;
	}
	session_end(session, reason, NULL);
}

/* ---- the very end ------------------------------------------------------------------------ */

void session_release(struct session *session)
{
	free(session->tenant);
	free(session->holder);
	free(session->policy);
	session->magic = 0;
	free(session);
}

/* Frees what has nothing to wait for. */
void session_settle(struct session *session)
{
	if (session->state != SESSION_CLOSED || !session->written || session->asked ||
		session->claimed)
		return;
	if (session->documented && !session->desk->closing &&
		clock_mono_ms() < session->state_until_ms)
		return;
	if (session->documented) {
		session_document_remove(session);
		if (session->asked)
			return;
	}
	list_remove(&session->node);
	session_release(session);
}

/* ---- time -------------------------------------------------------------------------------- */

void session_room(struct session *session, struct leg *leg)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->state == SESSION_LIVE)
		pump_room(&session->pumps[!leg->side]);
}

static void lose_claim(struct session *session)
{
	session->claimed = 0;
	session_end(session, REASON_STORE_UNAVAILABLE, NULL);
}

static void on_claimed_anew(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!answer->status) {
		session->claim_fence = answer->fence;
		session->claimed = session->state == SESSION_LIVE || session->claimed;
	} else if (answer->status == -REASON_LICENSE_IN_USE &&
		   session->state == SESSION_LIVE) {
		lose_claim(session);
	}
	if (!answer->status && session->state != SESSION_LIVE) {
		session->claimed = 1;
		session_give_back(session);
	}
	session_settle(session);
}

/* It ran out while we slept, or the store was emptied. Both ends are still here, so it is still theirs, unless
 * somebody else has it by now. */
static void claim_anew(struct session *session)
{
	state_claim(session_store(session), session->license, session->id_text,
		session->desk->house->node, session->desk->settings.claim_ttl_ms,
		session_box(session), on_claimed_anew, session_ask(session));
}

/* Of a session that began without. */
static void take_claim(struct session *session, uint64_t fence)
{
	session->claim_fence = fence;
	session->claimed = 1;
}

static void on_renewed(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	/* A store that is away ends no session: it holds no new claim either. */
	if (session->state != SESSION_LIVE)
		session_settle(session);
	else if (answer->status == -REASON_NOT_FOUND)
		claim_anew(session);
	else if (!answer->status && session_away_is_ours(session, answer))
		take_claim(session, answer->fence);
	else if (!answer->status && answer->fence != session->claim_fence)
		lose_claim(session); /* both ends go on through another node */
}

static void renew(struct session *session, int64_t now_ms)
{
	session->renew_ms = now_ms + session->desk->settings.claim_renew_ms;
	state_renew(session_store(session), session->license, session->id_text,
		session->desk->settings.claim_ttl_ms, session_box(session), on_renewed,
		session_ask(session));
}

static void cut_slow_readers(struct session *session, int64_t now_ms)
{
	int64_t patience_ms = session->desk->settings.slow_reader_ms;
	if (pump_is_stuck(&session->pumps[HELLO_HOST], now_ms, patience_ms))
		leg_cut(session->viewer, REASON_SLOW_READER);
	else if (pump_is_stuck(&session->pumps[HELLO_VIEWER], now_ms, patience_ms))
		leg_cut(session->host, REASON_SLOW_READER);
}

static void tick_live(struct session *session, int64_t now_ms)
{
	if (session->ends_at_ms && clock_wall_ms() >= session->ends_at_ms) {
		session_end(session, session->ends_at_reason, NULL);
		return;
	}
	if (now_ms >= session->renew_ms)
		renew(session, now_ms);
	if (!session->flushing && now_ms >= session->flush_ms)
		session_rows_flush(session, now_ms);
	session_document_tick(session, now_ms);
	cut_slow_readers(session, now_ms);
}

static void tick_closing(struct session *session, int64_t now_ms)
{
	const struct session_end_info *host = &session->ends[HELLO_HOST];
	const struct session_end_info *viewer = &session->ends[HELLO_VIEWER];
	int complete = (host->has_receipt || host->refused) &&
		       (viewer->has_receipt || viewer->refused);
	if (!complete && now_ms < session->state_until_ms)
		return;
	session->state = SESSION_CLOSED;
	session->state_until_ms = session->flush_ms = 0;
}

void session_tick(struct session *session, int64_t now_ms)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->state < SESSION_LIVE) {
		if (!session->reason && now_ms >= session->state_until_ms)
			session_end(session, REASON_TIMEOUT, NULL);
		return;
	}
	if (session->state == SESSION_LIVE) {
		tick_live(session, now_ms);
		return;
	}
	if (session->state == SESSION_CLOSING)
		tick_closing(session, now_ms);
	if (session->state == SESSION_CLOSED && !session->written && !session->flushing &&
		now_ms >= session->flush_ms)
		session_rows_close(session);
	session_settle(session);
}
