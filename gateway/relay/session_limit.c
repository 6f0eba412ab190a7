#include "relay/session_limit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/leg.h"
#include "relay/session_inside.h"

static void no_later(struct session *session, int64_t at_ms, int reason)
{
	if (session->ends_at_ms && session->ends_at_ms <= at_ms)
		return;
	session->ends_at_ms = at_ms;
	session->ends_at_reason = reason;
}

static int64_t number_of(const json_t *policy, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(policy, name));
	return value > 0 ? value : 0;
}

static void no_later_by_policy(struct session *session, const char *text,
	int64_t since_ms)
{
	json_t *policy = json_loads(text, 0, NULL);
	int64_t longest_ms = number_of(policy, "max_session_ms");
	int64_t until_ms = number_of(policy, "until_ms");
	json_decref(policy);
	if (longest_ms)
		no_later(session, since_ms + longest_ms, REASON_SESSION_TIME_UP);
	if (until_ms)
		no_later(session, until_ms, REASON_OUT_OF_HOURS);
}

/* The earliest of what the license, the policy and this node permit. */
void session_limit_begin(struct session *session, const struct leg *viewer)
{
	int64_t most_ms = session->desk->settings.session_ms, now_ms = clock_wall_ms();
	if (viewer->expires_ms)
		no_later(session, viewer->expires_ms, REASON_LICENSE_EXPIRED);
	if (most_ms)
		no_later(session, now_ms + most_ms, REASON_SESSION_TIME_UP);
	no_later_by_policy(session, viewer->policy, now_ms);
}

static void tell_ends(const struct session *session)
{
	struct message_policy message = {0};
	memcpy(message.session, session->id, sizeof(message.session));
	if (strlen(session->policy) >= sizeof(message.policy))
		return;
	text_clip(message.policy, sizeof(message.policy), session->policy);
	leg_send_policy(session->host, &message);
	leg_send_policy(session->viewer, &message);
}

void session_limit_narrow(struct session *session, const char *policy)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	char *copy = strdup(policy);
	if (!copy) {
		session_end(session, REASON_NO_MEMORY, NULL);
		return;
	}
	free(session->policy);
	session->policy = copy;
	/* One that opens tells it with OPEN. */
	no_later_by_policy(session, policy,
		session->started_ms ? session->started_ms : clock_wall_ms());
	if (session->state != SESSION_LIVE)
		return;
	log_line(LOG_INFO, "session under a new policy",
		LOG_S("session", session->id_text), LOG_S("license", session->license));
	tell_ends(session);
}
