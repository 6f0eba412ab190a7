/* session_open: from a viewer's wish to a live session, or to a refusal. */
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
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "relay/lobby.h"
#include "relay/record.h"
#include "relay/session_away.h"
#include "relay/session_document.h"
#include "relay/session_inside.h"
#include "relay/session_limit.h"
#include "relay/session_rows.h"
#include "store/journal.h"
#include "store/state.h"

#define RETRY_MS 5000 /* told to a viewer who cannot be served now */

/* ---- birth ------------------------------------------------------------------------------- */

static void describe(struct session_end_info *info, const struct leg *leg)
{
	text_clip(info->name, sizeof(info->name), leg->name);
	text_b64(info->device, leg->device, sizeof(leg->device));
	text_clip(info->address, sizeof(info->address), leg->address);
	text_clip(info->kind, sizeof(info->kind), leg->kind);
	text_clip(info->via, sizeof(info->via), leg->via ? leg->via : "");
	memcpy(info->key, leg->device, sizeof(info->key));
}

int session_open_fresh(struct session *session)
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
	return session_open_fresh(session);
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
		session_release(session);
		return NULL;
	}
	session_limit_begin(session, viewer);
	return session;
}

/* ---- opening ----------------------------------------------------------------------------- */

void session_open_refuse(struct session *session, int reason, int64_t retry_ms,
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

/* An opening that was refused: its last answer has come. */
static void move_on(struct session *session)
{
	session->state = SESSION_CLOSING;
	session->state_until_ms = 0; /* nobody has a receipt to send */
	session_give_back(session);
	if (!session->recorded) {
		session->state = SESSION_CLOSED;
		session->written = 1;
	}
	session_settle(session);
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
	leg->pump->frame_metric = METRIC_DATA_FRAMES;
	leg->pump->metric = is_host ? METRIC_DATA_TO_VIEWER : METRIC_DATA_TO_HOST;
}

static void go_live(struct session *session)
{
	struct house *house = session->desk->house;
	int64_t now_ms = clock_mono_ms();
	session->state = SESSION_LIVE;
	session->renew_ms = now_ms + session->desk->settings.claim_renew_ms;
	session_rows_begin(session, now_ms);
	join_leg(session, session->host, session->viewer);
	join_leg(session, session->viewer, session->host);
	send_opens(session);
	atomic_fetch_add(&house->sessions, 1);
	metrics_add(METRIC_SESSIONS, 1);
	metrics_add(METRIC_SESSIONS_OPENED, 1);
	metrics_add(METRIC_SESSIONS_RESUMED, session->resumed);
	metrics_add(METRIC_SESSIONS_CACHED, session->from_cache);
	atomic_fetch_add(&house->cached_sessions, session->from_cache);
	metrics_time(METRIC_OPEN_SECONDS, (now_ms - session->asked_ms) * 1000);
	log_line(LOG_INFO, "session opened", LOG_S("session", session->id_text),
		LOG_U("fence", session->fence), LOG_S("license", session->license),
		LOG_U("resumed", session->resumed),
		LOG_S("host", session->ends[HELLO_HOST].address),
		LOG_S("viewer", session->ends[HELLO_VIEWER].address));
	session_document_show(session);
	session_tell(session, "open");
	session_limit_rates(session);
}

static void on_recorded(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!session->reason && answer->status == -REASON_STORE_UNAVAILABLE)
		session_open_refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
	else if (!session->reason && answer->status)
		session_open_refuse(session, REASON_RECORDING_FAILED, RETRY_MS, NULL);
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
		session_open_refuse(session, REASON_NO_MEMORY, RETRY_MS, NULL);
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
		session->fence = session->claim_fence = answer->fence;
	} else if (!session->reason && answer->status == -REASON_LICENSE_IN_USE) {
		session_open_refuse(session, REASON_LICENSE_IN_USE, RETRY_MS,
			answer->holder);
	} else if (!session->reason && (answer->status != -REASON_STORE_UNAVAILABLE ||
					       !session_away_claim(session))) {
		session_open_refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
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

static void go_on(struct session *session, int status)
{
	if (!session->reason && status)
		session_open_refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
	if (session->reason)
		move_on(session);
	else
		claim(session);
}

/* No document: a node that has just ended this session itself knows better. Else there was none as far as
 * anybody knows. A viewer that may begin a new one anyway keeps the id: its host knows whether there was one. One
 * that may not is asked to sign in like everybody. */
static int may_go_on_without(const struct session *session)
{
	return !session->viewer->resume_only ||
	       lobby_recalls(session->desk->house->lobby, session->license, session->id,
		       session->viewer->device) > 0;
}

static void read_document(struct session *session, const struct state_answer *answer)
{
	if (answer->status == -REASON_NOT_FOUND) {
		if (!may_go_on_without(session))
			session_open_refuse(session, session->viewer->resume_only, 0,
				NULL);
	} else if (answer->status) {
		if (answer->status != -REASON_STORE_UNAVAILABLE ||
			!session_away_look_up(session))
			session_open_refuse(session, REASON_STORE_UNAVAILABLE, RETRY_MS,
				NULL);
	} else if (answer->count && document_is_ours(session, answer->docs)) {
		session->document_version = answer->docs[0].version;
	} else if (session->viewer->resume_only) {
		session_open_refuse(session, session->viewer->resume_only, 0, NULL);
	} else if (session_open_fresh(session)) {
		session_open_refuse(session, REASON_NO_RANDOM, 0, NULL);
	}
}

static void on_checked(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!session->reason)
		read_document(session, answer);
	if (!session->reason && session->document_version &&
		session_document_is_owed(answer->docs))
		session_document_owe(session, answer->docs, go_on);
	else
		go_on(session, 0);
}

void session_open_start(struct leg *host, struct leg *viewer)
{
	CHECK(host->desk == viewer->desk && !host->seat && !viewer->session);
	int refused = session_away_refuses(host, viewer);
	if (refused) {
		leg_refuse(viewer, refused, RETRY_MS, NULL);
		return;
	}
	struct session *session = make(host, viewer);
	if (!session) {
		leg_refuse(viewer, REASON_NO_MEMORY, RETRY_MS, NULL);
		return;
	}
	if (!session->resumed && viewer->resume_only) {
		session_release(session);
		/* No code could be taken from it now. */
		if (viewer->cached)
			leg_refuse(viewer, REASON_STORE_UNAVAILABLE, RETRY_MS, NULL);
		else
			leg_refuse(viewer, viewer->resume_only, 0, NULL);
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
