#include "relay/session_away.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "relay/leg.h"
#include "relay/lobby.h"
#include "relay/session.h"
#include "relay/session_inside.h"
#include "store/state.h"

#define PURPOSE_SESSION 1
#define PSK_OF_A_PAIRING 2

int session_away_refuses(const struct leg *host, const struct leg *viewer)
{
	if (!viewer->cached)
		return 0;
	/* A pairing is a new right; and the PC has to be the one that the license had. */
	if (viewer->wish->purpose != PURPOSE_SESSION ||
		viewer->wish->psk_kind != PSK_OF_A_PAIRING || viewer->wish->ticket ||
		!secret_equal(host->device, viewer->cached->host, sizeof(host->device)))
		return REASON_STORE_UNAVAILABLE;
	return 0;
}

int session_away_look_up(struct session *session)
{
	const struct leg *viewer = session->viewer;
	if (!viewer || !viewer->cached)
		return 0;
	if (lobby_recalls(session->desk->house->lobby, session->license, session->id,
		    viewer->device) > 0)
		return 1;
	return !viewer->resume_only && session_open_fresh(session) == 0;
}

int session_away_claim(struct session *session)
{
	const struct leg *viewer = session->viewer;
	if (!viewer || !viewer->cached)
		return 0;
	uint64_t fence = store_draw_fence(session->desk->house->store);
	if (!fence)
		return 0;
	session->from_cache = 1;
	session->fence = session->claim_fence = fence;
	log_line(LOG_WARN, "session without the store, from the cache",
		LOG_S("session", session->id_text), LOG_U("fence", fence),
		LOG_S("license", session->license));
	return 1;
}

/* "…, node NAME", or the name alone where it was claimed anew. */
int session_away_is_ours(const struct session *session, const struct state_answer *answer)
{
	char mark[80];
	const char *node = session->desk->house->node;
	const char *holder = answer->holder ? answer->holder : "";
	if (session->claimed || !session->from_cache)
		return 0;
	size_t len = strlen(holder),
	       mark_len = (size_t)snprintf(mark, sizeof(mark), ", node %s", node);
	return !strcmp(holder, node) ||
	       (len >= mark_len && !strcmp(holder + len - mark_len, mark));
}
