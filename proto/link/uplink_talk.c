/* uplink_talk: the conversation with a node: HELLO to WELCOME, then the frames of the leg. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "e2e/identity.h"
#include "link/uplink_inside.h"
#include "wire/proof.h"

int uplink_talk_send(struct uplink *uplink, const struct buf *frame)
{
	uint8_t *place;
	if (!uplink->tls)
		return -REASON_LEG_CLOSED;
	int rc = uplink_tls_reserve(uplink->tls, buf_len(frame), &place);
	if (rc)
		return rc;
	memcpy(place, buf_head(frame), buf_len(frame));
	uplink_tls_commit(uplink->tls, buf_len(frame));
	return 0;
}

static void send_or_fail(struct uplink *uplink, int rc, const struct buf *frame)
{
	if (!rc)
		rc = uplink_talk_send(uplink, frame);
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
}

void uplink_talk_begin(struct uplink *uplink)
{
	struct message_hello hello = {
		.gen_min = HELLO_GEN_MIN,
		.gen_max = HELLO_GEN,
		.app_min = HELLO_APP_MIN,
		.app_max = HELLO_APP,
	};
	struct buf frame CLEANUP(buf_done);
	buf_init(&frame, FRAME_HEADER + FRAME_CONTROL_MAX);
	text_clip(hello.side, sizeof(hello.side), hello_side_name(uplink->side));
	license_key_id(uplink->license, hello.license);
	memcpy(hello.device, identity_sign_public(uplink->identity),
		sizeof(hello.device));
	text_clip(hello.kind, sizeof(hello.kind), uplink->kind);
	text_clip(hello.program, sizeof(hello.program), uplink->program);
	text_clip(hello.name, sizeof(hello.name), uplink->name);
	text_clip(hello.unreached, sizeof(hello.unreached), uplink->unreached);
	uplink->state = HELLO_ASKED;
	uplink_wait(uplink, UPLINK_CHALLENGE_MS);
	send_or_fail(uplink, message_hello_write(&hello, &frame), &frame);
}

/* "3 h 12 min behind", "11 min ahead": how this machine's clock stands to the node's. */
static void skew_in_words(int64_t skew_ms, char *ret, size_t size)
{
	int64_t off = (skew_ms < 0 ? -skew_ms : skew_ms) / 1000;
	const char *way = skew_ms > 0 ? "behind" : "ahead";
	/* The way of the answer is in it: two days less a moment are two days. */
	if (off >= 3600)
		off += 30;
	if (off >= 2 * 86400)
		snprintf(ret, size, "%ld days %s", (long)(off / 86400), way);
	else if (off >= 3600)
		snprintf(ret, size, "%ld h %ld min %s", (long)(off / 3600),
			(long)(off % 3600 / 60), way);
	else if (off >= 60)
		snprintf(ret, size, "%ld min %s", (long)(off / 60), way);
	else
		snprintf(ret, size, "%ld s %s", (long)off, way);
}

static bool clock_is_off(const struct uplink *uplink, int64_t most_ms)
{
	return uplink->clock_skew_ms > most_ms || uplink->clock_skew_ms < -most_ms;
}

/* Nobody here can know which of the two is right: both are said. */
static void clocks_in_words(const struct uplink *uplink, char *ret, size_t size)
{
	char ours[CLOCK_TEXT], theirs[CLOCK_TEXT], skew[64];
	int64_t now_ms = clock_wall_ms();
	skew_in_words(uplink->clock_skew_ms, skew, sizeof(skew));
	clock_text(now_ms, ours);
	clock_text(now_ms + uplink->clock_skew_ms, theirs);
	snprintf(ret, size, "this machine's clock says %s, the gateway's %s: it is %s",
		ours, theirs, skew);
}

static void blame_clock(struct uplink *uplink, const char *dates)
{
	char detail[UPLINK_DETAIL], clocks[200];
	clocks_in_words(uplink, clocks, sizeof(clocks));
	snprintf(detail, sizeof(detail), "%s%s%.100s%s", clocks, dates ? " (" : "",
		dates ? dates : "", dates ? ")" : "");
	uplink_reach_failed(uplink, REASON_CLOCK_OFF, detail);
}

/* The certificate's dates did not fit: the node's clock tells whose fault that is. Nothing that is
 * worth stealing has been said so far, and nothing will. */
static void blame_dates(struct uplink *uplink)
{
	if (clock_is_off(uplink, UPLINK_CLOCK_FAR_MS))
		blame_clock(uplink, uplink_tls_date(uplink->tls));
	else
		uplink_reach_failed(uplink, REASON_TLS_UNTRUSTED,
			uplink_tls_date(uplink->tls));
}

static int fill_prove(struct uplink *uplink, struct message_prove *prove)
{
	const struct uplink_secrets *secrets = uplink->secrets;
	uint8_t exporter[PROOF_EXPORTER], bytes[PROOF_BYTES_MAX];
	size_t len;
	int rc = uplink_tls_exporter(uplink->tls, exporter);
	if (rc)
		return rc;
	struct proof proof = {
		.nonce = uplink->challenge.nonce,
		.side = uplink->side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.license = uplink->license,
		.node = uplink->challenge.node,
		.exporter = exporter,
	};
	rc = proof_bytes(&proof, bytes, &len);
	if (!rc)
		rc = identity_sign(uplink->identity, bytes, len, prove->signature);
	memcpy(prove->secret, secrets->secret, sizeof(prove->secret));
	text_clip(prove->password, sizeof(prove->password), secrets->password);
	text_clip(prove->totp, sizeof(prove->totp), secrets->totp);
	text_clip(prove->join, sizeof(prove->join), secrets->join);
	prove->enrol = uplink->enrol == UPLINK_ENROL;
	/* Too long an inventory is the host's, not the user's, problem: it can REPORT a shorter one. */
	if (!rc && uplink->inventory &&
		strlen(uplink->inventory) < sizeof(prove->inventory))
		text_clip(prove->inventory, sizeof(prove->inventory), uplink->inventory);
	return rc;
}

static void on_challenge(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	int rc = message_challenge_parse(payload, len, &uplink->challenge);
	if (!rc)
		rc = hello_generation(uplink->challenge.gen, uplink->challenge.gen);
	if (rc < 0) {
		uplink_reach_failed(uplink, -rc, NULL);
		return;
	}
	uplink->clock_skew_ms = (int64_t)uplink->challenge.time_ms - clock_wall_ms();
	if (uplink_tls_date(uplink->tls)) {
		blame_dates(uplink);
		return;
	}
	if (clock_is_off(uplink, UPLINK_CLOCK_USELESS_MS)) {
		blame_clock(uplink, NULL);
		return;
	}
	struct message_prove prove = {0};
	struct buf frame CLEANUP(buf_done);
	buf_init(&frame, FRAME_HEADER + FRAME_CONTROL_MAX);
	uplink->state = HELLO_PROVING;
	uplink_wait(uplink, UPLINK_VERDICT_MS);
	rc = fill_prove(uplink, &prove);
	if (!rc)
		rc = message_prove_write(&prove, &frame);
	secret_wipe(&prove, sizeof(prove));
	send_or_fail(uplink, rc, &frame);
}

static void on_welcome(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_welcome welcome;
	int rc = message_welcome_parse(payload, len, &welcome);
	if (rc) {
		uplink_reach_failed(uplink, -rc, NULL);
		return;
	}
	uplink->state = HELLO_IDLE;
	uplink_wait(uplink, 0);
	uplink_forget_secrets(uplink);
	int64_t interval = (int64_t)welcome.keepalive_ms;
	keepalive_start(&uplink->keepalive, interval >= 50 ? interval : KEEPALIVE_MS,
		clock_mono_ms());
	uplink_talk_heartbeat(uplink);
	if (uplink->alive && uplink->events->welcome)
		uplink->events->welcome(uplink->ctx, &welcome);
}

/* Refusals that say something about this node at this moment, not about us. */
static bool worth_another_node(uint64_t reason)
{
	switch (reason) {
	case REASON_BUSY:
	case REASON_DRAINING:
	case REASON_NODE_STOPPED:
	case REASON_STORE_UNAVAILABLE:
	case REASON_THROTTLED:
	case REASON_TIMEOUT:
	case REASON_VERSION:
	case REASON_PROTOCOL:
	case REASON_BAD_MESSAGE:
	case REASON_INTERNAL:
	case REASON_RECORDING_FAILED:
	case REASON_NO_MEMORY:
	case REASON_LIMIT:
	case REASON_DIRECTORY_UNREACHABLE:
		return true;
	default:
		return false;
	}
}

static bool redirect(struct uplink *uplink, const struct message_refused *refused)
{
	struct text_endpoint to;
	if (!refused->redirect[0] || uplink->redirects >= UPLINK_REDIRECTS ||
		text_endpoint(&to, refused->redirect, 0) || !to.host[0] || !to.port)
		return false;
	text_clip(uplink->secrets->join, sizeof(uplink->secrets->join), refused->join);
	uplink_reach_redirect(uplink, &to);
	return true;
}

static void on_refused(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_refused refused;
	int rc = message_refused_parse(payload, len, &refused);
	if (!rc && refused.reason == REASON_NONE)
		rc = -REASON_BAD_MESSAGE; /* no refusal: the owner would take it for success */
	if (rc) {
		uplink_reach_failed(uplink, -rc, NULL);
		return;
	}
	if (redirect(uplink, &refused))
		return;
	struct uplink_down why = {
		.reason = (int)refused.reason,
		.retry_ms = (int64_t)refused.retry_ms,
		.gateway = uplink->now,
		.told = 1,
	};
	text_clip(why.detail, sizeof(why.detail), refused.detail);
	/* One-time codes are made from the clock: the likeliest cause, and one the user can mend. */
	if (why.reason == REASON_TOTP_WRONG && clock_is_off(uplink, UPLINK_TOTP_FAR_MS)) {
		clocks_in_words(uplink, why.detail, sizeof(why.detail));
	}
	if (worth_another_node(refused.reason))
		uplink_failed(uplink, &why);
	else
		uplink_down_now(uplink, &why);
}

static void on_open(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_open open;
	int rc = message_open_parse(payload, len, &open);
	if (rc) {
		uplink_reach_failed(uplink, -rc, NULL);
		return;
	}
	uplink->state = HELLO_JOINED;
	memcpy(uplink->session, open.session, sizeof(uplink->session));
	if (uplink->events->open)
		uplink->events->open(uplink->ctx, &open);
}

static void on_close(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_close close;
	int rc = message_close_parse(payload, len, &close);
	if (!rc && close.reason == REASON_NONE)
		rc = -REASON_BAD_MESSAGE;
	if (rc) {
		uplink_reach_failed(uplink, -rc, NULL);
		return;
	}
	if (close.session[0]) {
		/* Both may close at once: the late one finds no session, which is what it wanted. */
		bool ours =
			uplink->state == HELLO_JOINED || uplink->state == HELLO_WAITING;
		if (ours)
			uplink->state = HELLO_IDLE;
		if (ours && uplink->events->close)
			uplink->events->close(uplink->ctx, &close);
		return;
	}
	struct uplink_down why = {
		.reason = (int)close.reason,
		.retry_ms = (int64_t)close.retry_ms,
		.gateway = uplink->now,
		.told = 1,
	};
	text_clip(why.detail, sizeof(why.detail), close.detail);
	uplink_down_now(uplink, &why);
}

static void on_notice(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_notice notice;
	int rc = message_notice_parse(payload, len, &notice);
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
	else if (uplink->events->notice)
		uplink->events->notice(uplink->ctx, &notice);
}

static void on_policy(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_policy message;
	int rc = message_policy_parse(payload, len, &message);
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
	else if (uplink->state == HELLO_JOINED && uplink->events->policy &&
		 !memcmp(message.session, uplink->session, sizeof(message.session)))
		uplink->events->policy(uplink->ctx, message.policy);
}

static void on_notices(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct message_notices message;
	int rc = message_notices_parse(payload, len, &message);
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
	else if (uplink->events->notices)
		uplink->events->notices(uplink->ctx, message.notices);
}

static void on_ping(struct uplink *uplink, const uint8_t *payload, size_t len)
{
	struct buf frame CLEANUP(buf_done);
	buf_init(&frame, 64);
	send_or_fail(uplink, message_raw_write(FRAME_PONG, payload, len, &frame), &frame);
}

static void on_frame(struct uplink *uplink, const struct frame *frame)
{
	const uint8_t *payload = frame->payload;
	switch (frame->type) {
	case FRAME_DATA:
		/* The last records of a session that we have just closed. */
		if (uplink->state == HELLO_JOINED && uplink->events->data)
			uplink->events->data(uplink->ctx, (uint8_t *)payload, frame->len);
		break;
	case FRAME_CHALLENGE:
		on_challenge(uplink, payload, frame->len);
		break;
	case FRAME_WELCOME:
		on_welcome(uplink, payload, frame->len);
		break;
	case FRAME_REFUSED:
		on_refused(uplink, payload, frame->len);
		break;
	case FRAME_OPEN:
		on_open(uplink, payload, frame->len);
		break;
	case FRAME_CLOSE:
		on_close(uplink, payload, frame->len);
		break;
	case FRAME_NOTICE:
		on_notice(uplink, payload, frame->len);
		break;
	case FRAME_POLICY:
		on_policy(uplink, payload, frame->len);
		break;
	case FRAME_NOTICES:
		on_notices(uplink, payload, frame->len);
		break;
	case FRAME_PING:
		on_ping(uplink, payload, frame->len);
		break;
	case FRAME_PONG:
		if (frame->len == 8)
			keepalive_pong(&uplink->keepalive, clock_mono_us(), payload);
		break;
	default:
		break;
	}
}

size_t uplink_talk_bytes(struct uplink *uplink, uint8_t *bytes, size_t len)
{
	size_t used = 0;
	struct uplink_tls *tls = uplink->tls;
	keepalive_heard(&uplink->keepalive, clock_mono_ms());
	while (used < len) {
		struct frame frame;
		int rc = frame_parse(bytes + used, len - used, &frame);
		if (!rc)
			break;
		if (rc < 0 || (!uplink->leaving && !hello_node_may(uplink->side,
							   uplink->state, frame.type))) {
			uplink_reach_failed(uplink, REASON_PROTOCOL, NULL);
			break;
		}
		used += frame_size(&frame);
		if (!uplink->leaving)
			on_frame(uplink, &frame);
		if (!uplink->alive || uplink->tls != tls)
			break;
	}
	return used;
}

static void ping(struct uplink *uplink)
{
	uint8_t payload[8];
	struct buf frame CLEANUP(buf_done);
	buf_init(&frame, 64);
	keepalive_ping(&uplink->keepalive, clock_mono_us(), payload);
	send_or_fail(uplink,
		message_raw_write(FRAME_PING, payload, sizeof(payload), &frame), &frame);
}

void uplink_talk_heartbeat(struct uplink *uplink)
{
	int64_t wait;
	if (!uplink->alive || uplink->leaving)
		return;
	enum keepalive_verdict due =
		keepalive_due(&uplink->keepalive, clock_mono_ms(), &wait);
	if (due == KEEPALIVE_DEAD) {
		uplink_reach_failed(uplink, REASON_KEEPALIVE_TIMEOUT, NULL);
		return;
	}
	if (due == KEEPALIVE_PING) {
		ping(uplink);
		due = keepalive_due(&uplink->keepalive, clock_mono_ms(), &wait);
	}
	if (!uplink->alive)
		return;
	struct timeval timeout = {wait / 1000, wait % 1000 * 1000};
	evtimer_add(uplink->heartbeat, &timeout);
}
