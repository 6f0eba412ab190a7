#include "agent_session_inside.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "desktop/desktop.h"
#include "e2e/peers.h"
#include "link/bridge.h"
#include "link/clip_lane.h"
#include "link/gate.h"
#include "link/news.h"
#include "link/uplink.h"

int agent_session_veto(const struct agent_session *session, struct veto *ret)
{
	char path[1024];
	struct conf_error error = {0};
	snprintf(path, sizeof(path), "%s/veto.conf", session->house.dir);
	int status = veto_read(path, ret, &error);
	if (status < 0)
		log_line(LOG_ERROR, "the veto file has an error: nobody is let in",
			LOG_S("file", error.file), LOG_U("line", error.line),
			LOG_U("column", error.column), LOG_S("detail", error.message));
	return status;
}

static void sign_text(const struct agent_session *session, char *ret, size_t size)
{
	char line[NEWS_LINE] = "", stop[160], viewer[INNER_NAME_SIZE];
	enum reason_lang lang = reason_lang_env();
	const struct news_item *next =
		session->house.news ? news_next_stop(session->house.news, clock_wall_ms())
				    : NULL;
	if (next)
		news_line(next, lang, line);
	text_clip(stop, sizeof(stop), line);
	text_escape(viewer, sizeof(viewer), session->viewer);
	snprintf(ret, size,
		lang == REASON_JA ? "%s が接続中です%s%s" : "%s is connected%s%s", viewer,
		*stop ? " · " : "", stop);
}

static void show_sign(struct agent_session *session)
{
	struct veto veto = {0};
	if (!session->desktop || agent_session_veto(session, &veto) < 0)
		return;
	if (veto.sign) {
		char text[800];
		sign_text(session, text, sizeof(text));
		int status = desktop_sign(session->desktop, text, NULL);
		if (status < 0 && status != -REASON_NO_DISPLAY)
			log_line(LOG_WARN, "the sign could not be shown",
				LOG_S("reason", reason_symbol(status)));
	}
	veto_done(&veto);
}

void agent_session_news(struct agent_session *session)
{
	if (session->up)
		show_sign(session);
}

void agent_session_note(struct agent_session *session, const char *event, int reason)
{
	char at[CLOCK_TEXT], id[33];
	clock_text(clock_wall_ms(), at);
	text_hex(id, session->id, sizeof(session->id));
	agent_state_record(session->house.dir,
		json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:i, s:s*}", "at", at,
			"event", event, "session", id, "fence",
			(json_int_t)tunnel_fence(session->tunnel), "viewer",
			session->viewer, "user", session->user, "address",
			session->address, "rights", (int)session->rights, "reason",
			reason ? reason_symbol(reason) : NULL));
}

static void on_notes(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct agent_session *session = arg;
	CHECK_OBJ(session, SESSION_MAGIC);
	evtimer_del(session->notes);
	if (peers_seen(session->house.peers, session->key, clock_wall_ms()) < 0)
		log_line(LOG_WARN, "the last use of a device could not be noted");
	session->house.changed(session->house.ctx);
}

static void on_up(void *ctx, const struct tunnel_up *up)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	int status = session->house.fence_seen(session->house.ctx, up->fence);
	if (status < 0) {
		tunnel_close(session->tunnel, -status);
		return;
	}
	session->features = up->features;
	if (!session->up) {
		session->since_ms = clock_wall_ms();
		session->up_ms = clock_mono_ms();
	}
	session->up = 1;
	agent_session_note(session, up->resumed ? "resumed" : "up", 0);
	log_line(LOG_INFO, up->resumed ? "session resumed" : "session up",
		LOG_S("viewer", session->viewer), LOG_S("address", session->address),
		LOG_U("fence", up->fence), LOG_U("rights", session->rights));
	if (session->desktop)
		desktop_rights(session->desktop, session->rights);
	show_sign(session);
	/* HELLO_OK goes out at the end of this turn: files that nobody waits for come after it. */
	struct timeval next_turn = {0};
	evtimer_add(session->notes, &next_turn);
}

static void on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes, size_t len)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (lane == SEAL_INPUT)
		bridge_bytes(session->bridge, lane, bytes, len);
	else if (lane == SEAL_CLIPBOARD)
		clip_lane_bytes(session->clip, bytes, len);
	else
		tunnel_close(session->tunnel, REASON_PROTOCOL);
}

static void on_room(void *ctx, enum seal_lane lane)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (lane == SEAL_PICTURE)
		bridge_room(session->bridge, lane);
	else if (lane == SEAL_CLIPBOARD)
		clip_lane_room(session->clip);
}

static void on_message(void *ctx, const struct inner_message *message)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (bridge_message(session->bridge, message))
		return;
	if (message->kind == INNER_NEW_KEY &&
		peers_rotate(session->house.peers, session->key, message->new_key.key,
			clock_wall_ms()) < 0)
		log_line(LOG_WARN, "a device's new key could not be stored");
}

/* The receipt of the leg that ends. */
static void give_receipt(struct agent_session *session, int reason)
{
	struct message_receipt receipt;
	if (!session->uplink || tunnel_receipt(session->tunnel, reason, &receipt) < 0)
		return;
	if (uplink_receipt(session->uplink, &receipt) < 0)
		log_line(LOG_DEBUG, "the receipt of a session could not be sent");
}

/* Nothing of this session's limits is left to the next one. */
static void unmark(struct agent_session *session)
{
	desktop_clip_limit(session->desktop, 0);
	if (session->marked && desktop_watermark(session->desktop, NULL) < 0)
		log_line(LOG_WARN, "the watermark could not be taken away");
	session->marked = 0;
	session->clip_limit = 0;
}

/* The desktop goes back to its owner: no picture leaves, no key stays down. */
static void leave_desktop(struct agent_session *session)
{
	struct desktop *desktop = session->desktop;
	if (!desktop)
		return;
	desktop_close_stream(desktop);
	if (desktop_sign(desktop, NULL, NULL) < 0)
		log_line(LOG_DEBUG, "there was no sign to take away");
	agent_session_admit_forget(session);
	unmark(session);
	struct veto veto = {0};
	int lock = session->in_force.lock_at_end | session->told.lock_at_end;
	if (agent_session_veto(session, &veto) == 0) {
		lock |= veto.lock_at_end;
		veto_done(&veto);
	}
	if (session->up && lock)
		desktop_lock(desktop);
}

/* Whatever the way it ends: recorded, and the desktop is its owner's again. */
static void leave(struct agent_session *session, int reason, enum tunnel_end how)
{
	static const char *const ways[] = {"ours", "theirs", "interrupted"};
	if (evtimer_pending(session->notes, NULL))
		on_notes(-1, 0, session);
	if (how != TUNNEL_INTERRUPTED || session->uplink)
		give_receipt(session, reason);
	leave_desktop(session);
	agent_session_note(session, "ended", reason);
	log_line(LOG_INFO, "session ended", LOG_S("reason", reason_symbol(reason)),
		LOG_S("how", ways[how]), LOG_S("viewer", session->viewer));
}

static void on_ended(void *ctx, int reason, enum tunnel_end how)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	leave(session, reason, how);
	session->house.ended(session->house.ctx, reason);
}

static const struct tunnel_events tunnel_events = {
	.find_psk = agent_session_admit_psk,
	.accept = agent_session_admit_accept,
	.guessed = agent_session_admit_guessed,
	.admit = agent_session_admit_ask,
	.up = on_up,
	.paired = agent_session_admit_paired,
	.bytes = on_bytes,
	.room = on_room,
	.message = on_message,
	.ended = on_ended,
};

static int monitors_same(const struct inner_rects *a, const struct inner_rects *b)
{
	return a->count == b->count && !memcmp(a->at, b->at, a->count * sizeof(a->at[0]));
}

static void tell_monitors(struct agent_session *session)
{
	struct desktop_monitor monitors[DESKTOP_MONITORS_MAX];
	struct inner_message message = {.kind = INNER_MONITORS};
	struct inner_rects *rects = &message.monitors.rects;
	if (!session->desktop || !session->up)
		return;
	size_t count = desktop_monitors(session->desktop, monitors);
	for (size_t i = 0; count > 1 && i < count && i < INNER_RECTS_MAX; i++)
		rects->at[rects->count++] = (struct inner_rect){(uint16_t)monitors[i].x,
			(uint16_t)monitors[i].y, (uint16_t)monitors[i].width,
			(uint16_t)monitors[i].height};
	if (monitors_same(rects, &session->monitors))
		return;
	if (tunnel_message(session->tunnel, &message) < 0)
		log_line(LOG_DEBUG, "the monitors could not be told");
	else
		session->monitors = *rects;
}

/* The viewer wants a fresh picture stream: a new RFB server on a new socketpair. */
static void on_wanted(void *ctx)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	struct gate *gate = NULL;
	int fd = -1;
	uint32_t flags = session->features & INNER_FEATURE_CLIPBOARD_RFB
				 ? DESKTOP_RFB_CLIPBOARD
				 : 0;
	int status = session->desktop ? gate_new(&gate) : session->desktop_reason;
	if (!status)
		status = desktop_open_stream(session->desktop, session->rights, flags,
			gate, &fd);
	if (!status)
		status = bridge_start(session->bridge, fd, gate);
	gate_unref(gate);
	if (!status)
		tell_monitors(session);
	if (status < 0) {
		log_line(LOG_WARN, "no picture stream could be opened",
			LOG_S("reason", reason_symbol(status)));
		bridge_stop(session->bridge);
	}
}

static void on_stream_closed(void *ctx, int reason UNUSED)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->desktop)
		desktop_close_stream(session->desktop);
}

static const struct bridge_events bridge_events = {
	.wanted = on_wanted,
	.closed = on_stream_closed,
};

static void on_clip(void *ctx, const char *text, size_t len)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (!(session->rights & INNER_RIGHT_CLIP_TO_HOST) || !session->desktop)
		return;
	int status = desktop_clipboard_set(session->desktop, text, len);
	if (status < 0)
		log_line(LOG_INFO, "a clipboard text was not taken over",
			LOG_S("reason", reason_symbol(status)));
}

int agent_session_new(struct agent_session **ret, const struct agent_session_house *house)
{
	struct agent_session *session = calloc(1, sizeof(*session));
	if (!session)
		return -REASON_NO_MEMORY;
	session->magic = SESSION_MAGIC;
	session->house = *house;
	session->desktop_reason = -REASON_NO_DISPLAY;
	struct tunnel_config config = {
		.side = SEAL_HOST,
		.identity = house->identity,
		.features = INNER_FEATURE_CLIPBOARD_LANE | INNER_FEATURE_CLIPBOARD_RFB,
		.grace_ms = house->grace_ms,
		.fence = house->fence,
	};
	int status = text_copy(config.license, sizeof(config.license), house->license);
	session->notes = evtimer_new(house->base, on_notes, session);
	if (!session->notes)
		status = -REASON_NO_MEMORY;
	if (!status)
		status = tunnel_new(&session->tunnel, house->base, &config,
			&tunnel_events, session);
	if (!status)
		status = bridge_new(&session->bridge, house->base, session->tunnel,
			SEAL_HOST, &bridge_events, session);
	if (!status)
		status = clip_lane_new(&session->clip, session->tunnel, on_clip, session);
	if (status < 0) {
		agent_session_free(session);
		return status;
	}
	*ret = session;
	return 0;
}

/* A session that goes on may have become narrower, never wider. */
static void take_policy(struct agent_session *session, const char *text)
{
	struct permitted told;
	permitted_by_policy(text, &told);
	if (session->up)
		permitted_narrow(&told, &session->told);
	session->told = told;
}

int agent_session_open(struct agent_session *session, struct uplink *uplink,
	const struct message_open *open)
{
	/* The leg before this one may never have had its receipt: its node is gone. */
	session->uplink = uplink;
	memcpy(session->id, open->session, sizeof(session->id));
	text_clip(session->address, sizeof(session->address), open->peer_address);
	take_policy(session, open->policy);
	return tunnel_open(session->tunnel, &uplink_carrier, uplink, open);
}

void agent_session_data(struct agent_session *session, uint8_t *record, size_t len)
{
	tunnel_data(session->tunnel, record, len);
}

void agent_session_room(struct agent_session *session)
{
	tunnel_room(session->tunnel);
}

/* Nobody can let go of a key over a line that is cut. */
static void out_of_reach(struct agent_session *session)
{
	session->uplink = NULL;
	agent_session_admit_forget(session);
	if (session->desktop)
		desktop_let_go(session->desktop);
}

void agent_session_close(struct agent_session *session, const struct message_close *close)
{
	give_receipt(session, (int)close->reason);
	out_of_reach(session);
	tunnel_closed(session->tunnel, close);
}

void agent_session_cut(struct agent_session *session, int reason)
{
	out_of_reach(session);
	tunnel_cut(session->tunnel, reason);
}

void agent_session_part(struct agent_session *session, int reason)
{
	if (session->uplink) {
		uplink_close(session->uplink, reason, NULL);
		give_receipt(session, reason);
	}
	agent_session_cut(session, reason);
}

void agent_session_desktop(struct agent_session *session, struct desktop *desktop,
	int reason)
{
	if (!desktop)
		agent_session_admit_forget(session);
	session->desktop = desktop;
	session->desktop_reason = reason;
	session->marked = 0;
	session->clip_limit = 0;
	if (!desktop)
		bridge_stop(session->bridge);
	int status = desktop ? 0 : reason;
	if (desktop && session->up)
		status = agent_session_watch_apply(session);
	if (status < 0 && session->up)
		tunnel_close(session->tunnel, -status);
	else if (status < 0)
		tunnel_admit(session->tunnel, -status, NULL);
}

static void tell_too_large(struct agent_session *session)
{
	char en[160], ja[160];
	long long most = session->in_force.clip_max_bytes;
	if (!most)
		most = DESKTOP_CLIPBOARD_MAX;
	snprintf(en, sizeof(en),
		"The text was not copied: at most %lld bytes are permitted.", most);
	snprintf(ja, sizeof(ja),
		"コピーできるのは %lld "
		"バイトまでです。テキストはコピーされませんでした。",
		most);
	log_line(LOG_INFO, "a clipboard text was over the limit", LOG_U("most", most));
	agent_session_watch_tell(session, REASON_LIMIT, en, ja);
}

void agent_session_event(struct agent_session *session, const struct desktop_event *event)
{
	switch (event->kind) {
	case DESKTOP_EV_CLIPBOARD:
		if (session->up && session->rights & INNER_RIGHT_CLIP_TO_VIEWER &&
			session->features & INNER_FEATURE_CLIPBOARD_LANE &&
			clip_lane_send(session->clip, event->text, event->len) < 0)
			log_line(LOG_INFO, "a clipboard text was too large to send");
		break;
	case DESKTOP_EV_ENDED_BY_PERSON:
		tunnel_close(session->tunnel, REASON_HOST_ENDED);
		break;
	case DESKTOP_EV_STREAM_ENDED:
		bridge_stop(session->bridge);
		break;
	case DESKTOP_EV_CLIP_TOO_LARGE:
		if (session->up)
			tell_too_large(session);
		break;
	case DESKTOP_EV_ANSWERED:
		agent_session_admit_answer(session, event->question, event->yes);
		break;
	case DESKTOP_EV_RESIZED:
		tell_monitors(session);
		break;
	case DESKTOP_EV_SOURCE_LOST:
		break;
	}
}

void agent_session_end(struct agent_session *session, int reason)
{
	tunnel_close(session->tunnel, reason);
}

void agent_session_policy(struct agent_session *session, const char *text)
{
	agent_session_watch_policy(session, text);
}

void agent_session_tick(struct agent_session *session, int64_t wall_ms)
{
	agent_session_watch_tick(session, wall_ms);
}

struct agent_session *agent_session_replace(struct agent_session *session)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	/* The leg belongs to its successor by now. */
	session->uplink = NULL;
	leave(session, REASON_TAKEN_OVER, TUNNEL_INTERRUPTED);
	return agent_session_free(session);
}

const uint8_t *agent_session_id(const struct agent_session *session)
{
	return session->id;
}

const char *agent_session_viewer(const struct agent_session *session)
{
	return session->up ? session->viewer : "";
}

uint16_t agent_session_rights(const struct agent_session *session)
{
	return session->rights;
}

int64_t agent_session_since_ms(const struct agent_session *session)
{
	return session->since_ms;
}

struct agent_session *agent_session_free(struct agent_session *session)
{
	if (!session)
		return NULL;
	CHECK_OBJ(session, SESSION_MAGIC);
	session->clip = clip_lane_free(session->clip);
	session->bridge = bridge_free(session->bridge);
	session->tunnel = tunnel_free(session->tunnel);
	if (session->notes)
		event_free(session->notes);
	secret_wipe(session, sizeof(*session));
	free(session);
	return NULL;
}
