/* uplink_reach: which gateway, which way: dial, proxy, TLS, and what a failure means. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "link/uplink_inside.h"

void uplink_reach_failed(struct uplink *uplink, int reason, const char *detail)
{
	struct uplink_down why = {.reason = reason, .gateway = uplink->now};
	snprintf(why.detail, sizeof(why.detail), "%s: %s", uplink->at_text,
		detail && *detail ? detail : reason_text(reason, REASON_EN));
	/* A leg that was welcome is not tried elsewhere by itself: its owner knows what it lost. */
	if (uplink->state >= HELLO_IDLE)
		uplink_down_now(uplink, &why);
	else
		uplink_failed(uplink, &why);
}

static void at(struct uplink *uplink, const struct text_endpoint *endpoint)
{
	uplink->at = *endpoint;
	text_endpoint_text(uplink->at_text, sizeof(uplink->at_text), endpoint);
}

/* TLS. */

static void on_ready(void *ctx)
{
	struct uplink *uplink = ctx;
	uplink_enter(uplink);
	uplink_talk_begin(uplink);
	uplink_leave_turn(uplink);
}

static size_t on_bytes(void *ctx, uint8_t *bytes, size_t len)
{
	struct uplink *uplink = ctx;
	uplink_enter(uplink);
	size_t used = uplink_talk_bytes(uplink, bytes, len);
	uplink_leave_turn(uplink);
	return used;
}

static void on_drained(void *ctx)
{
	struct uplink *uplink = ctx;
	uplink_enter(uplink);
	if (uplink->leaving && !uplink_tls_waiting(uplink->tls)) {
		struct uplink_down why = {
			.reason = uplink->leave_reason, .gateway = uplink->now};
		uplink_down_now(uplink, &why);
	} else if (uplink->full && uplink_tls_queued(uplink->tls) < CARRIER_LOW) {
		uplink->full = false;
		if (uplink->events->room)
			uplink->events->room(uplink->ctx);
	} else if (uplink->full) {
		uplink_tls_watch(uplink->tls);
	}
	uplink_leave_turn(uplink);
}

static void on_closed(void *ctx, int reason, const char *detail)
{
	struct uplink *uplink = ctx;
	uplink_enter(uplink);
	if (uplink->leaving) {
		struct uplink_down why = {
			.reason = uplink->leave_reason, .gateway = uplink->now};
		uplink_down_now(uplink, &why);
	} else if (uplink_tls_date(uplink->tls)) {
		uplink_reach_failed(uplink, REASON_TLS_UNTRUSTED,
			uplink_tls_date(uplink->tls));
	} else {
		uplink_reach_failed(uplink, reason, detail);
	}
	uplink_leave_turn(uplink);
}

static const struct uplink_tls_events TLS_EVENTS = {
	.ready = on_ready,
	.bytes = on_bytes,
	.drained = on_drained,
	.closed = on_closed,
};

static bool others_are_left(const struct uplink *uplink)
{
	for (size_t i = 0; i < uplink->gateway_count; i++)
		if (!uplink->tried[i])
			return true;
	return false;
}

static void begin_tls(struct uplink *uplink, int fd)
{
	int rc = uplink_tls_new(&uplink->tls, uplink->base, uplink->tls_context, fd,
		uplink->at.host, &TLS_EVENTS, uplink);
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
	else
		uplink_wait(uplink,
			others_are_left(uplink) ? UPLINK_TLS_HURRY_MS : UPLINK_TLS_MS);
}

/* The proxy. */

static void proxy_failed(struct uplink *uplink, const char *what)
{
	char detail[160];
	snprintf(detail, sizeof(detail), "the proxy %.80s: %s",
		uplink->secrets->proxy.at.host, what);
	uplink_reach_failed(uplink, REASON_GATEWAY_UNREACHABLE, detail);
}

static void proxy_answered(struct uplink *uplink, int status, size_t used)
{
	char what[64];
	if (status != 200) {
		snprintf(what, sizeof(what), "%s (%d)",
			status == 407 ? "wants a user name and a password" : "refused",
			status);
		proxy_failed(uplink, what);
		return;
	}
	if (used != buf_len(&uplink->answer)) {
		proxy_failed(uplink, "sent more than an answer");
		return;
	}
	int fd = uplink->asking_fd;
	uplink->asking_fd = -1;
	event_free(uplink->asking);
	uplink->asking = NULL;
	begin_tls(uplink, fd);
}

static void on_answer(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct uplink *uplink = arg;
	uint8_t *place;
	int status;
	size_t used;
	uplink_enter(uplink);
	if (buf_reserve(&uplink->answer, 1024, &place)) {
		proxy_failed(uplink, "answers without an end");
		goto out;
	}
	ssize_t got = recv(fd, place, 1024, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		goto out;
	if (got <= 0) {
		proxy_failed(uplink, "closed the connection");
		goto out;
	}
	buf_commit(&uplink->answer, (size_t)got);
	int rc = http_connect_answer(buf_head(&uplink->answer), buf_len(&uplink->answer),
		&status, &used);
	if (rc < 0)
		proxy_failed(uplink, "does not speak HTTP");
	else if (rc)
		proxy_answered(uplink, status, used);
out:
	uplink_leave_turn(uplink);
}

static void ask_proxy(struct uplink *uplink, int fd)
{
	struct buf request CLEANUP(buf_done);
	buf_init(&request, 4096);
	uplink->asking_fd = fd;
	int rc = http_connect_request(&uplink->secrets->proxy, &uplink->at, &request);
	/* A fresh connection takes these few bytes, or it is no use. */
	if (!rc && send(fd, buf_head(&request), buf_len(&request), MSG_NOSIGNAL) !=
			   (ssize_t)buf_len(&request))
		rc = -REASON_GATEWAY_UNREACHABLE;
	if (!rc) {
		uplink->asking = event_new(uplink->base, fd, EV_READ | EV_PERSIST,
			on_answer, uplink);
		if (!uplink->asking || event_add(uplink->asking, NULL))
			rc = -REASON_NO_MEMORY;
	}
	if (rc)
		uplink_reach_failed(uplink, -rc, NULL);
	else
		uplink_wait(uplink, UPLINK_PROXY_MS);
}

/* TCP. */

static bool through_proxy(const struct uplink *uplink, const struct text_endpoint *to)
{
	const char *exempt = getenv("no_proxy");
	if (!uplink->secrets->proxy.at.host[0])
		return false;
	if (uplink->proxy)
		return true; /* configured by hand: for all of them */
	if (!exempt)
		exempt = getenv("NO_PROXY");
	return !http_connect_exempt(exempt, to->host);
}

static void all_failed(struct uplink *uplink)
{
	for (size_t i = 0; i < uplink->dialled_count; i++) {
		struct uplink_down why = {
			.reason = REASON_GATEWAY_UNREACHABLE,
			.gateway = uplink->dialled[i],
		};
		char name[TEXT_HOST_SIZE + 16];
		const char *detail = dial_detail(uplink->dial, uplink->proxied ? 0 : i);
		text_endpoint_text(name, sizeof(name),
			uplink->redirected ? &uplink->at
					   : &uplink->gateways[uplink->dialled[i]]);
		if (uplink->proxied)
			snprintf(why.detail, sizeof(why.detail),
				"%.90s: the proxy %.80s: %s", name,
				uplink->secrets->proxy.at.host, detail);
		else
			snprintf(why.detail, sizeof(why.detail), "%s: %s", name, detail);
		uplink->tried[uplink->dialled[i]] = true;
		if (i + 1 == uplink->dialled_count)
			uplink_failed(uplink, &why);
		else if (!uplink->verdict_rank) {
			uplink->verdict = why;
			uplink->verdict_rank = 1;
		}
	}
}

static void on_dialled(void *ctx, int fd, size_t target)
{
	struct uplink *uplink = ctx;
	uplink_enter(uplink);
	if (fd < 0) {
		all_failed(uplink);
		goto out;
	}
	uplink->dial = dial_free(uplink->dial);
	uplink->now = uplink->dialled[target];
	uplink->tried[uplink->now] = true;
	if (!uplink->redirected)
		at(uplink, &uplink->gateways[uplink->now]);
	if (uplink->proxied)
		ask_proxy(uplink, fd);
	else
		begin_tls(uplink, fd);
out:
	uplink_leave_turn(uplink);
}

static void start_dial(struct uplink *uplink, const struct text_endpoint *targets,
	size_t count)
{
	const struct text_endpoint *to = targets;
	if (uplink->proxied) {
		to = &uplink->secrets->proxy.at;
		count = 1;
	}
	int rc = dial_new(&uplink->dial, uplink->base, to, count, on_dialled, uplink);
	if (rc) {
		uplink->tried[uplink->dialled[0]] = true;
		uplink_reach_failed(uplink, -rc, NULL);
	}
}

/* All gateways that are left and go the same way; through a proxy one at a time, since the proxy
 * answers for each of them. */
void uplink_reach_next(struct uplink *uplink)
{
	struct text_endpoint targets[UPLINK_GATEWAYS_MAX];
	uplink->dialled_count = 0;
	uplink->redirected = false;
	uplink->state = HELLO_FRESH;
	for (size_t i = 0; i < uplink->gateway_count; i++) {
		size_t index = (uplink->first + i) % uplink->gateway_count;
		if (uplink->tried[index])
			continue;
		bool proxied = through_proxy(uplink, &uplink->gateways[index]);
		if (!uplink->dialled_count) {
			uplink->proxied = proxied;
			uplink->now = index;
			at(uplink, &uplink->gateways[index]);
		} else if (proxied || uplink->proxied) {
			break;
		}
		targets[uplink->dialled_count] = uplink->gateways[index];
		uplink->dialled[uplink->dialled_count++] = index;
	}
	if (uplink->dialled_count)
		start_dial(uplink, targets, uplink->dialled_count);
	else
		uplink_down_now(uplink, &uplink->verdict);
}

static void reach_one(struct uplink *uplink, const struct text_endpoint *to)
{
	uplink->state = HELLO_FRESH;
	uplink->dialled[0] = uplink->now;
	uplink->dialled_count = 1;
	at(uplink, to);
	uplink->proxied = through_proxy(uplink, to);
	start_dial(uplink, &uplink->at, 1);
}

void uplink_reach_redirect(struct uplink *uplink, const struct text_endpoint *to)
{
	uplink_drop(uplink);
	uplink->redirected = true;
	uplink->redirects++;
	reach_one(uplink, to);
}

void uplink_reach_back(struct uplink *uplink)
{
	uplink->redirected = false;
	reach_one(uplink, &uplink->gateways[uplink->now]);
}
