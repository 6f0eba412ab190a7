/* tunnel_shake: from OPEN to "up": Noise, the pin, the fence, admission, pairing. */
#include <event2/event.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "e2e/identity.h"
#include "e2e/inner_payload.h"
#include "link/tunnel_inside.h"

static bool is_host(const struct tunnel *tunnel)
{
	return tunnel->config.side == SEAL_HOST;
}

/* What may be said to the node of a refusal before there are keys. */
static int told_of(int reason)
{
	switch (reason) {
	case REASON_TICKET_WRONG:
	case REASON_TICKET_USED:
	case REASON_TICKET_EXPIRED:
	case REASON_DEVICE_UNKNOWN:
	case REASON_DEVICE_REVOKED:
		return reason;
	default:
		return REASON_E2E_FAILED;
	}
}

/* A viewer's refusal says nothing in the clear; only the host has the exceptions. */
static void refuse(struct tunnel *tunnel, int reason)
{
	int told = is_host(tunnel) ? told_of(reason) : REASON_E2E_FAILED;
	tunnel_fail(tunnel, reason, told);
}

static int find_psk(void *ctx, const uint8_t *peer, uint8_t ret_psk[static INNER_KEY])
{
	struct tunnel *tunnel = ctx;
	if (!is_host(tunnel)) {
		memcpy(ret_psk, tunnel->config.psk, INNER_KEY);
		return 0;
	}
	if (!tunnel->events->find_psk)
		return -REASON_DEVICE_UNKNOWN;
	/* Another device may not take over a session that was up with this one. */
	if (tunnel->was_up && !secret_equal(peer, tunnel->peer_key, INNER_KEY))
		return -REASON_DEVICE_UNKNOWN;
	tunnel->psk_asked = true;
	struct tunnel_peer asked = tunnel->peer;
	asked.key = peer;
	return tunnel->events->find_psk(tunnel->ctx, &asked, ret_psk);
}

static void peer_begin(struct tunnel *tunnel)
{
	tunnel->peer = (struct tunnel_peer){
		.purpose = tunnel->prologue.purpose,
		.psk_kind = tunnel->prologue.psk,
		.ticket = tunnel->prologue.ticket_id,
		.key = tunnel->peer_key,
		.resumed = tunnel->was_up,
	};
}

static int send_message(struct tunnel *tunnel, const void *payload, size_t len)
{
	uint8_t bytes[NOISE_MESSAGE_MAX];
	size_t used;
	int rc = noise_write(tunnel->noise, payload, len, bytes, sizeof(bytes), &used);
	return rc ? rc : tunnel_raw(tunnel, bytes, used);
}

int tunnel_shake_begin(struct tunnel *tunnel)
{
	uint8_t prologue[PROLOGUE_SIZE];
	int rc = prologue_build(&tunnel->prologue, prologue);
	if (rc)
		return rc;
	struct noise_config config = {
		.protocol = NOISE_ENGAWA,
		.role = is_host(tunnel) ? NOISE_RESPONDER : NOISE_INITIATOR,
		.prologue = prologue,
		.prologue_len = sizeof(prologue),
		.static_private = identity_tunnel_private(tunnel->config.identity),
		.find_psk = find_psk,
		.context = tunnel,
		.rekey_every = tunnel->config.rekey_every,
	};
	rc = noise_new(&tunnel->noise, &config);
	if (rc)
		return rc;
	peer_begin(tunnel);
	tunnel->shake_step = 0;
	return is_host(tunnel) ? 0 : send_message(tunnel, NULL, 0);
}

/* The pin decision. Without it noise gives no keys, and nobody but the owner can make it. */
static int decide(struct tunnel *tunnel)
{
	const uint8_t *key = noise_peer(tunnel->noise);
	if (!key || (tunnel->was_up && !secret_equal(key, tunnel->peer_key, INNER_KEY)))
		return is_host(tunnel) ? -REASON_E2E_FAILED : -REASON_HOST_KEY_CHANGED;
	memcpy(tunnel->peer_key, key, INNER_KEY);
	int rc = tunnel->events->accept
			 ? tunnel->events->accept(tunnel->ctx, &tunnel->peer)
			 : -REASON_E2E_FAILED;
	if (tunnel->state != TUNNEL_SHAKING)
		return 0; /* the owner ended it in there */
	int noise = noise_decide(tunnel->noise, rc ? NOISE_DENY : NOISE_ALLOW);
	return rc ? rc : noise;
}

static int keys(struct tunnel *tunnel)
{
	struct noise_cipher *send, *receive;
	int rc = noise_finish(tunnel->noise, &send, &receive);
	if (!rc)
		rc = seal_new(&tunnel->seal, tunnel->config.side, send, receive);
	tunnel->noise = noise_free(tunnel->noise);
	if (!rc)
		tunnel->state = TUNNEL_ADMITTING;
	return rc;
}

static void say_viewer_hello(struct tunnel *tunnel)
{
	struct inner_message message = {.kind = INNER_VIEWER_HELLO};
	message.viewer_hello.fence = tunnel->fence;
	message.viewer_hello.wanted = tunnel->config.wanted;
	message.viewer_hello.features = tunnel->config.features;
	for (int lane = 0; lane < SEAL_LANES; lane++)
		message.viewer_hello.sequence[lane] = tunnel->lanes.in[lane].received;
	tunnel_flow_say(tunnel, &message);
}

/* <- e, ee, s, es */
static int viewer_second(struct tunnel *tunnel, const uint8_t *payload, size_t len)
{
	struct inner_payload_host host;
	uint8_t version, bytes[INNER_PAYLOAD_MAX];
	size_t used;
	int rc = inner_payload_parse_host(payload, len, &host);
	if (!rc)
		rc = prologue_version(&tunnel->prologue, &version);
	if (rc)
		return rc;
	if (host.version != version)
		return -REASON_VERSION;
	rc = decide(tunnel);
	if (rc || tunnel->state != TUNNEL_SHAKING)
		return rc;
	struct inner_payload_viewer viewer = {
		.class = INNER_NATIVE,
		.wanted = tunnel->config.wanted,
	};
	memcpy(viewer.user, tunnel->config.user, sizeof(viewer.user));
	memcpy(viewer.device, tunnel->config.device, sizeof(viewer.device));
	rc = inner_payload_pack_viewer(&viewer, bytes, &used);
	if (!rc)
		rc = send_message(tunnel, bytes, used);
	if (!rc)
		rc = keys(tunnel);
	if (rc)
		return rc;
	tunnel_deadline(tunnel, TUNNEL_VERDICT_MS);
	say_viewer_hello(tunnel);
	return 0;
}

/* -> e */
static int host_first(struct tunnel *tunnel, size_t len)
{
	struct inner_payload_host host;
	uint8_t bytes[INNER_PAYLOAD_MAX];
	size_t used;
	if (len) /* p1 is empty: nobody has proved anything, so nothing is read */
		return -REASON_E2E_FAILED;
	int rc = prologue_version(&tunnel->prologue, &host.version);
	if (!rc)
		rc = inner_payload_pack_host(&host, bytes, &used);
	return rc ? rc : send_message(tunnel, bytes, used);
}

/* -> s, se, psk */
static int host_third(struct tunnel *tunnel, const uint8_t *payload, size_t len)
{
	struct inner_payload_viewer viewer;
	int rc = inner_payload_parse_viewer(payload, len, &viewer);
	if (rc)
		return rc;
	memcpy(tunnel->peer.user, viewer.user, sizeof(tunnel->peer.user));
	memcpy(tunnel->peer.device, viewer.device, sizeof(tunnel->peer.device));
	tunnel->peer.class = viewer.class;
	tunnel->peer.wanted = viewer.wanted;
	rc = decide(tunnel);
	if (rc || tunnel->state != TUNNEL_SHAKING)
		return rc;
	return keys(tunnel);
}

/* Message 3 asked for the psk of a ticket and then did not verify: somebody guessed. */
static bool was_guess(const struct tunnel *tunnel)
{
	return is_host(tunnel) && tunnel->psk_asked &&
	       tunnel->prologue.purpose == PROLOGUE_PAIRING;
}

void tunnel_shake_message(struct tunnel *tunnel, const uint8_t *bytes, size_t len)
{
	uint8_t payload[NOISE_MESSAGE_MAX];
	size_t used;
	bool first = tunnel->shake_step++ == 0;
	int rc = noise_read(tunnel->noise, bytes, len, payload, sizeof(payload), &used);
	if (rc == -REASON_E2E_FAILED && was_guess(tunnel)) {
		if (tunnel->events->guessed)
			tunnel->events->guessed(tunnel->ctx, tunnel->prologue.ticket_id);
		tunnel_fail(tunnel, REASON_TICKET_WRONG, REASON_E2E_FAILED);
		return;
	}
	if (!rc && !is_host(tunnel))
		rc = viewer_second(tunnel, payload, used);
	else if (!rc && first)
		rc = host_first(tunnel, used);
	else if (!rc)
		rc = host_third(tunnel, payload, used);
	secret_wipe(payload, sizeof(payload));
	if (rc == -REASON_LEG_CLOSED || rc == -REASON_LIMIT)
		return; /* the carrier is going down and will say so */
	if (rc)
		refuse(tunnel, -rc);
}

static int agreed(struct tunnel *tunnel, uint64_t fence, const uint64_t *sequence)
{
	if (fence != tunnel->fence)
		return -REASON_FENCE_STALE;
	int rc = lanes_rewind(&tunnel->lanes, sequence);
	if (!rc)
		return 0;
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		if (sequence[lane])
			return -REASON_E2E_FAILED;
	}
	return -REASON_GRACE_OVER; /* the other end began anew: it has no session to go on with */
}

static void up(struct tunnel *tunnel, const struct tunnel_up *told)
{
	struct tunnel_up now = *told;
	now.resumed = tunnel->was_up;
	now.fence = tunnel->fence;
	now.peer_key = tunnel->peer_key;
	now.handshake_us = clock_mono_us() - tunnel->shake_us;
	if (prologue_version(&tunnel->prologue, &now.version))
		now.version = 0;
	tunnel->resumes += tunnel->was_up;
	tunnel->was_up = true;
	tunnel->state = TUNNEL_UP;
	tunnel_deadline(tunnel, 0);
	tunnel_flow_begin(tunnel);
	if (tunnel->state == TUNNEL_UP && tunnel->events->up)
		tunnel->events->up(tunnel->ctx, &now);
	if (tunnel->state == TUNNEL_UP)
		tunnel_flow_push(tunnel);
}

static void on_hello_ok(struct tunnel *tunnel, const struct inner_hello_ok *ok)
{
	int rc = agreed(tunnel, ok->fence, ok->sequence);
	if (rc) {
		tunnel_fail(tunnel, -rc, REASON_E2E_FAILED);
		return;
	}
	struct tunnel_up told = {
		.rights = ok->granted & tunnel->config.wanted,
		.features = ok->features & tunnel->config.features,
		.width = ok->width,
		.height = ok->height,
	};
	memcpy(told.peer_name, ok->host_name, sizeof(told.peer_name));
	if (tunnel->prologue.purpose == PROLOGUE_SESSION) {
		up(tunnel, &told);
		return;
	}
	tunnel->state = TUNNEL_UP; /* a pairing has no lanes; PAIRED is due */
	tunnel_deadline(tunnel, TUNNEL_HANDSHAKE_MS);
}

static void on_viewer_hello(struct tunnel *tunnel, const struct inner_viewer_hello *hello)
{
	if (hello->fence != tunnel->fence) {
		tunnel_fail(tunnel, REASON_FENCE_STALE, REASON_E2E_FAILED);
		return;
	}
	tunnel->hello = *hello;
	tunnel->hello_read = true;
	tunnel->peer.wanted &= hello->wanted;
	/* From here it may take as long as a person at the office needs to answer. */
	tunnel_deadline(tunnel, TUNNEL_VERDICT_MS);
	if (tunnel->events->admit)
		tunnel->events->admit(tunnel->ctx, &tunnel->peer);
	else
		tunnel_shake_admit(tunnel, REASON_FORBIDDEN, NULL);
}

void tunnel_shake_control(struct tunnel *tunnel, const struct inner_message *message)
{
	if (message->kind == INNER_VIEWER_HELLO && is_host(tunnel) && !tunnel->hello_read)
		on_viewer_hello(tunnel, &message->viewer_hello);
	else if (message->kind == INNER_HELLO_OK && !is_host(tunnel))
		on_hello_ok(tunnel, &message->hello_ok);
	else if (message->kind == INNER_DENY && !is_host(tunnel) &&
		 message->deny.reason != REASON_NONE)
		tunnel_end(tunnel, message->deny.reason, TUNNEL_THEIRS);
	else
		tunnel_fail(tunnel, REASON_PROTOCOL, REASON_E2E_FAILED);
}

static void say_hello_ok(struct tunnel *tunnel)
{
	struct inner_message message = {.kind = INNER_HELLO_OK};
	struct inner_hello_ok *ok = &message.hello_ok;
	ok->fence = tunnel->fence;
	ok->granted = tunnel->grant.rights;
	ok->features = tunnel->config.features;
	ok->width = tunnel->grant.width;
	ok->height = tunnel->grant.height;
	for (int lane = 0; lane < SEAL_LANES; lane++)
		ok->sequence[lane] = tunnel->lanes.in[lane].received;
	memcpy(ok->host_name, tunnel->grant.host_name, sizeof(ok->host_name));
	tunnel_flow_say(tunnel, &message);
}

static void say_paired(struct tunnel *tunnel)
{
	struct inner_message message = {.kind = INNER_PAIRED};
	tunnel->state = TUNNEL_UP;
	tunnel_deadline(tunnel, TUNNEL_HANDSHAKE_MS);
	memcpy(message.paired.pair_psk, tunnel->grant.pair_psk, INNER_KEY);
	memcpy(message.paired.host_name, tunnel->grant.host_name,
		sizeof(message.paired.host_name));
	tunnel_flow_say(tunnel, &message);
	secret_wipe(&message, sizeof(message));
}

static void admitted(struct tunnel *tunnel)
{
	int rc = agreed(tunnel, tunnel->hello.fence, tunnel->hello.sequence);
	if (rc) {
		tunnel_fail(tunnel, -rc, REASON_E2E_FAILED);
		return;
	}
	say_hello_ok(tunnel);
	if (tunnel->state != TUNNEL_ADMITTING)
		return;
	if (tunnel->prologue.purpose == PROLOGUE_PAIRING) {
		say_paired(tunnel);
		return;
	}
	struct tunnel_up told = {
		.rights = tunnel->grant.rights,
		.features = tunnel->hello.features & tunnel->config.features,
		.width = tunnel->grant.width,
		.height = tunnel->grant.height,
	};
	memcpy(told.peer_name, tunnel->peer.device, sizeof(told.peer_name));
	up(tunnel, &told);
}

void tunnel_shake_admit(struct tunnel *tunnel, int reason,
	const struct tunnel_grant *grant)
{
	tunnel_enter(tunnel);
	if (tunnel->state == TUNNEL_ADMITTING && is_host(tunnel) && tunnel->hello_read) {
		if (reason) {
			tunnel_close(tunnel, reason);
		} else {
			tunnel->grant = *grant;
			/* The viewer cannot be given what it did not ask for. */
			tunnel->grant.rights &= tunnel->peer.wanted;
			admitted(tunnel);
		}
	}
	tunnel_leave(tunnel);
}

static void paired_fill(const struct tunnel *tunnel, struct tunnel_paired *ret)
{
	ret->peer_key = tunnel->peer_key;
	ret->ticket = tunnel->prologue.ticket_id;
	ret->class = tunnel->peer.class;
	ret->wanted = tunnel->peer.wanted;
	memcpy(ret->user, tunnel->peer.user, sizeof(ret->user));
	memcpy(ret->device, tunnel->peer.device, sizeof(ret->device));
}

static void on_paired(struct tunnel *tunnel, const struct inner_paired *paired)
{
	struct tunnel_paired told = {0};
	paired_fill(tunnel, &told);
	memcpy(told.pair_psk, paired->pair_psk, INNER_KEY);
	memcpy(told.host_name, paired->host_name, sizeof(told.host_name));
	int rc = tunnel->events->paired ? tunnel->events->paired(tunnel->ctx, &told)
					: -REASON_INTERNAL;
	secret_wipe(&told, sizeof(told));
	struct inner_message message = {.kind = INNER_PAIRED_OK};
	if (rc)
		tunnel_close(tunnel, -rc);
	else
		tunnel_flow_say(tunnel, &message);
}

/* The host's sealed CLOSE(VIEWER_LEFT) tells the viewer that its device is authorised. */
static void on_paired_ok(struct tunnel *tunnel)
{
	struct tunnel_paired told = {0};
	paired_fill(tunnel, &told);
	memcpy(told.pair_psk, tunnel->grant.pair_psk, INNER_KEY);
	int rc = tunnel->events->paired ? tunnel->events->paired(tunnel->ctx, &told)
					: -REASON_INTERNAL;
	secret_wipe(&told, sizeof(told));
	tunnel_close(tunnel, rc ? -rc : REASON_VIEWER_LEFT);
}

void tunnel_shake_pairing(struct tunnel *tunnel, const struct inner_message *message)
{
	if (tunnel->prologue.purpose != PROLOGUE_PAIRING)
		tunnel_fail(tunnel, REASON_PROTOCOL, REASON_E2E_FAILED);
	else if (message->kind == INNER_PAIRED)
		on_paired(tunnel, &message->paired);
	else
		on_paired_ok(tunnel);
}
