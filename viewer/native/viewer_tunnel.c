/* viewer_tunnel: the session with the office PC, over one leg after the other. */
#include "viewer_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/license_id.h"
#include "e2e/pin_rules.h"
#include "link/bridge.h"
#include "link/clip_lane.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "profile.h"

/* A session that was up waits so long for its other end; the host keeps it for its own grace time. */
#define GRACE_MS 60000

void viewer_tunnel_drop(struct viewer *viewer)
{
	int had_stream = viewer->bridge && bridge_has_stream(viewer->bridge);
	viewer->clip = clip_lane_free(viewer->clip);
	viewer->bridge = bridge_free(viewer->bridge);
	viewer->tunnel = tunnel_free(viewer->tunnel);
	viewer->has_session = viewer->up = 0;
	/* Else the face would take the next session's for a second one. */
	if (had_stream && !viewer->finished)
		TELL_FACE(viewer, stream_closed, REASON_LEG_CLOSED);
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
	case INNER_MONITORS:
		TELL_FACE(viewer, monitors, &message->monitors.rects);
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

void viewer_tunnel_receipt(struct viewer *viewer, int reason)
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
	int paired = viewer_is_paired(viewer, reason);
	viewer_tunnel_receipt(viewer, reason);
	/* A wrong code and a disturbed handshake look alike; when pairing the code is the likely one. */
	if (viewer->purpose == PROLOGUE_PAIRING && reason == REASON_E2E_FAILED)
		reason = REASON_TICKET_WRONG;
	viewer_tunnel_drop(viewer);
	if (viewer->uplink)
		uplink_leave(viewer->uplink, paired ? REASON_VIEWER_LEFT : reason);
	if (paired || (how == TUNNEL_OURS && viewer->finished)) {
		viewer->finished = 1;
		return;
	}
	if (!viewer->was_up || !viewer_line_passes(reason)) {
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

int viewer_tunnel_new(struct viewer *viewer)
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
		viewer_tunnel_drop(viewer);
	return status;
}
