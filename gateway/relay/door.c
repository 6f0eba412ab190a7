#include "relay/door.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "relay/desk.h"
#include "relay/elsewhere.h"
#include "relay/guard.h"
#include "relay/leg.h"
#include "relay/lobby.h"
#include "relay/notices.h"
#include "rules/field.h"
#include "wire/frame.h"
#include "wire/hello.h"
#include "wire/message.h"

#define DOOR_MAGIC 0x646f6f72u
#define HELLO_MAX 4096
#define RETRY_SOON_MS 3000
#define SEND_ON_RETRY_MS                                                                 \
	1 /* who cannot follow a redirect a second time comes back at once */

/* What admission is asked; it outlives a door whose conn has ended. */
struct question {
	struct desk *desk;
	struct door *door; /* NULL: nobody waits for the answer any more */
};

/* A viewer or host that was let in, on its way to its leg; it outlives a door whose conn has ended. */
struct arrival {
	struct desk *desk;
	struct door *door; /* NULL: its conn has ended */
	struct leg *leg;
	struct whereabouts at; /* of its host, when that is elsewhere */
	struct message_welcome welcome;
};

struct door {
	uint32_t magic;
	uint8_t state; /* enum hello_state, up to HELLO_PROVING */
	uint8_t over;  /* REFUSED is said */
	uint8_t side;
	struct desk *desk;
	struct conn *conn;
	struct list node;
	int reason;
	int64_t hello_by_ms, login_by_ms, proved_ms, proved_us;
	struct message_hello hello;
	uint8_t nonce[32];
	struct question *question;
	struct arrival *arrival;
};

static const struct conn_events door_events;

struct door *door_at(struct list *node)
{
	struct door *door = LIST_ENTRY(node, struct door, node);
	CHECK_OBJ(door, DOOR_MAGIC);
	return door;
}

void door_open(struct desk *desk, struct conn *conn)
{
	struct door *door = calloc(1, sizeof(*door));
	if (!door) {
		guard_failed(desk->house->guard, conn->address, REASON_NO_MEMORY);
		conn_close(conn, REASON_NO_MEMORY, CONN_DROP);
		return;
	}
	int64_t now_ms = clock_mono_ms();
	door->magic = DOOR_MAGIC;
	door->state = HELLO_FRESH;
	door->desk = desk;
	door->conn = conn;
	door->hello_by_ms = now_ms + desk->settings.hello_ms;
	door->login_by_ms = now_ms + desk->settings.login_ms;
	list_add_tail(&desk->doors, &door->node);
	conn_listen(conn, &door_events, door);
	if (desk->closing)
		door_refuse(door, REASON_NODE_STOPPED, RETRY_SOON_MS, NULL);
}

static void drop(struct door *door)
{
	list_remove(&door->node);
	if (door->question)
		door->question->door = NULL;
	if (door->arrival)
		door->arrival->door = NULL;
	door->magic = 0;
	free(door);
}

static void on_closed(void *ctx, int reason)
{
	struct door *door = ctx;
	CHECK_OBJ(door, DOOR_MAGIC);
	guard_failed(door->desk->house->guard, door->conn->address,
		door->over ? door->reason : reason);
	drop(door);
}

static void on_room(void *ctx)
{
	(void)ctx;
}

static void refuse(struct door *door, struct message_refused *refused)
{
	struct buf out;
	int reason = (int)refused->reason;
	CHECK_OBJ(door, DOOR_MAGIC);
	if (door->over)
		return;
	door->over = 1;
	door->reason = reason;
	metrics_reason(METRIC_REFUSALS, reason);
	log_line(LOG_INFO, "refused", LOG_S("reason", reason_symbol(reason)),
		LOG_S("address", door->conn->address),
		LOG_S("license", door->hello.license), LOG_S("side", door->hello.side));
	text_clip(refused->symbol, sizeof(refused->symbol), reason_symbol(reason));
	buf_init(&out, FRAME_MAX);
	if (!message_refused_write(refused, &out) &&
		!conn_write(door->conn, buf_head(&out), buf_len(&out)))
		conn_close(door->conn, reason, CONN_FLUSH);
	else
		conn_close(door->conn, reason, CONN_DROP);
	buf_done(&out);
}

void door_refuse(struct door *door, int reason, int64_t retry_ms, const char *detail)
{
	struct message_refused refused = {.reason = (uint64_t)reason,
		.retry_ms = (uint64_t)(retry_ms > 0 ? retry_ms : 0)};
	text_clip(refused.detail, sizeof(refused.detail), detail ? detail : "");
	refuse(door, &refused);
}

void door_tick(struct door *door, int64_t now_ms)
{
	if (door->over)
		return;
	if ((door->state == HELLO_FRESH && now_ms >= door->hello_by_ms) ||
		now_ms >= door->login_by_ms)
		door_refuse(door, REASON_TIMEOUT, 0, NULL);
}

/* ---- HELLO ------------------------------------------------------------------------------- */

static int judge_hello(struct door *door, int *ret_generation)
{
	struct message_hello *hello = &door->hello;
	enum hello_side side;
	if (hello_side_parse(hello->side, &side) || !leg_is_license(hello->license) ||
		hello->app_min > hello->app_max || hello->gen_min > hello->gen_max)
		return -REASON_BAD_MESSAGE;
	if (strcmp(hello->kind, "native") && strcmp(hello->kind, "web"))
		return -REASON_BAD_MESSAGE;
	if (hello->app_max < HELLO_APP_MIN)
		return -REASON_VERSION;
	int generation = hello_generation(hello->gen_min, hello->gen_max);
	if (generation < 0)
		return generation;
	/* Names come from machines we know nothing of and are shown to people. */
	struct message_hello given = *hello;
	field_plain(hello->name, sizeof(hello->name), given.name);
	field_plain(hello->program, sizeof(hello->program), given.program);
	door->side = (uint8_t)side;
	*ret_generation = generation;
	return 0;
}

static int send_challenge(struct door *door, int generation)
{
	struct message_challenge challenge = {
		.gen = (uint64_t)generation, .time_ms = (uint64_t)clock_wall_ms()};
	struct buf out;
	int rc = secret_random(door->nonce, sizeof(door->nonce));
	if (rc)
		return rc;
	memcpy(challenge.nonce, door->nonce, sizeof(door->nonce));
	text_clip(challenge.node, sizeof(challenge.node), door->desk->house->node);
	buf_init(&out, FRAME_MAX);
	rc = message_challenge_write(&challenge, &out);
	if (!rc)
		rc = conn_write(door->conn, buf_head(&out), buf_len(&out));
	buf_done(&out);
	return rc;
}

static int take_hello(struct door *door, const struct frame *frame)
{
	int generation = 0;
	int rc = message_hello_parse(frame->payload, frame->len, &door->hello);
	if (!rc)
		rc = judge_hello(door, &generation);
	if (rc)
		return rc;
	if (atomic_load(&door->desk->house->draining))
		return -REASON_DRAINING;
	if (atomic_load(&door->desk->house->legs) >= door->desk->settings.legs)
		return -REASON_BUSY;
	door->state = HELLO_ASKED;
	return send_challenge(door, generation);
}

/* ---- PROVE ------------------------------------------------------------------------------- */

static void arrival_free(struct arrival *arrival)
{
	if (arrival->door)
		arrival->door->arrival = NULL;
	if (arrival->leg)
		leg_discard(arrival->leg);
	free(arrival);
}

static int send_welcome(struct leg *leg, struct message_welcome *welcome)
{
	struct desk *desk = leg->desk;
	struct buf out;
	if (leg->side == HELLO_VIEWER && lobby_find(desk->house->lobby, leg->license))
		welcome->host_online = 1;
	if (!notices_for(desk->house->notices, leg, welcome->notices))
		welcome->notices[0] = 0;
	buf_init(&out, FRAME_MAX);
	int rc = message_welcome_write(welcome, &out);
	if (!rc)
		rc = conn_write(leg->conn, buf_head(&out), buf_len(&out));
	buf_done(&out);
	return rc;
}

/* The door becomes a leg. Whatever was ordered since it proved itself counts. */
static void let_in(struct arrival *arrival)
{
	struct desk *desk = arrival->desk;
	struct door *door = arrival->door;
	struct leg *leg = arrival->leg;
	int rc = -lobby_revoked(desk->house->lobby, leg->license, leg->tenant,
		leg->proved_ms);
	if (!rc && atomic_load(&desk->house->draining))
		rc = -REASON_DRAINING;
	if (!rc)
		rc = send_welcome(leg, &arrival->welcome);
	if (!rc)
		arrival->leg = NULL;
	arrival_free(arrival);
	if (rc) {
		door_refuse(door, -rc, RETRY_SOON_MS, NULL);
		return;
	}
	guard_proved(desk->house->guard, door->conn->address);
	metrics_add(METRIC_LOGINS, 1);
	drop(door);
	leg_enter(leg);
}

/* Its host is on a node where it can go. */
static void on_token(void *ctx, int status, const char *token)
{
	struct arrival *arrival = ctx;
	struct door *door = arrival->door;
	struct message_refused refused = {
		.reason = REASON_HOST_ELSEWHERE, .retry_ms = SEND_ON_RETRY_MS};
	text_clip(refused.redirect, sizeof(refused.redirect), arrival->at.address);
	text_clip(refused.join, sizeof(refused.join), status ? "" : token);
	arrival_free(arrival);
	if (!door || door->over)
		return;
	if (status)
		door_refuse(door, -status, RETRY_SOON_MS, NULL);
	else
		refuse(door, &refused);
	secret_wipe(&refused, sizeof(refused));
}

static void on_found(void *ctx, int status, const struct whereabouts *at)
{
	struct arrival *arrival = ctx;
	struct desk *desk = arrival->desk;
	if (!arrival->door || arrival->door->over) {
		arrival_free(arrival);
		return;
	}
	arrival->welcome.host_online = !status;
	/* It may have come here in the meantime. */
	if (!status && elsewhere_is_open(arrival->leg, at) &&
		!lobby_find(desk->house->lobby, arrival->leg->license)) {
		arrival->at = *at;
		elsewhere_join(arrival->leg, at, on_token, arrival);
	} else {
		let_in(arrival);
	}
}

static void describe(struct arrival *arrival, const struct admission_verdict *verdict)
{
	const struct leg *leg = arrival->leg;
	struct message_welcome *welcome = &arrival->welcome;
	welcome->keepalive_ms = (uint64_t)leg->desk->settings.keepalive_ms;
	welcome->grace_ms = (uint64_t)leg->desk->settings.grace_ms;
	text_clip(welcome->leg, sizeof(welcome->leg), leg->id);
	text_clip(welcome->holder, sizeof(welcome->holder), leg->holder);
	text_clip(welcome->tenant, sizeof(welcome->tenant),
		verdict->tenant_name ? verdict->tenant_name : "");
	if (leg->side == HELLO_VIEWER)
		text_clip(welcome->host_name, sizeof(welcome->host_name),
			verdict->host_name ? verdict->host_name : "");
}

static void arrive(struct door *door, const struct admission_verdict *verdict)
{
	struct desk *desk = door->desk;
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	int rc = arrival ? leg_new(desk, door->conn, &door->hello, door->side, verdict,
				   &arrival->leg)
			 : -REASON_NO_MEMORY;
	if (rc) {
		free(arrival);
		door_refuse(door, -rc, RETRY_SOON_MS, NULL);
		return;
	}
	arrival->desk = desk;
	arrival->door = door;
	door->arrival = arrival;
	arrival->leg->proved_ms = door->proved_ms;
	describe(arrival, verdict);
	/* Where else it may be, nobody can say now. */
	if (arrival->leg->cached &&
		!lobby_find(desk->house->lobby, arrival->leg->license)) {
		arrival_free(arrival);
		door_refuse(door, REASON_STORE_UNAVAILABLE, RETRY_SOON_MS, NULL);
		return;
	}
	if (door->side == HELLO_HOST ||
		lobby_find(desk->house->lobby, arrival->leg->license))
		let_in(arrival);
	else
		elsewhere_find(desk, arrival->leg->license, on_found, arrival);
}

static void on_verdict(void *ctx, const struct admission_verdict *verdict)
{
	struct question *question = ctx;
	struct door *door = question->door;
	question->desk->asked--;
	free(question);
	if (!door)
		return;
	CHECK_OBJ(door, DOOR_MAGIC);
	door->question = NULL;
	metrics_time(METRIC_LOGIN_SECONDS, clock_mono_us() - door->proved_us);
	if (door->over)
		return;
	if (verdict->status)
		door_refuse(door, abs(verdict->status), verdict->retry_ms,
			verdict->detail);
	else
		arrive(door, verdict);
}

static int fill_request(const struct door *door, const struct message_prove *prove,
	struct admission_request *request)
{
	const struct message_hello *hello = &door->hello;
	*request = (struct admission_request){
		.side = door->side, .enrol = (int)prove->enrol};
	/* A browser's page cannot know the exporter; who can, is bound to it. */
	if (conn_exporter(door->conn, request->exporter) && strcmp(hello->kind, "web"))
		return -REASON_PROTOCOL;
	memcpy(request->device, hello->device, sizeof(request->device));
	memcpy(request->nonce, door->nonce, sizeof(request->nonce));
	memcpy(request->signature, prove->signature, sizeof(request->signature));
	memcpy(request->secret, prove->secret, sizeof(request->secret));
	text_clip(request->license, sizeof(request->license), hello->license);
	text_clip(request->password, sizeof(request->password), prove->password);
	text_clip(request->totp, sizeof(request->totp), prove->totp);
	text_clip(request->join, sizeof(request->join), prove->join);
	text_clip(request->kind, sizeof(request->kind), hello->kind);
	text_clip(request->program, sizeof(request->program), hello->program);
	text_clip(request->name, sizeof(request->name), hello->name);
	text_clip(request->address, sizeof(request->address), door->conn->address);
	text_clip(request->inventory, sizeof(request->inventory), prove->inventory);
	return 0;
}

static int ask_admission(struct door *door, const struct message_prove *prove)
{
	struct admission_request request;
	int rc = fill_request(door, prove, &request);
	struct question *question = rc ? NULL : malloc(sizeof(*question));
	if (!rc && !question)
		rc = -REASON_NO_MEMORY;
	if (!rc) {
		*question = (struct question){door->desk, door};
		door->question = question;
		door->state = HELLO_PROVING;
		door->proved_ms = clock_mono_ms();
		door->proved_us = clock_mono_us();
		door->desk->asked++;
		admission_check(door->desk->house->admission, &request,
			desk_box(door->desk), on_verdict, question);
	}
	secret_wipe(&request, sizeof(request));
	return rc;
}

static int take_prove(struct door *door, const struct frame *frame)
{
	struct message_prove prove;
	int rc = message_prove_parse(frame->payload, frame->len, &prove);
	if (!rc)
		rc = ask_admission(door, &prove);
	secret_wipe(&prove, sizeof(prove));
	return rc;
}

/* ---- frames ------------------------------------------------------------------------------ */

static int take_frame(struct door *door, const struct frame *frame)
{
	if (!hello_end_may(door->side, door->state, frame->type))
		return -REASON_PROTOCOL;
	return frame->type == FRAME_HELLO ? take_hello(door, frame)
					  : take_prove(door, frame);
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct door *door = ctx;
	struct frame frame;
	size_t used = 0;
	int rc = 1;
	CHECK_OBJ(door, DOOR_MAGIC);
	if (door->over)
		return len;
	/* While the verdict is awaited the end has nothing to say. */
	if (door->state == HELLO_PROVING)
		rc = -REASON_PROTOCOL;
	while (rc == 1 && used < len) {
		rc = frame_parse(bytes + used, len - used, &frame);
		if (rc != 1)
			break;
		used += frame_size(&frame);
		int refusal = take_frame(door, &frame);
		if (refusal)
			rc = refusal;
	}
	if (rc == 0 && door->state == HELLO_FRESH && len - used > HELLO_MAX)
		rc = -REASON_PROTOCOL;
	if (rc < 0) {
		door_refuse(door, -rc,
			rc == -REASON_BUSY || rc == -REASON_DRAINING ? RETRY_SOON_MS : 0,
			NULL);
		return len;
	}
	return used;
}

static const struct conn_events door_events = {on_bytes, on_room, on_closed};
