#include "relay/session.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "relay/leg.h"
#include "relay/lobby.h"
#include "relay/record.h"
#include "relay/session_document.h"
#include "relay/session_inside.h"
#include "rules/digest.h"
#include "store/bus.h"
#include "store/journal.h"
#include "store/state.h"
#include "wire/proof.h"

#define SESSION_MAGIC 0x73657373u
#define RETRY_MS 5000     /* told to a viewer who cannot be served now */
#define ROW_RETRY_MS 1000 /* a row that the journal did not take */
#define NEWS_TOPIC "news"

static void move_on(struct session *session);

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

static void give_back(struct session *session)
{
	if (!session->claimed) {
		free_seat(session);
		return;
	}
	state_release(session_store(session), session->license, session->id_text,
		session_box(session), on_released, session_ask(session));
}

/* ---- birth ------------------------------------------------------------------------------- */

static void describe(struct session_end_info *info, const struct leg *leg)
{
	text_clip(info->name, sizeof(info->name), leg->name);
	text_b64(info->device, leg->device, sizeof(leg->device));
	text_clip(info->address, sizeof(info->address), leg->address);
	text_clip(info->kind, sizeof(info->kind), leg->kind);
	memcpy(info->key, leg->device, sizeof(info->key));
}

static void no_sooner(struct session *session, int64_t at_ms, int reason)
{
	if (session->ends_at_ms && session->ends_at_ms <= at_ms)
		return;
	session->ends_at_ms = at_ms;
	session->ends_at_reason = reason;
}

/* The earliest of what the license, the policy and this node permit. */
static void set_end(struct session *session, const struct leg *viewer)
{
	int64_t most_ms = session->desk->settings.session_ms, policy_ms = 0;
	json_t *policy = json_loads(viewer->policy, 0, NULL);
	const json_t *value = json_object_get(policy, "max_session_ms");
	if (json_is_integer(value))
		policy_ms = json_integer_value(value);
	json_decref(policy);
	if (viewer->expires_ms)
		no_sooner(session, viewer->expires_ms, REASON_LICENSE_EXPIRED);
	if (most_ms)
		no_sooner(session, clock_wall_ms() + most_ms, REASON_SESSION_TIME_UP);
	if (policy_ms > 0)
		no_sooner(session, clock_wall_ms() + policy_ms, REASON_SESSION_TIME_UP);
}

static int fresh_id(struct session *session)
{
	int rc = secret_random(session->id, sizeof(session->id));
	session_id_text(session->id, session->id_text);
	session->resumed = 0;
	session->document_version = 0;
	return rc;
}

static int choose_id(struct session *session, const struct leg *viewer)
{
	if (session->wish.resume[0] &&
		!session_id_parse(session->wish.resume, session->id) &&
		lobby_recalls(session->desk->house->lobby, session->license, session->id,
			viewer->device) >= 0) {
		session_id_text(session->id, session->id_text);
		session->resumed = 1;
		return 0;
	}
	return fresh_id(session);
}

static void release(struct session *session)
{
	free(session->tenant);
	free(session->holder);
	free(session->policy);
	session->magic = 0;
	free(session);
}

static struct session *make(struct leg *host, struct leg *viewer)
{
	struct session *session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->magic = SESSION_MAGIC;
	session->desk = host->desk;
	session->wish = *viewer->wish;
	memcpy(session->license, host->license, sizeof(session->license));
	session->tenant = strdup(viewer->tenant);
	session->holder = strdup(viewer->holder);
	session->policy = strdup(viewer->policy);
	describe(&session->ends[HELLO_HOST], host);
	describe(&session->ends[HELLO_VIEWER], viewer);
	session->asked_ms = viewer->asked_ms;
	session->state_until_ms = clock_mono_ms() + session->desk->settings.open_ms;
	if (!session->tenant || !session->holder || !session->policy ||
		choose_id(session, viewer)) {
		release(session);
		return NULL;
	}
	set_end(session, viewer);
	return session;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* The wish cannot be met. What was begun is taken back when its answer is there. */
static void refuse(struct session *session, int reason, int64_t retry_ms,
	const char *detail)
{
	struct leg *viewer = session->viewer;
	session->reason = reason;
	session->ended_ms = clock_wall_ms();
	session->host = session->viewer = NULL;
	if (!viewer)
		return;
	viewer->session = NULL;
	leg_refuse(viewer, reason, retry_ms, detail);
}

static void send_opens(struct session *session)
{
	struct message_open open = {.fence = session->fence,
		.purpose = session->wish.purpose,
		.psk_kind = session->wish.psk_kind,
		.ticket = session->wish.ticket,
		.resumed = session->resumed,
		.viewer_min = session->viewer->app_min,
		.viewer_max = session->viewer->app_max,
		.host_min = session->host->app_min,
		.host_max = session->host->app_max};
	memcpy(open.session, session->id, sizeof(open.session));
	if (strlen(session->policy) < sizeof(open.policy))
		text_clip(open.policy, sizeof(open.policy), session->policy);
	for (int side = HELLO_HOST; side <= HELLO_VIEWER; side++) {
		const struct session_end_info *peer = &session->ends[!side];
		text_clip(open.peer_name, sizeof(open.peer_name), peer->name);
		text_clip(open.peer_kind, sizeof(open.peer_kind), peer->kind);
		text_clip(open.peer_address, sizeof(open.peer_address), peer->address);
		leg_send_open(side == HELLO_HOST ? session->host : session->viewer,
			&open);
	}
}

static void tell_news(struct session *session, const char *event)
{
	char *news = record_news(session, event);
	if (news && bus_publish(session->desk->house->store->bus, NEWS_TOPIC, news))
		log_line(LOG_DEBUG, "news not told", LOG_S("session", session->id_text));
	free(news);
}

static void join_leg(struct session *session, struct leg *leg, struct leg *other)
{
	struct meter *meter = &session->meter;
	int is_host = leg->side == HELLO_HOST;
	leg_change(leg, HELLO_JOINED);
	leg->session = session;
	leg->pump = &session->pumps[leg->side];
	pump_start(leg->pump, leg->conn, other->conn);
	leg->pump->carried =
		is_host ? &meter->carried.to_viewer : &meter->carried.to_host;
	leg->pump->frames = &meter->frames;
	leg->pump->metric = is_host ? METRIC_DATA_TO_VIEWER : METRIC_DATA_TO_HOST;
}

static void go_live(struct session *session)
{
	struct house *house = session->desk->house;
	int64_t now_ms = clock_mono_ms();
	session->state = SESSION_LIVE;
	session->renew_ms = now_ms + session->desk->settings.claim_renew_ms;
	session->flush_ms = now_ms + session->desk->settings.meter_ms;
	join_leg(session, session->host, session->viewer);
	join_leg(session, session->viewer, session->host);
	send_opens(session);
	atomic_fetch_add(&house->sessions, 1);
	metrics_add(METRIC_SESSIONS, 1);
	metrics_add(METRIC_SESSIONS_OPENED, 1);
	metrics_add(METRIC_SESSIONS_RESUMED, session->resumed);
	metrics_time(METRIC_OPEN_SECONDS, (now_ms - session->asked_ms) * 1000);
	log_line(LOG_INFO, "session opened", LOG_S("session", session->id_text),
		LOG_U("fence", session->fence), LOG_S("license", session->license),
		LOG_U("resumed", session->resumed),
		LOG_S("host", session->ends[HELLO_HOST].address),
		LOG_S("viewer", session->ends[HELLO_VIEWER].address));
	session_document_show(session);
	tell_news(session, "open");
}

static void on_recorded(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!session->reason && answer->status == -REASON_STORE_UNAVAILABLE)
		refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
	else if (!session->reason && answer->status)
		refuse(session, REASON_RECORDING_FAILED, RETRY_MS, NULL);
	if (session->reason)
		move_on(session);
	else
		go_live(session);
}

/* Durable before anybody hears of the session: one that cannot be recorded does not begin. */
static void write_opening(struct session *session)
{
	session->state = SESSION_RECORDING;
	session->started_ms = clock_wall_ms();
	char *body = record_opening(session);
	if (!body) {
		refuse(session, REASON_NO_MEMORY, RETRY_MS, NULL);
		move_on(session);
		return;
	}
	session->recorded = 1;
	struct journal_row row = {JOURNAL_SESSION, session->tenant, session->license,
		session->started_ms, body, 0, NULL, {0}};
	journal_append(session->desk->house->store->journal, &row, 1,
		session_box(session), on_recorded, session_ask(session));
	free(body);
}

static void on_claimed(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!answer->status) {
		session->claimed = 1;
		session->fence = answer->fence;
	} else if (!session->reason && answer->status == -REASON_LICENSE_IN_USE) {
		refuse(session, REASON_LICENSE_IN_USE, RETRY_MS, answer->holder);
	} else if (!session->reason) {
		refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
	}
	if (session->reason)
		move_on(session);
	else
		write_opening(session);
}

static void claim(struct session *session)
{
	char holder[160], now[CLOCK_TEXT];
	session->state = SESSION_CLAIMING;
	clock_text(clock_wall_ms(), now);
	snprintf(holder, sizeof(holder), "%s viewer, since %s, node %s",
		session->ends[HELLO_VIEWER].kind, now, session->desk->house->node);
	state_claim(session_store(session), session->license, session->id_text, holder,
		session->desk->settings.claim_ttl_ms, session_box(session), on_claimed,
		session_ask(session));
}

/* Whose session it was, as the node wrote that carried it. */
static int document_is_ours(const struct session *session, const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *license = json_string_value(json_object_get(body, "license"));
	const char *device = json_string_value(json_object_get(body, "viewer_device"));
	int ours = license && device && !strcmp(license, session->license) &&
		   !strcmp(device, session->ends[HELLO_VIEWER].device);
	json_decref(body);
	return ours;
}

static void on_checked(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!session->reason && answer->status && answer->status != -REASON_NOT_FOUND)
		refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
	if (session->reason) {
		move_on(session);
		return;
	}
	if (!answer->status && answer->count && document_is_ours(session, answer->docs))
		session->document_version = answer->docs[0].version;
	else if (!answer->status && fresh_id(session))
		refuse(session, REASON_NO_RANDOM, 0, NULL);
	if (session->reason)
		move_on(session);
	else
		claim(session);
}

void session_start(struct leg *host, struct leg *viewer)
{
	CHECK(host->desk == viewer->desk && !host->seat && !viewer->session);
	struct session *session = make(host, viewer);
	if (!session) {
		leg_refuse(viewer, REASON_NO_MEMORY, RETRY_MS, NULL);
		return;
	}
	list_add_tail(&session->desk->sessions, &session->node);
	session->host = host;
	session->viewer = viewer;
	session->seated = host;
	host->seat = session;
	viewer->session = session;
	if (!session->resumed) {
		claim(session);
		return;
	}
	session->state = SESSION_CHECKING;
	state_get(session_store(session), STATE_SESSION, session->id_text,
		session_box(session), on_checked, session_ask(session));
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
	if (leg != closer)
		leg_send_close(leg, session->reason, session->id_text, 0, NULL);
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
	part(session, host, closer);
	part(session, viewer, closer);
	atomic_fetch_sub(&desk->house->sessions, 1);
	metrics_add(METRIC_SESSIONS, -1);
	metrics_reason(METRIC_SESSION_ENDS, reason);
	log_end(session);
	tell_news(session, "close");
	if (session_may_resume(reason))
		lobby_remember(desk->house->lobby, session->license, session->id,
			session->ends[HELLO_VIEWER].key,
			clock_mono_ms() + desk->settings.grace_ms);
	give_back(session);
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
		refuse(session, reason, 0, NULL);
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

/* An opening that was refused: its last answer has come. */
static void move_on(struct session *session)
{
	session->state = SESSION_CLOSING;
	session->state_until_ms = 0; /* nobody has a receipt to send */
	give_back(session);
	if (!session->recorded) {
		session->state = SESSION_CLOSED;
		session->written = 1;
	}
	session_settle(session);
}

/* ---- receipts ---------------------------------------------------------------------------- */

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

/* The first word counts; nobody corrects himself afterwards. */
static void take_receipt(struct session *session, const struct leg *leg,
	const struct message_receipt *receipt)
{
	struct session_end_info *info = &session->ends[leg->side];
	if (session->state != SESSION_CLOSING || info->has_receipt || info->refused)
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

/* ---- rows -------------------------------------------------------------------------------- */

static void row_failed(struct session *session)
{
	session->flush_ms = clock_mono_ms() + ROW_RETRY_MS;
	meter_take_back(&session->meter, session->flushed);
	metrics_add(METRIC_ROWS_RETRIED, 1);
	log_line(LOG_WARN, "row not taken by the journal",
		LOG_S("session", session->id_text));
}

static void on_flushed(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	session->flushing = 0;
	if (answer->status)
		row_failed(session);
	session_settle(session);
}

static void on_closing_written(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	session->flushing = 0;
	if (answer->status) {
		row_failed(session);
	} else {
		session->written = 1;
		session_document_leave(session);
	}
	session_settle(session);
}

static size_t bandwidth_row(struct session *session, struct journal_row *row,
	int64_t at_ms, char **ret_body)
{
	session->flushed = meter_due(&session->meter);
	*ret_body = NULL;
	if (!session->flushed.to_viewer && !session->flushed.to_host)
		return 0;
	*ret_body = record_bandwidth(session->id_text, session->fence, session->flushed,
		at_ms);
	*row = (struct journal_row){JOURNAL_BANDWIDTH, session->tenant, session->license,
		at_ms, *ret_body, 0, NULL, {0}};
	return *ret_body ? 1 : 0;
}

static void flush(struct session *session, int64_t now_ms)
{
	struct journal_row row;
	char *body;
	session->flush_ms = now_ms + session->desk->settings.meter_ms;
	if (!bandwidth_row(session, &row, clock_wall_ms(), &body))
		return;
	session->flushing = 1;
	meter_wrote(&session->meter, session->flushed);
	journal_append(session->desk->house->store->journal, &row, 1,
		session_box(session), on_flushed, session_ask(session));
	free(body);
}

/* The last delta and the closing row go together: all or none. */
static void write_closing(struct session *session)
{
	struct journal_row rows[2];
	char *delta, *body = record_closing(session);
	if (!body) {
		session->flush_ms = clock_mono_ms() + ROW_RETRY_MS;
		return;
	}
	if (record_agreement(session) == RECORD_DIFFER)
		metrics_add(METRIC_RECEIPTS_DIFFER, 1);
	size_t count = bandwidth_row(session, rows, session->ended_ms, &delta);
	rows[count++] = (struct journal_row){JOURNAL_SESSION, session->tenant,
		session->license, session->ended_ms, body, 0, NULL, {0}};
	session->flushing = 1;
	meter_wrote(&session->meter, session->flushed);
	journal_append(session->desk->house->store->journal, rows, count,
		session_box(session), on_closing_written, session_ask(session));
	free(delta);
	free(body);
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
	release(session);
}

/* ---- time -------------------------------------------------------------------------------- */

void session_room(struct session *session, struct leg *leg)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->state == SESSION_LIVE)
		pump_room(&session->pumps[!leg->side]);
}

static void on_renewed(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	/* A store that is away ends no session (it holds no new claim either); one that says
	 * that the claim is not ours any more does. */
	if (answer->status == -REASON_NOT_FOUND && session->state == SESSION_LIVE) {
		session->claimed = 0;
		session_end(session, REASON_STORE_UNAVAILABLE, NULL);
	}
	session_settle(session);
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
		flush(session, now_ms);
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
		write_closing(session);
	session_settle(session);
}
