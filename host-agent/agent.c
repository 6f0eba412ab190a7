#include "agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_inside.h"
#include "agent_session.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "desktop/desktop.h"
#include "e2e/identity.h"
#include "e2e/peers.h"
#include "inventory.h"
#include "link/loop_box.h"
#include "link/state_dir.h"
#include "link/timer.h"
#include "service/systemd_notify.h"
#include "veto.h"

#define TICK_MS 2000
#define DESKTOP_RETRY_MS 3000
#define GRACE_MS 60000

static json_t *news_texts(const struct agent *agent)
{
	json_t *texts = json_array();
	for (size_t i = 0; i < agent->news.count; i++) {
		char line[NEWS_LINE];
		if (news_is_over(&agent->news.items[i], clock_wall_ms()))
			continue;
		news_line(&agent->news.items[i], reason_lang_env(), line);
		json_array_append_new(texts, json_string(line));
	}
	return texts;
}

void agent_tell_status(struct agent *agent)
{
	char since[CLOCK_TEXT], session_since[CLOCK_TEXT];
	const char *gateway = "";
	clock_text(agent->online ? agent->online_since_ms : clock_wall_ms(), since);
	if (agent->uplink && agent->online)
		uplink_gateway(agent->uplink, &gateway);
	json_t *session = json_null();
	if (agent->session && *agent_session_viewer(agent->session)) {
		clock_text(agent_session_since_ms(agent->session), session_since);
		session = json_pack("{s:s, s:s, s:i}", "viewer",
			agent_session_viewer(agent->session), "since", session_since,
			"rights", (int)agent_session_rights(agent->session));
	}
	char license[LICENSE_KEY_ID_SIZE];
	license_key_id(agent->enrolment.access.key.public_id, license);
	agent_state_tell(agent->config->dir,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o}", "state",
			agent->online ? "online" : "offline", "license", license,
			"gateway", gateway, "since", since, "reason",
			agent->online ? "NONE" : reason_symbol(agent->why), "detail",
			agent->online ? "" : agent->why_detail, "desktop",
			agent->desktop != NULL, "pid", (int)getpid(), "session", session,
			"notices", news_texts(agent)));
}

static void session_ended(void *ctx, int reason UNUSED)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	agent->session = agent_session_free(agent->session);
	agent_tell_status(agent);
	if (agent->leaving && !agent->uplink)
		event_base_loopbreak(agent->base);
}

static void session_changed(void *ctx)
{
	agent_tell_status(ctx);
}

static int session_fence(void *ctx, uint64_t fence)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	int status = agent_state_keep_fence(agent->config->dir, fence);
	if (!status)
		agent->fence = fence;
	return status;
}

int agent_begin_session(struct agent *agent)
{
	const struct agent_session_house house = {
		.base = agent->base,
		.identity = agent->identity,
		.peers = agent->peers,
		.guard = &agent->guard,
		.dir = agent->config->dir,
		.license = agent->enrolment.access.key.public_id,
		.host_name = agent->enrolment.name,
		.grace_ms = agent->grace_ms,
		.fence = agent->fence,
		.news = &agent->news,
		.ended = session_ended,
		.changed = session_changed,
		.fence_seen = session_fence,
		.ctx = agent,
	};
	int status = agent_session_new(&agent->session, &house);
	if (!status)
		agent_session_desktop(agent->session, agent->desktop,
			agent->config->vnc ? -REASON_VNC_UNREACHABLE
					   : -REASON_NO_DISPLAY);
	return status;
}

static int open_desktop(struct agent *agent);

static void on_desktop_event(void *ctx, const struct desktop_event *event)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (event->kind == DESKTOP_EV_SOURCE_LOST) {
		log_line(LOG_ERROR, "the desktop is gone",
			LOG_S("reason", reason_symbol(event->reason)));
		if (agent->session)
			agent_session_desktop(agent->session, NULL, -event->reason);
		agent->desktop = desktop_free(agent->desktop);
		agent_tell_status(agent);
		timer_arm(agent->desktop_retry, DESKTOP_RETRY_MS);
		return;
	}
	if (event->kind == DESKTOP_EV_RESIZED && agent->uplink && agent->online) {
		char *inventory = inventory_collect(agent->config->vnc ? "vnc" : "x11",
			event->width, event->height);
		if (inventory && uplink_report(agent->uplink, inventory) < 0)
			log_line(LOG_DEBUG, "the new screen size could not be reported");
		free(inventory);
	}
	if (agent->session)
		agent_session_event(agent->session, event);
}

static void on_desktop_retry(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (open_desktop(agent) < 0) {
		timer_arm(agent->desktop_retry, DESKTOP_RETRY_MS);
		return;
	}
	log_line(LOG_INFO, "the desktop is back");
	if (agent->session)
		agent_session_desktop(agent->session, agent->desktop, 0);
	agent_tell_status(agent);
}

static int open_desktop(struct agent *agent)
{
	const struct agent_config *config = agent->config;
	const struct desktop_events events = {
		.box = loop_box_post(agent->box),
		.fn = on_desktop_event,
		.ctx = agent,
	};
	char path[1024];
	struct veto veto = {0};
	struct conf_error error = {0};
	snprintf(path, sizeof(path), "%s/veto.conf", config->dir);
	int status = veto_read(path, &veto, &error);
	if (status < 0)
		return status;
	const struct desktop_config desktop = {
		.kind = config->pattern ? DESKTOP_PATTERN
			: config->vnc   ? DESKTOP_VNC
					: DESKTOP_X11,
		.display = config->display,
		.vnc_host = agent->vnc.host,
		.vnc_port = agent->vnc.port,
		.vnc_password_file = config->vnc_password_file,
		.name = agent->enrolment.name,
		.lock_command = veto.lock_command,
	};
	status = desktop_new(&desktop, &events, &agent->desktop);
	veto_done(&veto);
	return status;
}

static void on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	if (agent->session)
		agent_session_tick(agent->session, clock_wall_ms());
	timer_arm(agent->tick, TICK_MS);
}

static void on_leave(evutil_socket_t number, short what UNUSED, void *ctx)
{
	struct agent *agent = ctx;
	CHECK_OBJ(agent, AGENT_MAGIC);
	log_line(LOG_INFO, "leaving", LOG_U("signal", number));
	systemd_notify("STOPPING=1");
	/* A second signal does not wait for anybody. */
	if (agent->leaving++ || !agent->uplink) {
		event_base_loopbreak(agent->base);
		return;
	}
	if (agent->session)
		agent_session_end(agent->session, REASON_HOST_ENDED);
	struct timeval most = {3, 0};
	event_base_loopexit(agent->base, &most);
	uplink_leave(agent->uplink, REASON_HOST_ENDED);
}

static int read_state(struct agent *agent, char detail[static AGENT_DETAIL])
{
	const struct agent_config *config = agent->config;
	char path[1024];
	struct veto veto = {0};
	struct conf_error error = {0};
	int status = enrolment_read(config->dir, &agent->enrolment);
	if (!status)
		status = agent_state_lock(config->dir, &agent->lock);
	if (!status)
		status = identity_open(config->dir, &agent->identity);
	if (!status)
		status = peers_open(config->dir, &agent->peers);
	if (!status)
		status = agent_state_fence(config->dir, &agent->fence);
	if (status < 0) {
		snprintf(detail, AGENT_DETAIL, "(%s)",
			state_dir_blame(status, config->dir));
		return status;
	}
	status = enrolment_ca_check(config->dir, &agent->enrolment);
	if (status < 0) {
		snprintf(detail, AGENT_DETAIL, "(%s/ca.pem)", config->dir);
		return status;
	}
	snprintf(path, sizeof(path), "%s/veto.conf", config->dir);
	status = veto_read(path, &veto, &error);
	if (status < 0) {
		char text[CONF_ERROR_TEXT];
		conf_error_text(&error, text);
		text_clip(detail, AGENT_DETAIL, text);
		return status;
	}
	veto_done(&veto);
	if (!config->vnc)
		return 0;
	status = text_endpoint(&agent->vnc, config->vnc, 5900);
	if (status < 0)
		snprintf(detail, AGENT_DETAIL, "--vnc takes HOST:PORT, not \"%s\".",
			config->vnc);
	return status;
}

static int make_loop(struct agent *agent)
{
	uint64_t seed;
	int status = secret_random(&seed, sizeof(seed));
	if (status < 0)
		return status;
	backoff_init(&agent->backoff, seed);
	agent->base = event_base_new();
	if (!agent->base)
		return -REASON_NO_MEMORY;
	agent->tick = evtimer_new(agent->base, on_tick, agent);
	agent->attempt = evtimer_new(agent->base, agent_line_attempt, agent);
	agent->move = evtimer_new(agent->base, agent_line_move, agent);
	agent->desktop_retry = evtimer_new(agent->base, on_desktop_retry, agent);
	agent->signals[0] = evsignal_new(agent->base, SIGTERM, on_leave, agent);
	agent->signals[1] = evsignal_new(agent->base, SIGINT, on_leave, agent);
	if (!agent->tick || !agent->attempt || !agent->move || !agent->desktop_retry ||
		!agent->signals[0] || !agent->signals[1])
		return -REASON_NO_MEMORY;
	event_add(agent->signals[0], NULL);
	event_add(agent->signals[1], NULL);
	return loop_box_new(agent->base, &agent->box);
}

static void tear_down(struct agent *agent)
{
	agent->session = agent_session_free(agent->session);
	agent->uplink = uplink_free(agent->uplink);
	agent->desktop = desktop_free(agent->desktop);
	agent->online = 0;
	agent->why = REASON_HOST_ENDED;
	if (agent->lock >= 0 && agent->base)
		agent_tell_status(agent);
	/* What was freed above lets go of its memory at the end of a turn. */
	if (agent->base)
		event_base_loop(agent->base, EVLOOP_NONBLOCK);
	agent->box = loop_box_free(agent->box);
	timer_free(agent->tick);
	timer_free(agent->attempt);
	timer_free(agent->move);
	timer_free(agent->desktop_retry);
	timer_free(agent->signals[0]);
	timer_free(agent->signals[1]);
	if (agent->base)
		event_base_free(agent->base);
	agent->peers = peers_free(agent->peers);
	agent->identity = identity_free(agent->identity);
	access_wipe(&agent->enrolment.access);
	if (agent->lock >= 0)
		close(agent->lock);
}

int agent_run(const struct agent_config *config, char detail[static AGENT_DETAIL])
{
	struct agent agent = {
		.magic = AGENT_MAGIC,
		.config = config,
		.lock = -1,
		.ready_fd = config->ready_fd,
		.grace_ms = GRACE_MS,
	};
	*detail = 0;
	signal(SIGPIPE, SIG_IGN);
	int status = read_state(&agent, detail);
	if (!status)
		status = make_loop(&agent);
	if (!status)
		status = open_desktop(&agent);
	if (!status) {
		agent_tell_status(&agent);
		timer_arm(agent.tick, TICK_MS);
		timer_arm(agent.attempt, 0);
		event_base_dispatch(agent.base);
	}
	tear_down(&agent);
	return status;
}
