#include "viewer.h"

#include <event2/event.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/identity.h"
#include "e2e/license_id.h"
#include "e2e/pin_rules.h"
#include "e2e/pins.h"
#include "face.h"
#include "link/backoff.h"
#include "link/bridge.h"
#include "link/clip_lane.h"
#include "link/timer.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "profile.h"
#include "wire/session_id.h"

#define VIEWER_MAGIC 0x56494557
#define METER_MS 1000
/* A session that was up waits so long for its other end; the host keeps it for its own grace time. */
#define GRACE_MS 60000
/* After the grace time is over the session is lost, but the user still wants the desktop. */
#define PATIENCE_MS (10 * 60 * 1000)

struct viewer {
	uint32_t magic;
	struct event_base *base;
	struct event *attempt, *meter, *signals[2];
	struct identity *identity;
	const struct profile *profile;
	struct face *face;
	char dir[1024], ca_file[1024], device_name[INNER_NAME_SIZE],
		user[INNER_NAME_SIZE];
	char *password, *totp; /* secret_alloc'd, VIEWER_SECRET bytes each */
	struct pins_host pin;
	struct uplink *uplink;
	struct tunnel *tunnel;
	struct bridge *bridge;
	struct clip_lane *clip;
	struct backoff backoff;
	enum prologue_purpose purpose;
	struct ticket ticket;
	char paired_name[INNER_NAME_SIZE];
	uint8_t session[16];
	uint64_t fence;
	uint16_t rights;
	uint32_t features;
	int has_session, was_up, up, finished, result, ready_fd;
	int64_t lost_ms; /* when the session was cut, 0: it runs */
	size_t gateway;
	char *detail;
};

#define VIEWER_SECRET 260

static void finish(struct viewer *viewer, int result, const char *detail)
{
	if (viewer->finished)
		return;
	viewer->finished = 1;
	viewer->result = result;
	if (detail && viewer->detail)
		text_clip(viewer->detail, VIEWER_DETAIL, detail);
	event_base_loopbreak(viewer->base);
}

/* The pin is written and the host has said goodbye: it knows this device now. */
static int is_paired(const struct viewer *viewer, int reason)
{
	return viewer->purpose == PROLOGUE_PAIRING && viewer->result == 0 &&
	       reason == REASON_VIEWER_LEFT;
}

/* Calls what the face has. */
#define TELL_FACE(viewer, what, ...)                                                     \
	do {                                                                             \
		struct face *face_ = (viewer)->face;                                     \
		if (face_ && face_->vtable->what)                                        \
			face_->vtable->what(face_, __VA_ARGS__);                         \
	} while (0)

/* Whether waiting can help. A wrong password, a changed key, an administrator's word cannot be waited out. */
static int passes(int reason)
{
	switch (reason) {
	case REASON_GATEWAY_UNREACHABLE:
	case REASON_HOST_OFFLINE:
	case REASON_STORE_UNAVAILABLE:
	case REASON_BUSY:
	case REASON_THROTTLED:
	case REASON_DRAINING:
	case REASON_TIMEOUT:
	case REASON_HOST_BUSY:
	case REASON_PEER_LOST:
	case REASON_KEEPALIVE_TIMEOUT:
	case REASON_SLOW_READER:
	case REASON_NODE_STOPPED:
	case REASON_LEG_CLOSED:
	case REASON_GRACE_OVER:
	case REASON_TLS_FAILED:
	case REASON_LICENSE_IN_USE:
		return 1;
	default:
		return 0;
	}
}

static void drop_session(struct viewer *viewer)
{
	viewer->clip = clip_lane_free(viewer->clip);
	viewer->bridge = bridge_free(viewer->bridge);
	viewer->tunnel = tunnel_free(viewer->tunnel);
	viewer->has_session = viewer->up = 0;
}

/* One more attempt, or the end. `told`: what the last one failed of. */
static void try_again(struct viewer *viewer, int reason, int64_t retry_ms,
	const char *detail)
{
	int64_t now_ms = clock_mono_ms();
	if (!viewer->lost_ms)
		viewer->lost_ms = now_ms;
	int hopeless = !viewer->was_up || !passes(reason) ||
		       now_ms - viewer->lost_ms > PATIENCE_MS;
	if (viewer->finished)
		return;
	if (hopeless) {
		char text[VIEWER_DETAIL], retry[REASON_RETRY_SIZE];
		reason_retry_text(retry_ms, reason_lang_env(), retry);
		snprintf(text, sizeof(text), "%.300s%s%s", detail ? detail : "",
			detail && *detail && *retry ? " " : "", retry);
		finish(viewer, -reason, text);
		return;
	}
	TELL_FACE(viewer, line, FACE_RECONNECTING, reason);
	enum backoff_pace pace = viewer->has_session ? BACKOFF_SESSION : BACKOFF_IDLE;
	int64_t wait_ms = backoff_next_ms(&viewer->backoff, pace, retry_ms);
	log_line(LOG_INFO, "reconnecting", LOG_S("reason", reason_symbol(reason)),
		LOG_U("in_ms", wait_ms));
	timer_arm(viewer->attempt, wait_ms);
}

static int on_accept(void *ctx, const struct tunnel_peer *peer)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	const struct pins_host *pin =
		viewer->purpose == PROLOGUE_SESSION ? &viewer->pin : NULL;
	return pin_rules_viewer_accepts_host(peer->purpose, peer->psk_kind, pin,
		peer->key, clock_wall_ms());
}

static int on_paired(void *ctx, const struct tunnel_paired *paired)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	struct pins_host pin = {.paired_ms = clock_wall_ms()};
	memcpy(pin.license, viewer->profile->access.key.public_id, sizeof(pin.license));
	memcpy(pin.key, paired->peer_key, sizeof(pin.key));
	memcpy(pin.pair_psk, paired->pair_psk, sizeof(pin.pair_psk));
	text_clip(pin.host_name, sizeof(pin.host_name), paired->host_name);
	text_clip(pin.name, sizeof(pin.name),
		*viewer->profile->name ? viewer->profile->name : paired->host_name);
	text_clip(viewer->paired_name, sizeof(viewer->paired_name), paired->host_name);
	int status = pins_write(viewer->dir, &pin);
	secret_wipe(&pin, sizeof(pin));
	/* The host hears PAIRED_OK first; its goodbye ends the loop. */
	if (!status)
		viewer->result = 0;
	return status;
}

static void on_up(void *ctx, const struct tunnel_up *up)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	viewer->fence = up->fence;
	viewer->rights = up->rights;
	viewer->features = up->features;
	viewer->up = viewer->was_up = viewer->has_session = 1;
	viewer->lost_ms = 0;
	TELL_FACE(viewer, line, FACE_LIVE, REASON_NONE);
	TELL_FACE(viewer, rights, up->rights);
	TELL_FACE(viewer, up, viewer, up);
}

static void on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes, size_t len)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (lane == SEAL_PICTURE)
		bridge_bytes(viewer->bridge, lane, bytes, len);
	else if (lane == SEAL_CLIPBOARD)
		clip_lane_bytes(viewer->clip, bytes, len);
	else
		tunnel_close(viewer->tunnel, REASON_PROTOCOL);
}

static void on_lane_room(void *ctx, enum seal_lane lane)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (lane == SEAL_INPUT)
		bridge_room(viewer->bridge, lane);
	else if (lane == SEAL_CLIPBOARD)
		clip_lane_room(viewer->clip);
}

static void on_message(void *ctx, const struct inner_message *message)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (bridge_message(viewer->bridge, message))
		return;
	switch (message->kind) {
	case INNER_RIGHTS:
		viewer->rights = message->rights.rights;
		TELL_FACE(viewer, rights, viewer->rights);
		break;
	case INNER_NOTICE:
		TELL_FACE(viewer, notice, message->notice.en, message->notice.ja);
		break;
	case INNER_NEW_KEY:
		pins_rotate(&viewer->pin, message->new_key.key, clock_wall_ms());
		if (pins_write(viewer->dir, &viewer->pin) < 0)
			log_line(LOG_WARN, "the host's new key could not be stored");
		break;
	default:
		break;
	}
}

static void give_receipt(struct viewer *viewer, int reason)
{
	struct message_receipt receipt;
	if (!viewer->uplink || !viewer->tunnel)
		return;
	if (tunnel_receipt(viewer->tunnel, reason, &receipt) < 0 ||
		uplink_receipt(viewer->uplink, &receipt) < 0)
		log_line(LOG_DEBUG, "the receipt of a session could not be sent");
}

static void on_ended(void *ctx, int reason, enum tunnel_end how)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	int paired = is_paired(viewer, reason);
	give_receipt(viewer, reason);
	/* A wrong code and a disturbed handshake look alike; when pairing the code is the likely one. */
	if (viewer->purpose == PROLOGUE_PAIRING && reason == REASON_E2E_FAILED)
		reason = REASON_TICKET_WRONG;
	drop_session(viewer);
	if (viewer->uplink)
		uplink_leave(viewer->uplink, paired ? REASON_VIEWER_LEFT : reason);
	if (paired || (how == TUNNEL_OURS && viewer->finished)) {
		viewer->finished = 1;
		return;
	}
	if (!viewer->was_up || !passes(reason)) {
		viewer->finished = 1;
		viewer->result = -reason;
		return;
	}
	log_line(LOG_INFO, "the session is over; a new one is started",
		LOG_S("reason", reason_symbol(reason)));
}

static const struct tunnel_events tunnel_events = {
	.accept = on_accept,
	.paired = on_paired,
	.up = on_up,
	.bytes = on_bytes,
	.room = on_lane_room,
	.message = on_message,
	.ended = on_ended,
};

static void on_stream_closed(void *ctx, int reason)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	TELL_FACE(viewer, stream_closed, reason);
}

static const struct bridge_events bridge_events = {.closed = on_stream_closed};

static void on_clip(void *ctx, const char *text, size_t len)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (viewer->rights & INNER_RIGHT_CLIP_TO_VIEWER)
		TELL_FACE(viewer, clip, text, len);
}

static int new_session(struct viewer *viewer)
{
	struct tunnel_config config = {
		.side = SEAL_VIEWER,
		.identity = viewer->identity,
		.features = viewer->face ? viewer->face->features : 0,
		.grace_ms = GRACE_MS,
		.fence = viewer->fence,
		.purpose = viewer->purpose,
		.wanted = INNER_RIGHTS_ALL,
	};
	int status = text_copy(config.license, sizeof(config.license),
		viewer->profile->access.key.public_id);
	text_clip(config.user, sizeof(config.user), viewer->user);
	text_clip(config.device, sizeof(config.device), viewer->device_name);
	if (viewer->purpose == PROLOGUE_PAIRING) {
		uint8_t license_id[LICENSE_ID_SIZE];
		config.ticket = viewer->ticket.id;
		if (!status)
			status = license_id_hash(viewer->profile->access.key.public_id,
				license_id);
		if (!status)
			status = ticket_stretch(&viewer->ticket, license_id, config.psk);
	} else
		memcpy(config.psk, viewer->pin.pair_psk, sizeof(config.psk));
	if (!status)
		status = tunnel_new(&viewer->tunnel, viewer->base, &config,
			&tunnel_events, viewer);
	if (!status)
		status = bridge_new(&viewer->bridge, viewer->base, viewer->tunnel,
			SEAL_VIEWER, &bridge_events, viewer);
	if (!status)
		status = clip_lane_new(&viewer->clip, viewer->tunnel, on_clip, viewer);
	secret_wipe(&config, sizeof(config));
	if (status < 0)
		drop_session(viewer);
	return status;
}

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	const char *gateway;
	viewer->gateway = uplink_gateway(viewer->uplink, &gateway);
	backoff_up(&viewer->backoff, clock_mono_ms());
	log_line(LOG_INFO, "signed in", LOG_S("gateway", gateway),
		LOG_S("leg", welcome->leg));
	int status = viewer->tunnel ? 0 : new_session(viewer);
	struct message_connect connect = {
		.purpose = viewer->purpose,
		.psk_kind = viewer->purpose == PROLOGUE_PAIRING ? PROLOGUE_PSK_TICKET
								: PROLOGUE_PSK_PAIR,
		.ticket = viewer->purpose == PROLOGUE_PAIRING ? viewer->ticket.id : 0,
	};
	if (viewer->has_session) {
		session_id_text(viewer->session, connect.resume);
		connect.fence = viewer->fence;
	}
	if (!status)
		status = uplink_connect(viewer->uplink, &connect);
	if (status < 0)
		finish(viewer, status, NULL);
}

static void on_open(void *ctx, const struct message_open *open)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	memcpy(viewer->session, open->session, sizeof(viewer->session));
	int status = viewer->tunnel ? tunnel_open(viewer->tunnel, &uplink_carrier,
					      viewer->uplink, open)
				    : -REASON_PROTOCOL;
	if (status < 0) {
		uplink_close(viewer->uplink, -status, NULL);
		finish(viewer, status, NULL);
	}
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct viewer *viewer = ctx;
	if (viewer->tunnel)
		tunnel_data(viewer->tunnel, record, len);
}

/* The node parted us. The leg stays, so asking again is one message. */
static void on_close(void *ctx, const struct message_close *close)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	int reason = (int)close->reason;
	give_receipt(viewer, reason);
	viewer->up = 0;
	if (is_paired(viewer, reason)) {
		/* The loop ends with the leg, behind the receipt. */
		viewer->finished = 1;
		uplink_leave(viewer->uplink, REASON_VIEWER_LEFT);
		return;
	}
	if (reason == REASON_GRACE_OVER && viewer->was_up) {
		/* The host has given this session up (it was restarted): a fresh one, unasked. */
		drop_session(viewer);
		try_again(viewer, reason, (int64_t)close->retry_ms, close->detail);
		return;
	}
	if (!viewer->has_session || !passes(reason)) {
		char detail[VIEWER_DETAIL];
		text_clip(detail, sizeof(detail), close->detail);
		if (viewer->purpose == PROLOGUE_PAIRING && reason == REASON_E2E_FAILED)
			reason = REASON_TICKET_WRONG;
		finish(viewer, -reason, detail);
		return;
	}
	tunnel_cut(viewer->tunnel, reason);
	try_again(viewer, reason, (int64_t)close->retry_ms, close->detail);
}

static void on_uplink_room(void *ctx)
{
	struct viewer *viewer = ctx;
	if (viewer->tunnel)
		tunnel_room(viewer->tunnel);
}

static void on_notice(void *ctx, const struct message_notice *notice)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (!strcmp(notice->kind, "drain"))
		viewer->gateway =
			(viewer->gateway + 1) % viewer->profile->access.gateway_count;
	else
		TELL_FACE(viewer, notice, notice->en, notice->ja);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	viewer->uplink = uplink_free(viewer->uplink);
	backoff_down(&viewer->backoff, clock_mono_ms());
	if (viewer->finished) {
		event_base_loopbreak(viewer->base);
		return;
	}
	viewer->up = 0;
	if (viewer->tunnel && viewer->has_session)
		tunnel_cut(viewer->tunnel, down->reason);
	else
		drop_session(viewer);
	try_again(viewer, down->reason, down->retry_ms, down->detail);
}

static const struct uplink_events uplink_events = {
	.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.close = on_close,
	.notice = on_notice,
	.room = on_uplink_room,
};

static void start_uplink(struct viewer *viewer)
{
	const struct access *access = &viewer->profile->access;
	const struct uplink_config config = {
		.gateways = access->gateways,
		.gateway_count = access->gateway_count,
		.first = viewer->gateway,
		.ca_file = *viewer->ca_file ? viewer->ca_file : NULL,
		.side = HELLO_VIEWER,
		.license = access->key.public_id,
		.secret = access->key.secret,
		.identity = viewer->identity,
		.kind = "native",
		.program = "engawa-viewer " ENGAWA_VERSION,
		.name = viewer->device_name,
		.password = viewer->password,
		.totp = viewer->totp,
	};
	int status = uplink_new(&viewer->uplink, viewer->base, &config, &uplink_events,
		viewer);
	if (!status)
		status = uplink_start(viewer->uplink);
	if (status < 0)
		finish(viewer, status, *viewer->ca_file ? viewer->ca_file : NULL);
}

static void on_attempt(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	struct message_connect again = {
		.purpose = viewer->purpose, .psk_kind = PROLOGUE_PSK_PAIR};
	if (!viewer->uplink) {
		start_uplink(viewer);
		return;
	}
	/* The leg lived on; only the other end was gone. */
	int status = viewer->tunnel ? 0 : new_session(viewer);
	if (viewer->has_session) {
		session_id_text(viewer->session, again.resume);
		again.fence = viewer->fence;
	}
	if (!status)
		status = uplink_connect(viewer->uplink, &again);
	if (status < 0)
		try_again(viewer, -status, 0, NULL);
}

static void on_meter(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	struct tunnel_stats stats = {0};
	const char *gateway = "";
	if (viewer->tunnel)
		tunnel_stats(viewer->tunnel, &stats);
	if (viewer->uplink)
		uplink_gateway(viewer->uplink, &gateway);
	TELL_FACE(viewer, meter, &stats, gateway);
	timer_arm(viewer->meter, METER_MS);
}

static void on_signal(evutil_socket_t number UNUSED, short what UNUSED, void *ctx)
{
	viewer_leave(ctx, 0);
}

void viewer_leave(struct viewer *viewer, int result)
{
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (viewer->finished) {
		event_base_loopbreak(viewer->base);
		return;
	}
	if (!viewer->uplink || !viewer->tunnel || !viewer->up) {
		finish(viewer, result, NULL);
		return;
	}
	viewer->finished = 1;
	viewer->result = result;
	/* The goodbye is sealed, told and counted; then the leg goes, and with it the loop. */
	struct timeval most = {3, 0};
	event_base_loopexit(viewer->base, &most);
	tunnel_close(viewer->tunnel, REASON_VIEWER_LEFT);
}

int viewer_stream(struct viewer *viewer, int fd)
{
	if (viewer->bridge)
		return bridge_start(viewer->bridge, fd, NULL);
	close(fd);
	return -REASON_LEG_CLOSED;
}

void viewer_stream_stop(struct viewer *viewer)
{
	if (viewer->bridge)
		bridge_stop(viewer->bridge);
}

int viewer_clip(struct viewer *viewer, const char *text, size_t len)
{
	if (!(viewer->rights & INNER_RIGHT_CLIP_TO_HOST))
		return -REASON_VETO;
	return viewer->clip ? clip_lane_send(viewer->clip, text, len)
			    : -REASON_LEG_CLOSED;
}

void viewer_ready(struct viewer *viewer, const char *line)
{
	if (viewer->ready_fd < 0)
		return;
	dprintf(viewer->ready_fd, "%s\n", line);
	close(viewer->ready_fd);
	viewer->ready_fd = -1;
}

uint16_t viewer_rights(const struct viewer *viewer)
{
	return viewer->rights;
}

struct event_base *viewer_base(struct viewer *viewer)
{
	return viewer->base;
}

static int keep_secret(const char *text, char **ret)
{
	char *copy = secret_alloc(VIEWER_SECRET);
	if (!copy)
		return -REASON_NO_MEMORY;
	*ret = copy;
	return text_copy(copy, VIEWER_SECRET, text ? text : "");
}

static int make_loop(struct viewer *viewer)
{
	uint64_t seed;
	int status = secret_random(&seed, sizeof(seed));
	if (status < 0)
		return status;
	backoff_init(&viewer->backoff, seed);
	viewer->attempt = evtimer_new(viewer->base, on_attempt, viewer);
	viewer->meter = evtimer_new(viewer->base, on_meter, viewer);
	viewer->signals[0] = evsignal_new(viewer->base, SIGTERM, on_signal, viewer);
	viewer->signals[1] = evsignal_new(viewer->base, SIGINT, on_signal, viewer);
	if (!viewer->attempt || !viewer->meter || !viewer->signals[0] ||
		!viewer->signals[1])
		return -REASON_NO_MEMORY;
	event_add(viewer->signals[0], NULL);
	event_add(viewer->signals[1], NULL);
	return 0;
}

static int set_names(struct viewer *viewer, const struct viewer_config *config)
{
	char host[INNER_NAME_SIZE] = "";
	const struct passwd *person = getpwuid(getuid());
	gethostname(host, sizeof(host) - 1);
	text_clip(viewer->device_name, sizeof(viewer->device_name),
		config->device_name ? config->device_name : host);
	text_clip(viewer->user, sizeof(viewer->user), person ? person->pw_name : "");
	if (config->ca_file)
		return text_copy(viewer->ca_file, sizeof(viewer->ca_file),
			config->ca_file);
	if (!config->profile->access.own_ca)
		return 0;
	return profile_ca_path(config->dir, config->profile->access.key.public_id,
		viewer->ca_file, sizeof(viewer->ca_file));
}

int viewer_new(struct viewer **ret, const struct viewer_config *config)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	if (!viewer)
		return -REASON_NO_MEMORY;
	viewer->magic = VIEWER_MAGIC;
	viewer->base = config->base;
	viewer->profile = config->profile;
	viewer->face = config->face;
	viewer->ready_fd = config->ready_fd;
	viewer->purpose = PROLOGUE_SESSION;
	signal(SIGPIPE, SIG_IGN);
	int status = text_copy(viewer->dir, sizeof(viewer->dir), config->dir);
	if (!status)
		status = set_names(viewer, config);
	if (!status)
		status = keep_secret(config->password, &viewer->password);
	if (!status)
		status = keep_secret(config->totp, &viewer->totp);
	if (!status)
		status = identity_open(viewer->dir, &viewer->identity);
	if (!status)
		status = make_loop(viewer);
	if (status < 0) {
		viewer_free(viewer);
		return status;
	}
	*ret = viewer;
	return 0;
}

static int run(struct viewer *viewer, char *detail)
{
	viewer->detail = detail;
	*detail = 0;
	TELL_FACE(viewer, begin, viewer);
	TELL_FACE(viewer, line, FACE_CONNECTING, REASON_NONE);
	timer_arm(viewer->attempt, 0);
	timer_arm(viewer->meter, METER_MS);
	event_base_dispatch(viewer->base);
	return viewer->result;
}

int viewer_run(struct viewer *viewer, char detail[static VIEWER_DETAIL])
{
	int status = pins_read(viewer->dir, viewer->profile->access.key.public_id,
		&viewer->pin);
	if (status < 0)
		return status == -REASON_NOT_FOUND ? -REASON_NOT_PAIRED : status;
	return run(viewer, detail);
}

int viewer_pair(struct viewer *viewer, const struct ticket *ticket,
	char ret_host_name[static INNER_NAME_SIZE], char detail[static VIEWER_DETAIL])
{
	viewer->purpose = PROLOGUE_PAIRING;
	viewer->ticket = *ticket;
	viewer->result = -REASON_E2E_FAILED;
	int status = run(viewer, detail);
	if (!status)
		text_clip(ret_host_name, INNER_NAME_SIZE, viewer->paired_name);
	return status;
}

struct viewer *viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return NULL;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	drop_session(viewer);
	viewer->uplink = uplink_free(viewer->uplink);
	event_base_loop(viewer->base, EVLOOP_NONBLOCK);
	timer_free(viewer->attempt);
	timer_free(viewer->meter);
	timer_free(viewer->signals[0]);
	timer_free(viewer->signals[1]);
	viewer->identity = identity_free(viewer->identity);
	viewer->password = secret_free(viewer->password, VIEWER_SECRET);
	viewer->totp = secret_free(viewer->totp, VIEWER_SECRET);
	if (viewer->ready_fd >= 0)
		close(viewer->ready_fd);
	secret_wipe(viewer, sizeof(*viewer));
	free(viewer);
	return NULL;
}
