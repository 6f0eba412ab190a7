/* agent_session_watch: what is in force while a session lives: rights, limits of time and size, the veto file
 * and the company's policy, each of which may become stricter at any moment. */
#include "agent_session_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/license_key.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "desktop/desktop.h"
#include "e2e/peers.h"
#include "e2e/pin_rules.h"
#include "link/uplink.h"

/* A viewer is told so long before its session ends of a limit, or a quarter of a short limit. */
#define WARN_MS 60000

/* ---- what is in force ---------------------------------------------------------------------- */

static int admits(const struct veto *veto, const struct agent_session *session,
	int64_t wall_ms)
{
	/* What it says it is, and what it said when it was paired: neither may be one too many. */
	int status = veto_admits(veto, session->class, wall_ms);
	return status ? status : veto_admits(veto, session->paired_class, wall_ms);
}

static int policy_admits(const struct agent_session *session, int64_t wall_ms)
{
	const struct permitted *told = &session->told;
	if (!permitted_kind(told, session->class) ||
		!permitted_kind(told, session->paired_class))
		return -REASON_POLICY;
	return told->until_ms && wall_ms >= told->until_ms ? -REASON_OUT_OF_HOURS : 0;
}

int agent_session_watch_force(struct agent_session *session, int64_t wall_ms,
	uint16_t *ret_rights)
{
	struct veto veto = {0};
	struct permitted own, in_force = session->told;
	if (agent_session_veto(session, &veto) < 0)
		return -REASON_VETO;
	permitted_by_veto(&veto, &own);
	int status = admits(&veto, session, wall_ms);
	veto_done(&veto);
	if (!status)
		status = policy_admits(session, wall_ms);
	if (status)
		return status;
	permitted_narrow(&in_force, &own);
	uint16_t rights = pin_rules_granted(session->wanted, session->device_rights,
		own.rights, session->told.rights);
	if (!(rights & INNER_RIGHT_VIEW))
		return own.rights & INNER_RIGHT_VIEW ? -REASON_POLICY : -REASON_VETO;
	session->in_force = in_force;
	*ret_rights = rights;
	return 0;
}

/* The name is the one that the device was paired under: what it says today proves nothing. */
static void watermark_text(const struct agent_session *session,
	char ret[static DESKTOP_WATERMARK_MAX])
{
	char license[LICENSE_KEY_ID_SIZE], now[CLOCK_TEXT], who[2 * INNER_NAME_SIZE],
		plain[2 * INNER_NAME_SIZE];
	license_key_id(session->house.license, license);
	clock_text(clock_wall_ms(), now);
	snprintf(who, sizeof(who), "%.100s@%.100s", session->paired_user,
		session->paired_device);
	text_escape(plain, sizeof(plain), who);
	snprintf(ret, DESKTOP_WATERMARK_MAX, "%s  %s  %.16s", plain, license, now);
}

int agent_session_watch_apply(struct agent_session *session)
{
	char text[DESKTOP_WATERMARK_MAX];
	if (session->clip_limit != session->in_force.clip_max_bytes) {
		session->clip_limit = session->in_force.clip_max_bytes;
		desktop_clip_limit(session->desktop, session->clip_limit);
	}
	if (!session->in_force.watermark || session->marked)
		return 0;
	watermark_text(session, text);
	int status = desktop_watermark(session->desktop, text);
	if (status < 0) {
		log_line(LOG_ERROR, "the watermark cannot be written: is a font there?",
			LOG_S("reason", reason_symbol(status)));
		return -REASON_POLICY;
	}
	session->marked = 1;
	return 0;
}

static void narrow(struct agent_session *session, uint16_t rights)
{
	rights &= session->rights;
	if (rights == session->rights)
		return;
	session->rights = rights;
	desktop_rights(session->desktop, session->rights);
	struct inner_message message = {.kind = INNER_RIGHTS};
	message.rights.rights = session->rights;
	if (tunnel_message(session->tunnel, &message) < 0)
		log_line(LOG_DEBUG,
			"the viewer could not be told that its rights changed");
	session->house.changed(session->house.ctx);
}

/* What the host's own files say by now about the device. */
static int device_admits(struct agent_session *session, int64_t wall_ms)
{
	int status = peers_reload(session->house.peers);
	const struct peers_device *device =
		status < 0 ? NULL
			   : peers_find(session->house.peers, session->key, wall_ms);
	if (!device || device->revoked_ms)
		return -REASON_DEVICE_REVOKED;
	session->device_rights = device->rights;
	return 0;
}

static void look_again(struct agent_session *session, int64_t wall_ms)
{
	uint16_t rights = 0;
	int status = device_admits(session, wall_ms);
	if (!status)
		status = agent_session_watch_force(session, wall_ms, &rights);
	if (!status)
		status = agent_session_watch_apply(session);
	if (!status && !(rights & session->rights & INNER_RIGHT_VIEW))
		status = -REASON_VETO;
	if (status < 0)
		tunnel_close(session->tunnel, -status);
	else
		narrow(session, rights);
}

void agent_session_watch_policy(struct agent_session *session, const char *text)
{
	struct permitted told;
	permitted_by_policy(text, &told);
	permitted_narrow(&session->told, &told);
	log_line(LOG_INFO, "the company's policy changed",
		LOG_U("rights", session->told.rights));
	if (session->up && session->desktop)
		look_again(session, clock_wall_ms());
}

/* ---- time ---------------------------------------------------------------------------------- */

void agent_session_watch_tell(struct agent_session *session, int reason, const char *en,
	const char *ja)
{
	struct inner_message message = {.kind = INNER_NOTICE};
	message.notice.reason = (uint16_t)reason;
	text_clip(message.notice.en, sizeof(message.notice.en), en);
	text_clip(message.notice.ja, sizeof(message.notice.ja), ja);
	if (tunnel_message(session->tunnel, &message) < 0)
		log_line(LOG_DEBUG, "the viewer could not be told",
			LOG_S("reason", reason_symbol(reason)));
}

struct limit {
	int reason;
	int64_t left_ms, whole_ms;
};

static void take_least(struct limit *least, int reason, int64_t left_ms, int64_t whole_ms)
{
	if (least->reason && least->left_ms <= left_ms)
		return;
	*least = (struct limit){reason, left_ms, whole_ms};
}

static struct limit time_left(const struct agent_session *session, int64_t wall_ms)
{
	const struct permitted *in_force = &session->in_force;
	struct limit least = {0};
	if (in_force->max_session_ms)
		take_least(&least, REASON_SESSION_TIME_UP,
			session->since_ms + in_force->max_session_ms - wall_ms,
			in_force->max_session_ms);
	if (in_force->until_ms)
		take_least(&least, REASON_OUT_OF_HOURS, in_force->until_ms - wall_ms,
			4 * WARN_MS);
	return least;
}

static struct limit idle_left(const struct agent_session *session)
{
	struct limit idle = {0};
	if (!session->in_force.idle_ms)
		return idle;
	int64_t since_ms = session->up_ms;
	if (session->desktop && desktop_input_ms(session->desktop) > since_ms)
		since_ms = desktop_input_ms(session->desktop);
	take_least(&idle, REASON_IDLE_TIME_UP,
		since_ms + session->in_force.idle_ms - clock_mono_ms(),
		session->in_force.idle_ms);
	return idle;
}

static int is_near(const struct limit *limit)
{
	int64_t warn_ms = limit->whole_ms / 4 < WARN_MS ? limit->whole_ms / 4 : WARN_MS;
	return limit->reason && limit->left_ms <= warn_ms;
}

static void warn(struct agent_session *session, const struct limit *limit)
{
	char en[160], ja[160];
	long long seconds = (limit->left_ms + 999) / 1000;
	int idle = limit->reason == REASON_IDLE_TIME_UP;
	snprintf(en, sizeof(en),
		idle ? "Nobody uses this session: it ends in %lld s unless you type or "
		       "move the pointer."
		     : "The permitted time is nearly over: this session ends in %lld s.",
		seconds);
	snprintf(ja, sizeof(ja),
		idle ? "操作がないため、あと %lld "
		       "秒で接続を終了します。キーやマウスを操作すると続けられます。"
		     : "許可された時間がまもなく終わります。あと %lld "
		       "秒で接続を終了します。",
		seconds);
	agent_session_watch_tell(session, limit->reason, en, ja);
}

/* 1: it is over. */
static int look_at_limit(struct agent_session *session, const struct limit *limit,
	unsigned flag)
{
	if (limit->reason && limit->left_ms <= 0) {
		tunnel_close(session->tunnel, limit->reason);
		return 1;
	}
	if (!is_near(limit)) {
		session->warned &= ~flag;
	} else if (!(session->warned & flag)) {
		session->warned |= flag;
		warn(session, limit);
	}
	return 0;
}

/* A line that is up and carries nothing is a cut one, whatever the gateway says. */
static void listen_for_silence(struct agent_session *session)
{
	struct tunnel_stats stats;
	if (!session->uplink || tunnel_state(session->tunnel) != TUNNEL_UP)
		return;
	tunnel_stats(session->tunnel, &stats);
	if (!silence_turn(&session->silence, stats.records_received))
		return;
	log_line(LOG_WARN, "the viewer is silent on a line that is up",
		LOG_S("viewer", session->viewer));
	agent_session_part(session, REASON_KEEPALIVE_TIMEOUT);
}

void agent_session_watch_tick(struct agent_session *session, int64_t wall_ms)
{
	listen_for_silence(session);
	if (!session->up)
		return;
	const struct limit time = time_left(session, wall_ms), idle = idle_left(session);
	if (look_at_limit(session, &time, WARNED_OF_TIME) ||
		look_at_limit(session, &idle, WARNED_OF_IDLE))
		return;
	if (session->desktop)
		look_again(session, wall_ms);
}
