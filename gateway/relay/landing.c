#include "relay/landing.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "relay/crossing.h"
#include "relay/desk.h"
#include "relay/distrust.h"
#include "relay/guard.h"
#include "relay/leg.h"
#include "relay/lobby.h"
#include "rules/field.h"
#include "wire/frame.h"
#include "wire/message.h"

#define LANDING_MAGIC 0x6c616e64u
#define RETRY_SOON_MS 3000

/* What admission is asked; it outlives a landing whose conn has ended. */
struct question {
	struct desk *desk;
	struct landing *landing; /* NULL: nobody waits for the answer any more */
};

struct landing {
	uint32_t magic;
	uint8_t asked, over; /* PEER was heard; CLOSE is said */
	struct desk *desk;
	struct conn *conn;
	struct list node;
	char *via;
	int64_t hello_by_ms, login_by_ms, proved_ms;
	struct message_peer hello;
	struct question *question;
};

static const struct conn_events landing_events;

struct landing *landing_at(struct list *node)
{
	struct landing *landing = LIST_ENTRY(node, struct landing, node);
	CHECK_OBJ(landing, LANDING_MAGIC);
	return landing;
}

void landing_open(struct desk *desk, struct conn *conn, const char *node)
{
	struct landing *landing = calloc(1, sizeof(*landing));
	char *via = landing ? strdup(node) : NULL;
	if (!via) {
		guard_failed(desk->house->guard, conn->address, REASON_NO_MEMORY);
		conn_close(conn, REASON_NO_MEMORY, CONN_DROP);
		free(landing);
		return;
	}
	int64_t now_ms = clock_mono_ms();
	landing->magic = LANDING_MAGIC;
	landing->desk = desk;
	landing->conn = conn;
	landing->via = via;
	landing->hello_by_ms = now_ms + desk->settings.hello_ms;
	landing->login_by_ms = now_ms + desk->settings.login_ms;
	list_add_tail(&desk->landings, &landing->node);
	conn_listen(conn, &landing_events, landing);
	/* Its certificate is its proof; a node brings many viewers, and their limits were looked at there. */
	guard_trust(desk->house->guard, conn->address);
	guard_proved(desk->house->guard, conn->address);
	if (desk->closing)
		landing_refuse(landing, REASON_NODE_STOPPED, RETRY_SOON_MS, NULL);
	else
		landing_distrust(landing);
}

static void drop(struct landing *landing)
{
	list_remove(&landing->node);
	if (landing->question)
		landing->question->landing = NULL;
	landing->magic = 0;
	free(landing->via);
	free(landing);
}

static void on_closed(void *ctx, int reason)
{
	struct landing *landing = ctx;
	(void)reason;
	CHECK_OBJ(landing, LANDING_MAGIC);
	guard_left(landing->desk->house->guard, landing->conn->address);
	drop(landing);
}

static void on_room(void *ctx)
{
	(void)ctx;
}

void landing_refuse(struct landing *landing, int reason, int64_t retry_ms,
	const char *detail)
{
	struct message_close message = {.reason = (uint64_t)reason,
		.retry_ms = (uint64_t)(retry_ms > 0 ? retry_ms : 0)};
	struct buf out;
	CHECK_OBJ(landing, LANDING_MAGIC);
	if (landing->over)
		return;
	landing->over = 1;
	metrics_reason(METRIC_CONNECTS_REFUSED, reason);
	log_line(LOG_INFO, "refused", LOG_S("reason", reason_symbol(reason)),
		LOG_S("address", landing->hello.address),
		LOG_S("license", landing->hello.license), LOG_S("via", landing->via));
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	text_clip(message.detail, sizeof(message.detail), detail ? detail : "");
	buf_init(&out, FRAME_MAX);
	if (!message_close_write(&message, &out) &&
		!conn_write(landing->conn, buf_head(&out), buf_len(&out)))
		conn_close(landing->conn, reason, CONN_FLUSH);
	else
		conn_close(landing->conn, reason, CONN_DROP);
	buf_done(&out);
}

void landing_distrust(struct landing *landing)
{
	if (distrust_closes(landing->desk, landing->conn, landing->via))
		landing->over = 1;
}

void landing_tick(struct landing *landing, int64_t now_ms)
{
	if ((!landing->asked && now_ms >= landing->hello_by_ms) ||
		now_ms >= landing->login_by_ms)
		landing_refuse(landing, REASON_TIMEOUT, RETRY_SOON_MS, NULL);
}

/* ---- the viewer becomes a leg -------------------------------------------------------------- */

static int make_leg(struct landing *landing, const struct admission_verdict *verdict,
	struct leg **ret)
{
	const struct message_peer *said = &landing->hello;
	struct message_hello hello = {.app_min = said->app_min, .app_max = said->app_max};
	struct leg *leg;
	memcpy(hello.device, said->device, sizeof(hello.device));
	text_clip(hello.license, sizeof(hello.license), said->license);
	text_clip(hello.kind, sizeof(hello.kind), said->kind);
	text_clip(hello.program, sizeof(hello.program), said->program);
	text_clip(hello.name, sizeof(hello.name), said->name);
	int rc = leg_new(landing->desk, landing->conn, &hello, HELLO_VIEWER, verdict,
		&leg);
	if (rc)
		return rc;
	text_clip(leg->address, sizeof(leg->address), said->address);
	leg->proved_ms = landing->proved_ms;
	leg->resume_only = (int)said->resume_only;
	leg->via = landing->via;
	landing->via = NULL;
	*ret = leg;
	return 0;
}

static void let_in(struct landing *landing, const struct admission_verdict *verdict)
{
	struct desk *desk = landing->desk;
	struct leg *leg = NULL;
	int rc = -lobby_revoked(desk->house->lobby, landing->hello.license,
		verdict->tenant, landing->proved_ms);
	if (!rc && atomic_load(&desk->house->draining))
		rc = -REASON_DRAINING;
	if (!rc)
		rc = make_leg(landing, verdict, &leg);
	if (rc) {
		landing_refuse(landing, -rc, RETRY_SOON_MS, NULL);
		return;
	}
	struct conn *conn = landing->conn;
	log_line(LOG_INFO, "viewer carried here", LOG_S("leg", leg->id),
		LOG_S("via", leg->via), LOG_S("leg_there", landing->hello.leg));
	drop(landing);
	leg_enter(leg);
	/* Its CONNECT has come with PEER. */
	conn_resume(conn);
}

static void on_verdict(void *ctx, const struct admission_verdict *verdict)
{
	struct question *question = ctx;
	struct landing *landing = question->landing;
	question->desk->asked--;
	free(question);
	if (!landing)
		return;
	CHECK_OBJ(landing, LANDING_MAGIC);
	landing->question = NULL;
	if (landing->over)
		return;
	if (verdict->status)
		landing_refuse(landing, abs(verdict->status), verdict->retry_ms,
			verdict->detail);
	else
		let_in(landing, verdict);
}

static int ask(struct landing *landing)
{
	const struct message_peer *said = &landing->hello;
	struct admission_request *request = calloc(1, sizeof(*request));
	struct question *question = malloc(sizeof(*question));
	if (!request || !question) {
		free(request);
		free(question);
		return -REASON_NO_MEMORY;
	}
	*question = (struct question){landing->desk, landing};
	landing->question = question;
	request->side = HELLO_VIEWER;
	memcpy(request->device, said->device, sizeof(request->device));
	text_clip(request->license, sizeof(request->license), said->license);
	text_clip(request->kind, sizeof(request->kind), said->kind);
	text_clip(request->name, sizeof(request->name), said->name);
	text_clip(request->address, sizeof(request->address), said->address);
	landing->desk->asked++;
	admission_review(landing->desk->house->admission, request,
		desk_box(landing->desk), on_verdict, question);
	free(request);
	return 0;
}

/* ---- PEER -------------------------------------------------------------------------------- */

static int is_address(const char *text)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

/* A node's certificate is no reason to take for granted that its bytes make sense. */
static int judge(struct landing *landing)
{
	struct message_peer *said = &landing->hello;
	struct message_peer given = *said;
	if (said->gen != CROSSING_GEN)
		return -REASON_VERSION;
	if (!leg_is_license(said->license) || !is_address(said->address) ||
		said->app_min > said->app_max ||
		(strcmp(said->kind, "native") && strcmp(said->kind, "web")))
		return -REASON_BAD_MESSAGE;
	if (said->resume_only &&
		reason_parse(reason_symbol((int)said->resume_only)) == REASON_NONE)
		return -REASON_BAD_MESSAGE;
	field_plain(said->name, sizeof(said->name), given.name);
	field_plain(said->program, sizeof(said->program), given.program);
	field_plain(said->leg, sizeof(said->leg), given.leg);
	landing->proved_ms = clock_mono_ms() - (int64_t)said->proved_ms;
	return 0;
}

static int take_peer(struct landing *landing, const struct frame *frame)
{
	struct desk *desk = landing->desk;
	int rc = frame->type == FRAME_PEER
			 ? message_peer_parse(frame->payload, frame->len, &landing->hello)
			 : -REASON_PROTOCOL;
	if (!rc)
		rc = judge(landing);
	if (rc)
		metrics_reason(METRIC_PEERS_REFUSED, rc);
	if (!rc && atomic_load(&desk->house->draining))
		rc = -REASON_DRAINING;
	if (!rc && atomic_load(&desk->house->legs) >= desk->settings.legs)
		rc = -REASON_BUSY;
	if (rc)
		return rc;
	landing->asked = 1;
	/* What follows is the viewer's, and waits for its leg. */
	conn_pause(landing->conn);
	return ask(landing);
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct landing *landing = ctx;
	struct frame frame;
	CHECK_OBJ(landing, LANDING_MAGIC);
	if (landing->over)
		return len;
	int rc = frame_parse(bytes, len, &frame);
	if (!rc)
		return 0;
	if (rc > 0)
		rc = take_peer(landing, &frame);
	if (rc < 0) {
		landing_refuse(landing, -rc, RETRY_SOON_MS, NULL);
		return len;
	}
	return frame_size(&frame);
}

static const struct conn_events landing_events = {on_bytes, on_room, on_closed};
