#include "agent_session.h"

#include <inttypes.h>
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
#include "e2e/pin_rules.h"
#include "e2e/ticket_book.h"
#include "link/bridge.h"
#include "link/clip_lane.h"
#include "link/gate.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "pair_guard.h"
#include "silence.h"
#include "veto.h"

#define SESSION_MAGIC 0x53455353
/* A limit beyond this is none. */
#define POLICY_LONGEST_MS (INT64_C(366) * 24 * 3600 * 1000)

struct agent_session {
	uint32_t magic;
	struct agent_session_house house;
	struct uplink *uplink; /* NULL while cut */
	struct desktop *desktop;
	int desktop_reason; /* why there is none */
	struct tunnel *tunnel;
	struct bridge *bridge;
	struct clip_lane *clip;
	enum prologue_purpose purpose;
	uint8_t id[16], key[INNER_KEY];
	char viewer[INNER_NAME_SIZE], user[INNER_NAME_SIZE], address[65];
	enum inner_class class, paired_class;
	uint16_t wanted, device_rights, policy_rights, rights;
	uint32_t features;
	int64_t policy_max_ms, since_ms, ends_ms;
	int policy_lock, up;
	struct silence silence;
};

/* Whoever runs the gateway writes any number: this one is added to a clock. */
static int64_t longest_of(const json_t *ms)
{
	json_int_t longest = json_integer_value(ms);
	return longest > 0 && longest < POLICY_LONGEST_MS ? longest : 0;
}

static void set_policy(struct agent_session *session, const char *text)
{
	session->policy_rights = INNER_RIGHTS_ALL;
	session->policy_max_ms = 0;
	session->policy_lock = 0;
	if (!*text)
		return;
	json_t *policy = json_loads(text, 0, NULL);
	const json_t *rights = json_object_get(policy, "rights");
	/* A policy that cannot be read permits nothing. */
	session->policy_rights =
		json_is_integer(rights)
			? (uint16_t)(json_integer_value(rights) & INNER_RIGHTS_ALL)
			: 0;
	session->policy_max_ms = longest_of(json_object_get(policy, "max_session_ms"));
	session->policy_lock = json_is_true(json_object_get(policy, "lock_at_end"));
	json_decref(policy);
}

static int read_veto(const struct agent_session *session, struct veto *ret)
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

static int64_t least_limit(int64_t a, int64_t b)
{
	if (a <= 0 || b <= 0)
		return a > 0 ? a : b;
	return a < b ? a : b;
}

/* Who it is: asked before the viewer is proved, so nothing is changed but the count of tries. */
static int on_find_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	int64_t now_ms = clock_wall_ms();
	if (peer->purpose == PROLOGUE_PAIRING) {
		int status = pair_guard_permits(session->house.guard, clock_mono_ms());
		if (status < 0)
			return status;
		return ticket_book_try(session->house.dir, peer->ticket, now_ms, ret_psk);
	}
	int status = peers_reload(session->house.peers);
	if (status < 0)
		return status;
	const struct peers_device *device =
		peers_find(session->house.peers, peer->key, now_ms);
	if (!device)
		return -REASON_DEVICE_UNKNOWN;
	if (device->revoked_ms)
		return -REASON_DEVICE_REVOKED;
	memcpy(ret_psk, device->pair_psk, INNER_KEY);
	return 0;
}

static int on_accept(void *ctx, const struct tunnel_peer *peer)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	int64_t now_ms = clock_wall_ms();
	const struct peers_device *device =
		peers_find(session->house.peers, peer->key, now_ms);
	int status = pin_rules_host_accepts_viewer(peer->purpose, peer->psk_kind, device,
		peer->key, now_ms);
	if (status < 0)
		return status;
	session->purpose = peer->purpose;
	session->device_rights = device ? device->rights : INNER_RIGHTS_ALL;
	session->paired_class = device ? device->class : peer->class;
	if (peer->purpose == PROLOGUE_PAIRING)
		return ticket_book_use(session->house.dir, peer->ticket, now_ms);
	return 0;
}

static void on_guessed(void *ctx, uint32_t ticket)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (ticket_book_fail(session->house.dir, ticket, clock_wall_ms()) < 0)
		log_line(LOG_WARN, "a wrong pairing code could not be counted");
	int locks = pair_guard_failed(session->house.guard, clock_mono_ms());
	log_line(LOG_WARN,
		locks ? "pairing is locked: too many wrong codes"
		      : "a wrong pairing code",
		LOG_U("ticket", ticket), LOG_S("address", session->address));
}

/* What the host's own file and the present state of the desktop say to this viewer. */
static int may_come_in(struct agent_session *session, const struct tunnel_peer *peer,
	struct veto *ret_veto)
{
	if (!session->desktop)
		return session->desktop_reason;
	int status = read_veto(session, ret_veto);
	if (status < 0)
		return -REASON_VETO;
	/* What it says it is, and what it said when it was paired: neither may be one too many. */
	status = veto_admits(ret_veto, peer->class, clock_wall_ms());
	if (!status)
		status = veto_admits(ret_veto, session->paired_class, clock_wall_ms());
	if (status < 0)
		veto_done(ret_veto);
	return status;
}

static uint16_t grant(const struct agent_session *session, const struct veto *veto)
{
	return pin_rules_granted(session->wanted, session->device_rights,
		veto_rights(veto, INNER_RIGHTS_ALL), session->policy_rights);
}

static void admit_pairing(struct agent_session *session, struct tunnel_grant *grant)
{
	int status = secret_random(grant->pair_psk, sizeof(grant->pair_psk));
	tunnel_admit(session->tunnel, -status, grant);
}

static void on_admit(void *ctx, const struct tunnel_peer *peer)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	struct tunnel_grant given = {0};
	text_clip(given.host_name, sizeof(given.host_name), session->house.host_name);
	memcpy(session->key, peer->key, INNER_KEY);
	text_clip(session->viewer, sizeof(session->viewer), peer->device);
	text_clip(session->user, sizeof(session->user), peer->user);
	session->class = peer->class;
	session->wanted = peer->wanted;
	if (peer->purpose == PROLOGUE_PAIRING) {
		admit_pairing(session, &given);
		goto out;
	}
	struct veto veto = {0};
	int status = may_come_in(session, peer, &veto);
	if (status < 0) {
		log_line(LOG_INFO, "a viewer was turned away",
			LOG_S("reason", reason_symbol(status)),
			LOG_S("viewer", session->viewer));
		tunnel_admit(session->tunnel, -status, NULL);
		goto out;
	}
	session->rights = grant(session, &veto);
	int64_t longest_ms = least_limit(veto.max_session_ms, session->policy_max_ms);
	if (longest_ms > 0 && !session->ends_ms)
		session->ends_ms = clock_wall_ms() + longest_ms;
	int viewable = veto_rights(&veto, INNER_RIGHT_VIEW) & INNER_RIGHT_VIEW;
	veto_done(&veto);
	if (!(session->rights & INNER_RIGHT_VIEW)) {
		tunnel_admit(session->tunnel, viewable ? REASON_POLICY : REASON_VETO,
			NULL);
		goto out;
	}
	int width, height;
	desktop_size(session->desktop, &width, &height);
	given.rights = session->rights;
	given.width = (uint16_t)width;
	given.height = (uint16_t)height;
	tunnel_admit(session->tunnel, REASON_NONE, &given);
out:
	secret_wipe(&given, sizeof(given));
}

static void show_sign(struct agent_session *session)
{
	struct veto veto = {0};
	if (!session->desktop || read_veto(session, &veto) < 0)
		return;
	if (veto.sign) {
		char text[400];
		if (reason_lang_env() == REASON_JA)
			snprintf(text, sizeof(text), "%s が接続中です", session->viewer);
		else
			snprintf(text, sizeof(text), "%s is connected", session->viewer);
		int status = desktop_sign(session->desktop, text, NULL);
		if (status < 0 && status != -REASON_NO_DISPLAY)
			log_line(LOG_WARN, "the sign could not be shown",
				LOG_S("reason", reason_symbol(status)));
	}
	veto_done(&veto);
}

static json_t *record_of(const struct agent_session *session, const char *event)
{
	char at[CLOCK_TEXT], id[33];
	clock_text(clock_wall_ms(), at);
	text_hex(id, session->id, sizeof(session->id));
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:i}", "at", at, "event",
		event, "session", id, "fence", (json_int_t)tunnel_fence(session->tunnel),
		"viewer", session->viewer, "user", session->user, "address",
		session->address, "rights", (int)session->rights);
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
	if (!session->up)
		session->since_ms = clock_wall_ms();
	session->up = 1;
	if (peers_seen(session->house.peers, session->key, clock_wall_ms()) < 0)
		log_line(LOG_WARN, "the last use of a device could not be noted");
	agent_state_record(session->house.dir,
		record_of(session, up->resumed ? "resumed" : "up"));
	log_line(LOG_INFO, up->resumed ? "session resumed" : "session up",
		LOG_S("viewer", session->viewer), LOG_S("address", session->address),
		LOG_U("fence", up->fence), LOG_U("rights", session->rights));
	if (session->desktop)
		desktop_rights(session->desktop, session->rights);
	show_sign(session);
	session->house.changed(session->house.ctx);
}

static int on_paired(void *ctx, const struct tunnel_paired *paired)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	struct peers_device device = {.class = paired->class, .rights = INNER_RIGHTS_ALL};
	device.added_ms = device.seen_ms = clock_wall_ms();
	memcpy(device.key, paired->peer_key, sizeof(device.key));
	memcpy(device.pair_psk, paired->pair_psk, sizeof(device.pair_psk));
	text_clip(device.name, sizeof(device.name), paired->device);
	text_clip(device.user, sizeof(device.user), paired->user);
	int status = peers_reload(session->house.peers);
	if (!status)
		status = peers_authorise(session->house.peers, &device);
	secret_wipe(&device, sizeof(device));
	if (status < 0) {
		log_line(LOG_ERROR, "pairing failed at the last step",
			LOG_S("reason", reason_symbol(status)));
		return status;
	}
	pair_guard_succeeded(session->house.guard);
	agent_state_record(session->house.dir, record_of(session, "paired"));
	log_line(LOG_INFO, "paired", LOG_S("viewer", session->viewer),
		LOG_S("address", session->address));
	return 0;
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

static void give_receipt(struct agent_session *session, int reason)
{
	struct message_receipt receipt;
	if (!session->uplink || tunnel_receipt(session->tunnel, reason, &receipt) < 0)
		return;
	if (uplink_receipt(session->uplink, &receipt) < 0)
		log_line(LOG_DEBUG, "the receipt of a session could not be sent");
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
	struct veto veto = {0};
	int lock = session->policy_lock;
	if (read_veto(session, &veto) == 0) {
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
	if (how != TUNNEL_INTERRUPTED || session->uplink)
		give_receipt(session, reason);
	leave_desktop(session);
	json_t *record = record_of(session, "ended");
	json_object_set_new(record, "reason", json_string(reason_symbol(reason)));
	agent_state_record(session->house.dir, record);
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
	.find_psk = on_find_psk,
	.accept = on_accept,
	.guessed = on_guessed,
	.admit = on_admit,
	.up = on_up,
	.paired = on_paired,
	.bytes = on_bytes,
	.room = on_room,
	.message = on_message,
	.ended = on_ended,
};

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

int agent_session_open(struct agent_session *session, struct uplink *uplink,
	const struct message_open *open)
{
	/* The leg before this one may never have had its receipt: its node is gone. */
	session->uplink = uplink;
	memcpy(session->id, open->session, sizeof(session->id));
	text_clip(session->address, sizeof(session->address), open->peer_address);
	set_policy(session, open->policy);
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

void agent_session_desktop(struct agent_session *session, struct desktop *desktop,
	int reason)
{
	session->desktop = desktop;
	session->desktop_reason = reason;
	if (desktop)
		return;
	bridge_stop(session->bridge);
	if (session->up)
		tunnel_close(session->tunnel, -reason);
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
	case DESKTOP_EV_SOURCE_LOST:
	case DESKTOP_EV_RESIZED:
		break;
	}
}

void agent_session_end(struct agent_session *session, int reason)
{
	tunnel_close(session->tunnel, reason);
}

static void narrow(struct agent_session *session, uint16_t rights)
{
	if (rights == session->rights)
		return;
	session->rights &= rights;
	desktop_rights(session->desktop, session->rights);
	struct inner_message message = {.kind = INNER_RIGHTS};
	message.rights.rights = session->rights;
	if (tunnel_message(session->tunnel, &message) < 0)
		log_line(LOG_DEBUG,
			"the viewer could not be told that its rights changed");
	session->house.changed(session->house.ctx);
}

/* What the host's own files say by now about a session that runs. */
static int still_permitted(struct agent_session *session, int64_t wall_ms,
	uint16_t *ret_rights)
{
	int status = peers_reload(session->house.peers);
	const struct peers_device *device =
		status < 0 ? NULL
			   : peers_find(session->house.peers, session->key, wall_ms);
	if (!device || device->revoked_ms)
		return -REASON_DEVICE_REVOKED;
	struct veto veto = {0};
	if (read_veto(session, &veto) < 0)
		return -REASON_VETO;
	status = veto_admits(&veto, session->class, wall_ms);
	if (!status)
		status = veto_admits(&veto, session->paired_class, wall_ms);
	session->device_rights = device->rights;
	*ret_rights = grant(session, &veto) & session->rights;
	veto_done(&veto);
	if (!status && !(*ret_rights & INNER_RIGHT_VIEW))
		status = -REASON_VETO;
	return status;
}

/* A line that is up and carries nothing is a cut one, whatever the gateway says. */
static void listen_for_silence(struct agent_session *session)
{
	struct tunnel_stats stats;
	if (!session->uplink || tunnel_state(session->tunnel) != TUNNEL_UP)
		return;
	tunnel_stats(session->tunnel, &stats);
	if (!silence_turn(&session->silence, stats.records_received))
		return;
	log_line(LOG_WARN, "the viewer is silent on a line that is up",
		LOG_S("viewer", session->viewer));
	give_receipt(session, REASON_KEEPALIVE_TIMEOUT);
	uplink_close(session->uplink, REASON_KEEPALIVE_TIMEOUT, NULL);
	agent_session_cut(session, REASON_KEEPALIVE_TIMEOUT);
}

void agent_session_tick(struct agent_session *session, int64_t wall_ms)
{
	listen_for_silence(session);
	if (!session->up || !session->desktop)
		return;
	if (session->ends_ms && wall_ms >= session->ends_ms) {
		tunnel_close(session->tunnel, REASON_SESSION_TIME_UP);
		return;
	}
	uint16_t rights = session->rights;
	int status = still_permitted(session, wall_ms, &rights);
	if (status < 0)
		tunnel_close(session->tunnel, -status);
	else
		narrow(session, rights);
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
	secret_wipe(session, sizeof(*session));
	free(session);
	return NULL;
}
