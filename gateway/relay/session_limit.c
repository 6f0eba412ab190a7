#include "relay/session_limit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "relay/session_inside.h"
#include "relay/shares.h"

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

/* Documents and settings were read by others: what is too small to carry a desktop is not none. */
static int64_t good_rate(int64_t rate)
{
	if (!rate)
		return 0;
	if (rate < THROTTLE_RATE_LEAST)
		return THROTTLE_RATE_LEAST;
	return rate < THROTTLE_RATE_MOST ? rate : THROTTLE_RATE_MOST;
}

static int64_t lower(int64_t a, int64_t b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

static int limit_ways(struct session *session, int64_t rate)
{
	int rc = 0;
	for (int side = HELLO_HOST; !rc && side <= HELLO_VIEWER; side++)
		rc = pump_limit(&session->pumps[side], rate,
			session->share ? shares_way(session->share, side) : NULL);
	return rc;
}

void session_limit_rates(struct session *session)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	CHECK(session->state == SESSION_LIVE);
	struct shares *shares = session->desk->house->shares;
	struct share *before = session->share, *share = NULL;
	json_t *policy = json_loads(session->policy, 0, NULL);
	int64_t rate = lower(number_of(policy, "rate_max_bytes"),
		session->desk->settings.rate_per_session);
	int64_t company = good_rate(number_of(policy, "tenant_rate_max_bytes"));
	json_decref(policy);
	int rc = company ? shares_enter(shares, session->tenant, company, &share) : 0;
	session->share = share;
	if (!rc)
		rc = limit_ways(session, good_rate(rate));
	if (rc)
		session_end(session, -rc, NULL);
	/* Now no pump points there any more. */
	shares_leave(shares, before);
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
	session_limit_rates(session);
}
