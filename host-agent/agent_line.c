/* The agent's line: which gateway it is at, what that gateway says, and the way to the next one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_inside.h"
#include "agent_session.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "desktop/desktop.h"
#include "inventory.h"
#include "link/timer.h"
#include "service/systemd_notify.h"

/* Another process has our identity: it and we must not drive each other out all day. */
#define REPLACED_RETRY_MS (5 * 60 * 1000)

static void on_open(void *ctx, const struct message_open *open)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	int same = agent->session && !memcmp(agent_session_id(agent->session),
					     open->session, sizeof(open->session));
	int status = 0, made = 0;
	if (!same && open->resumed) {
		/* A session that this process never had, or has given up: the viewer starts anew. */
		status = -REASON_GRACE_OVER;
	} else if (!same && open->fence <= agent->fence) {
		/* A node that slept through its lease: what waits here is newer than what it offers. */
		status = -REASON_FENCE_STALE;
	} else if (!same) {
		if (agent->session) {
			log_line(LOG_INFO,
				"a new session takes the place of one that waited");
			agent->session = agent_session_replace(agent->session);
		}
		status = agent_begin_session(agent);
		made = 1;
	}
	if (!status)
		status = agent_session_open(agent->session, agent->uplink, open);
	if (status < 0) {
		log_line(LOG_WARN, "a session was refused",
			LOG_S("reason", reason_symbol(status)),
			LOG_U("fence", open->fence));
		uplink_close(agent->uplink, -status, NULL);
		/* One that waits goes on waiting. */
		if (made)
			agent->session = agent_session_free(agent->session);
	}
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct agent *agent = ctx;
	if (agent->session)
		agent_session_data(agent->session, record, len);
}

static void on_close(void *ctx, const struct message_close *close)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (agent->session)
		agent_session_close(agent->session, close);
}

static void on_room(void *ctx)
{
	struct agent *agent = ctx;
	if (agent->session)
		agent_session_room(agent->session);
}

static void say_ready(struct agent *agent)
{
	if (agent->ready_fd < 0)
		return;
	dprintf(agent->ready_fd, "ready\n");
	close(agent->ready_fd);
	agent->ready_fd = -1;
}

static void take_news(struct agent *agent, const char *json)
{
	struct news before = agent->news;
	news_read(&agent->news, json);
	for (size_t i = 0; i < agent->news.count; i++) {
		char line[NEWS_LINE];
		size_t old = 0;
		while (old < before.count &&
			strcmp(before.items[old].id, agent->news.items[i].id))
			old++;
		news_line(&agent->news.items[i], reason_lang_env(), line);
		if (old == before.count)
			log_line(LOG_INFO, "notice of the operator",
				LOG_S("id", agent->news.items[i].id),
				LOG_S("text", line));
	}
	if (agent->session)
		agent_session_news(agent->session);
}

static void on_notices(void *ctx, const char *notices)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	take_news(agent, notices);
	agent_tell_status(agent);
}

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	const char *gateway;
	agent->gateway = uplink_gateway(agent->uplink, &gateway);
	agent->online = 1;
	agent->online_since_ms = clock_wall_ms();
	if (welcome->grace_ms)
		agent->grace_ms = (int64_t)welcome->grace_ms;
	backoff_up(&agent->backoff, clock_mono_ms());
	take_news(agent, welcome->notices);
	log_line(LOG_INFO, "online", LOG_S("gateway", gateway),
		LOG_S("leg", welcome->leg));
	agent_tell_status(agent);
	say_ready(agent);
	systemd_notify("READY=1\nSTATUS=online");
}

static void on_notice(void *ctx, const struct message_notice *notice)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	log_line(LOG_INFO, "notice of the gateway", LOG_S("kind", notice->kind),
		LOG_S("en", notice->en), LOG_S("ja", notice->ja));
	/* Where there is no other way the gateway says when it is over. */
	if (strcmp(notice->kind, "drain") || agent->enrolment.access.gateway_count < 2)
		return;
	/* Soon enough to be gone in time, and not everybody in the same moment. */
	timer_arm(agent->move,
		backoff_spread_ms(&agent->backoff, (int64_t)notice->within_ms * 2 / 3));
}

void agent_line_move(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (!agent->uplink || !agent->online || agent->leaving)
		return;
	log_line(LOG_INFO, "goes to another gateway");
	agent->moving = 1;
	agent->gateway = (agent->gateway + 1) % agent->enrolment.access.gateway_count;
	backoff_reset(&agent->backoff);
	if (agent->session)
		agent_session_part(agent->session, REASON_DRAINING);
	uplink_leave(agent->uplink, REASON_DRAINING);
}

static void on_policy(void *ctx, const char *policy)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (agent->session)
		agent_session_policy(agent->session, policy);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	int repeated = !agent->online && agent->why == down->reason;
	agent->why = down->reason;
	text_clip(agent->why_detail, sizeof(agent->why_detail), down->detail);
	agent->online = 0;
	agent->uplink = uplink_free(agent->uplink);
	if (agent->session)
		agent_session_cut(agent->session, down->reason);
	backoff_down(&agent->backoff, clock_mono_ms());
	/* A gateway that fell silent is tried last. */
	if (down->reason == REASON_KEEPALIVE_TIMEOUT)
		agent->gateway =
			(agent->gateway + 1) % agent->enrolment.access.gateway_count;
	int64_t wait_ms = backoff_next_ms(&agent->backoff,
		agent->session || agent->moving ? BACKOFF_SESSION : BACKOFF_IDLE,
		down->retry_ms);
	agent->moving = 0;
	evtimer_del(agent->move);
	if (down->reason == REASON_HOST_REPLACED)
		wait_ms = REPLACED_RETRY_MS;
	log_line(repeated ? LOG_DEBUG : LOG_WARN, "offline",
		LOG_S("reason", reason_symbol(down->reason)),
		LOG_S("detail", down->detail), LOG_U("again_in_ms", wait_ms));
	agent_tell_status(agent);
	if (!agent->leaving)
		timer_arm(agent->attempt, wait_ms);
	else if (!agent->session)
		event_base_loopbreak(agent->base);
}

static const struct uplink_events uplink_events = {
	.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.close = on_close,
	.notice = on_notice,
	.policy = on_policy,
	.notices = on_notices,
	.room = on_room,
};

void agent_line_attempt(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	char ca[1024];
	int width = 0, height = 0;
	if (agent->desktop)
		desktop_size(agent->desktop, &width, &height);
	char *inventory =
		inventory_collect(agent->config->vnc ? "vnc" : "x11", width, height);
	const char *ca_file =
		enrolment_ca(agent->config->dir, &agent->enrolment, ca, sizeof(ca));
	struct uplink_config config =
		enrolment_uplink(&agent->enrolment, agent->identity, ca_file, inventory);
	config.first = agent->gateway;
	int status =
		uplink_new(&agent->uplink, agent->base, &config, &uplink_events, agent);
	if (!status)
		status = uplink_start(agent->uplink);
	free(inventory);
	if (status < 0) {
		struct uplink_down down = {.reason = -status};
		on_down(agent, &down);
	}
}
