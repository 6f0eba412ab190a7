/* uplink: one leg to a gateway: life, the owner's functions, the place of the tunnel.
 *
 * Path 06/10: out over TLS, in over TLS.
 */
#include "link/uplink_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "wire/session_id.h"

static struct uplink *destroy(struct uplink *uplink)
{
	uplink_drop(uplink);
	uplink_forget_secrets(uplink);
	if (uplink->turn)
		event_free(uplink->turn);
	if (uplink->deadline)
		event_free(uplink->deadline);
	if (uplink->heartbeat)
		event_free(uplink->heartbeat);
	uplink_tls_context_free(uplink->tls_context);
	buf_done(&uplink->answer);
	if (uplink->proxy)
		secret_wipe(uplink->proxy, strlen(uplink->proxy));
	free(uplink->ca_file);
	free(uplink->proxy);
	free(uplink->inventory);
	uplink->magic = 0;
	free(uplink);
	return NULL;
}

void uplink_leave_turn(struct uplink *uplink)
{
	if (--uplink->depth == 0 && uplink->freed)
		destroy(uplink);
}

void uplink_forget_secrets(struct uplink *uplink)
{
	uplink->secrets = secret_free(uplink->secrets, sizeof(*uplink->secrets));
}

void uplink_drop(struct uplink *uplink)
{
	uplink->dial = dial_free(uplink->dial);
	if (uplink->asking)
		event_free(uplink->asking);
	uplink->asking = NULL;
	if (uplink->asking_fd >= 0)
		close(uplink->asking_fd);
	uplink->asking_fd = -1;
	uplink->tls = uplink_tls_free(uplink->tls);
	buf_done(&uplink->answer);
	buf_init(&uplink->answer, HTTP_CONNECT_ANSWER_MAX + 1024);
	if (uplink->deadline)
		evtimer_del(uplink->deadline);
	if (uplink->heartbeat)
		evtimer_del(uplink->heartbeat);
	uplink->full = false;
}

void uplink_wait(struct uplink *uplink, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	if (ms)
		evtimer_add(uplink->deadline, &wait);
	else
		evtimer_del(uplink->deadline);
}

void uplink_down_now(struct uplink *uplink, const struct uplink_down *why)
{
	if (!uplink->alive)
		return;
	uplink->verdict = *why;
	uplink->alive = false;
	uplink->down_due = true;
	uplink->state = HELLO_ENDED;
	uplink_drop(uplink);
	event_active(uplink->turn, EV_TIMEOUT, 1);
}

/* The more a reason tells about what to do, the higher. */
static int rank(const struct uplink_down *why)
{
	if (why->told)
		return 3;
	return why->reason == REASON_GATEWAY_UNREACHABLE ? 1 : 2;
}

void uplink_failed(struct uplink *uplink, const struct uplink_down *why)
{
	if (!uplink->alive)
		return;
	int now = rank(why);
	if (now > uplink->verdict_rank) {
		uplink->verdict_rank = now;
		uplink->verdict = *why;
	}
	if (uplink->redirected && !uplink->returned) {
		uplink->returned = uplink->back_due = true;
		text_clip(uplink->unreached, sizeof(uplink->unreached), uplink->at_text);
	}
	uplink_drop(uplink);
	uplink->next_due = true;
	event_active(uplink->turn, EV_TIMEOUT, 1);
}

static void on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink *uplink = arg;
	uplink_enter(uplink);
	if (uplink->down_due) {
		uplink->down_due = false;
		uplink_forget_secrets(uplink);
		if (uplink->events->down)
			uplink->events->down(uplink->ctx, &uplink->verdict);
	} else if (uplink->next_due) {
		bool back = uplink->back_due;
		uplink->next_due = uplink->back_due = false;
		if (back)
			uplink_reach_back(uplink);
		else
			uplink_reach_next(uplink);
	}
	uplink_leave_turn(uplink);
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink *uplink = arg;
	uplink_enter(uplink);
	if (uplink->leaving) {
		struct uplink_down why = {
			.reason = uplink->leave_reason, .gateway = uplink->now};
		uplink_down_now(uplink, &why);
	} else if (uplink->tls && uplink_tls_date(uplink->tls)) {
		uplink_reach_failed(uplink, REASON_TLS_UNTRUSTED,
			uplink_tls_date(uplink->tls));
	} else if (uplink->state == HELLO_FRESH) {
		uplink_reach_failed(uplink, REASON_GATEWAY_UNREACHABLE, "timed out");
	} else {
		uplink_reach_failed(uplink, REASON_TIMEOUT,
			"the gateway does not answer");
	}
	uplink_leave_turn(uplink);
}

static void on_heartbeat(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink *uplink = arg;
	uplink_enter(uplink);
	uplink_talk_heartbeat(uplink);
	uplink_leave_turn(uplink);
}

static int copy_texts(struct uplink *uplink, const struct uplink_config *config)
{
	struct uplink_secrets *secrets = uplink->secrets;
	int rc = text_copy(uplink->license, sizeof(uplink->license), config->license);
	if (!rc)
		rc = text_copy(uplink->kind, sizeof(uplink->kind),
			config->kind ? config->kind : "native");
	if (!rc)
		rc = text_copy(secrets->password, sizeof(secrets->password),
			config->password ? config->password : "");
	if (!rc)
		rc = text_copy(secrets->totp, sizeof(secrets->totp),
			config->totp ? config->totp : "");
	/* For display: cut rather than refused. */
	text_clip(uplink->program, sizeof(uplink->program),
		config->program ? config->program : "engawa");
	text_clip(uplink->name, sizeof(uplink->name), config->name ? config->name : "");
	return rc;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int copy_config(struct uplink *uplink, const struct uplink_config *config)
{
	if (!config->gateway_count || config->gateway_count > UPLINK_GATEWAYS_MAX ||
		strlen(config->license) != LICENSE_KEY_PUBLIC)
		return -REASON_BAD_VALUE;
	memcpy(uplink->gateways, config->gateways,
		config->gateway_count * sizeof(*config->gateways));
	uplink->gateway_count = config->gateway_count;
	uplink->first = config->first % config->gateway_count;
	uplink->side = config->side;
	uplink->identity = config->identity;
	uplink->enrol = config->enrol;
	uplink->ca_file = copy(config->ca_file);
	uplink->proxy = copy(config->proxy);
	uplink->inventory = copy(config->inventory);
	uplink->secrets = secret_alloc(sizeof(*uplink->secrets));
	if ((config->ca_file && !uplink->ca_file) || (config->proxy && !uplink->proxy) ||
		(config->inventory && !uplink->inventory) || !uplink->secrets)
		return -REASON_NO_MEMORY;
	memcpy(uplink->secrets->secret, config->secret, LICENSE_KEY_SECRET);
	return copy_texts(uplink, config);
}

int uplink_new(struct uplink **ret, struct event_base *base,
	const struct uplink_config *config, const struct uplink_events *events, void *ctx)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	if (!uplink)
		return -REASON_NO_MEMORY;
	uplink->magic = UPLINK_MAGIC;
	uplink->base = base;
	uplink->events = events;
	uplink->ctx = ctx;
	uplink->asking_fd = -1;
	buf_init(&uplink->answer, HTTP_CONNECT_ANSWER_MAX + 1024);
	uplink->turn = event_new(base, -1, 0, on_turn, uplink);
	uplink->deadline = evtimer_new(base, on_deadline, uplink);
	uplink->heartbeat = evtimer_new(base, on_heartbeat, uplink);
	int rc = uplink->turn && uplink->deadline && uplink->heartbeat
			 ? 0
			 : -REASON_NO_MEMORY;
	if (!rc)
		rc = copy_config(uplink, config);
	if (rc)
		destroy(uplink);
	else
		*ret = uplink;
	return rc;
}

/* Which proxy: the configured one, else that of the environment. */
static int choose_proxy(struct uplink *uplink)
{
	const char *url = uplink->proxy;
	if (!url)
		url = getenv("https_proxy");
	if (!url)
		url = getenv("HTTPS_PROXY");
	if (!url || !*url)
		return 0;
	return http_connect_parse(url, &uplink->secrets->proxy);
}

int uplink_start(struct uplink *uplink)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	CHECK(!uplink->started);
	int rc = choose_proxy(uplink);
	if (!rc)
		rc = uplink_tls_context(uplink->ca_file, &uplink->tls_context);
	if (rc)
		return rc;
	uplink->started = uplink->alive = uplink->next_due = true;
	event_active(uplink->turn, EV_TIMEOUT, 1);
	return 0;
}

#define SEND(uplink, name, message)                                                      \
	({                                                                               \
		struct buf frame CLEANUP(buf_done);                                      \
		buf_init(&frame, FRAME_HEADER + FRAME_CONTROL_MAX);                      \
		int sent = message_##name##_write((message), &frame);                    \
		sent ? sent : uplink_talk_send((uplink), &frame);                        \
	})

int uplink_connect(struct uplink *uplink, const struct message_connect *connect)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	if (!hello_end_may(uplink->side, uplink->state, FRAME_CONNECT))
		return -REASON_PROTOCOL;
	int rc = SEND(uplink, connect, connect);
	if (!rc)
		uplink->state = HELLO_WAITING;
	return rc;
}

static int send_close(struct uplink *uplink, int reason, const char *detail,
	bool of_session)
{
	struct message_close message = {.reason = (uint64_t)reason};
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	text_clip(message.detail, sizeof(message.detail), detail ? detail : "");
	if (of_session) {
		char text[SESSION_ID_TEXT];
		session_id_text(uplink->session, text);
		text_clip(message.session, sizeof(message.session), text);
	}
	return SEND(uplink, close, &message);
}

void uplink_close(struct uplink *uplink, int reason, const char *detail)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	if (uplink->state != HELLO_JOINED)
		return;
	/* A leg that takes no CLOSE is going down, and says that itself. */
	(void)!send_close(uplink, reason, detail, true);
	uplink->state = HELLO_IDLE;
}

int uplink_receipt(struct uplink *uplink, const struct message_receipt *receipt)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	if (!hello_end_may(uplink->side, uplink->state, FRAME_RECEIPT))
		return -REASON_LEG_CLOSED;
	return SEND(uplink, receipt, receipt);
}

int uplink_report(struct uplink *uplink, const char *inventory)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	struct message_report message;
	if (!hello_end_may(uplink->side, uplink->state, FRAME_REPORT))
		return -REASON_LEG_CLOSED;
	int rc = text_copy(message.inventory, sizeof(message.inventory), inventory);
	return rc ? rc : SEND(uplink, report, &message);
}

void uplink_leave(struct uplink *uplink, int reason)
{
	CHECK_OBJ(uplink, UPLINK_MAGIC);
	if (!uplink->alive || uplink->leaving)
		return;
	struct uplink_down why = {.reason = reason, .gateway = uplink->now};
	if (!hello_end_may(uplink->side, uplink->state, FRAME_CLOSE) ||
		send_close(uplink, reason, NULL, false)) {
		uplink_down_now(uplink, &why);
		return;
	}
	uplink->leaving = true;
	uplink->leave_reason = reason;
	uplink->state = HELLO_ENDED;
	uplink_wait(uplink, UPLINK_LEAVE_MS);
}

static size_t carrier_queued(void *ctx)
{
	struct uplink *uplink = ctx;
	if (!uplink->tls)
		return CARRIER_FULL;
	size_t queued = uplink_tls_queued(uplink->tls);
	if (queued >= CARRIER_FULL && !uplink->full) {
		uplink->full = true;
		uplink_tls_watch(uplink->tls);
	}
	return queued;
}

static int carrier_reserve(void *ctx, size_t len, uint8_t **ret)
{
	struct uplink *uplink = ctx;
	if (!uplink->tls || uplink->state != HELLO_JOINED)
		return -REASON_LEG_CLOSED;
	CHECK(len <= FRAME_DATA_MAX);
	int rc = uplink_tls_reserve(uplink->tls, FRAME_HEADER + len, &uplink->place);
	if (!rc)
		*ret = uplink->place + FRAME_HEADER;
	return rc;
}

static void carrier_commit(void *ctx, size_t len)
{
	struct uplink *uplink = ctx;
	if (!len || !uplink->tls)
		return;
	frame_header(uplink->place, FRAME_DATA, (uint32_t)len);
	uplink_tls_commit(uplink->tls, FRAME_HEADER + len);
}

static void carrier_close(void *ctx, int reason)
{
	uplink_close(ctx, reason, NULL);
}

const struct carrier uplink_carrier = {
	.queued = carrier_queued,
	.reserve = carrier_reserve,
	.commit = carrier_commit,
	.close = carrier_close,
};

size_t uplink_queued(const struct uplink *uplink)
{
	return uplink->tls ? uplink_tls_queued(uplink->tls) : 0;
}

int64_t uplink_rtt_us(const struct uplink *uplink)
{
	return uplink->keepalive.rtt_us;
}

size_t uplink_gateway(const struct uplink *uplink, const char **ret_text)
{
	if (ret_text)
		*ret_text = uplink->at_text;
	return uplink->now;
}

enum hello_state uplink_state(const struct uplink *uplink)
{
	return uplink->state;
}

int64_t uplink_clock_skew_ms(const struct uplink *uplink)
{
	return uplink->clock_skew_ms;
}

struct uplink *uplink_free(struct uplink *uplink)
{
	if (!uplink)
		return NULL;
	uplink_enter(uplink);
	if (!uplink->freed) {
		uplink->freed = true;
		uplink->alive = uplink->down_due = uplink->next_due = false;
		event_del(uplink->turn);
		uplink_drop(uplink);
		uplink_forget_secrets(uplink);
	}
	uplink_leave_turn(uplink);
	return NULL;
}
