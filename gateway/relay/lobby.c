#include "relay/lobby.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "relay/desk.h"
#include "relay/elsewhere.h"
#include "relay/leg.h"
#include "relay/session.h"

#define BUCKETS 4096
/* Longer than any login takes: a proof given before a revocation is used up by then. */
#define REVOKED_MS 60000
#define HOST_RETRY_MS 5000

struct guest {
	struct desk *desk;
	uint64_t number;
};

/* One license. */
struct place {
	struct list node;
	char license[17];
	struct guest host;    /* number 0: none */
	struct leg *host_leg; /* to be used at host.desk only */
	struct guest waiters[LOBBY_WAITERS];
	int64_t viewers;
	/* the last session that was cut */
	uint8_t session[SESSION_ID], device[32];
	int64_t session_until_ms;
	int64_t revoked_ms;
	int revoked_reason;
};

/* A company whose licenses were revoked. Few are within the time that counts; of more than fit the
 * oldest are forgotten, and what they end was ended when the order came. */
#define GONE_MOST 64
struct gone {
	char tenant[41];
	int64_t at_ms;
	int reason;
};

struct lobby {
	pthread_mutex_t lock;
	struct list table[BUCKETS];
	struct gone gone[GONE_MOST];
	size_t gone_next;
};

int lobby_new(struct lobby **ret)
{
	struct lobby *lobby = calloc(1, sizeof(*lobby));
	if (!lobby)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&lobby->lock, NULL);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&lobby->table[i]);
	*ret = lobby;
	return 0;
}

struct lobby *lobby_free(struct lobby *lobby)
{
	if (!lobby)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++) {
		LIST_EACH(node, &lobby->table[i])
		free(LIST_ENTRY(node, struct place, node));
	}
	pthread_mutex_destroy(&lobby->lock);
	free(lobby);
	return NULL;
}

/* Licenses are given out by us, at random: nobody can choose them to fill one chain. */
static struct list *chain_of(struct lobby *lobby, const char *license)
{
	uint64_t hash = 14695981039346656037u;
	for (const char *at = license; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 1099511628211u;
	return &lobby->table[(hash ^ hash >> 32) % BUCKETS];
}

static int is_empty(const struct place *place, int64_t now_ms)
{
	for (size_t i = 0; i < LOBBY_WAITERS; i++)
		if (place->waiters[i].number)
			return 0;
	return !place->host.number && !place->viewers &&
	       now_ms >= place->session_until_ms &&
	       (!place->revoked_ms || now_ms - place->revoked_ms >= REVOKED_MS);
}

/* Empty places go whenever somebody passes by. */
static struct place *find(struct lobby *lobby, const char *license)
{
	int64_t now_ms = clock_mono_ms();
	struct place *found = NULL;
	LIST_EACH(node, chain_of(lobby, license))
	{
		struct place *place = LIST_ENTRY(node, struct place, node);
		if (!strcmp(place->license, license)) {
			found = place;
		} else if (is_empty(place, now_ms)) {
			list_remove(&place->node);
			free(place);
		}
	}
	return found;
}

static struct place *find_or_add(struct lobby *lobby, const char *license)
{
	struct place *place = find(lobby, license);
	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	snprintf(place->license, sizeof(place->license), "%s", license);
	list_add_tail(chain_of(lobby, license), &place->node);
	return place;
}

int lobby_enter_host(struct lobby *lobby, struct leg *leg)
{
	struct guest former = {0}, waiters[LOBBY_WAITERS] = {{0}};
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find_or_add(lobby, leg->license);
	if (place) {
		former = place->host;
		place->host = (struct guest){leg->desk, leg->number};
		place->host_leg = leg;
		memcpy(waiters, place->waiters, sizeof(waiters));
		memset(place->waiters, 0, sizeof(place->waiters));
	}
	pthread_mutex_unlock(&lobby->lock);
	if (!place)
		return -REASON_NO_MEMORY;
	if (former.number)
		desk_post(former.desk, former.number, leg_be_replaced,
			REASON_HOST_REPLACED);
	for (size_t i = 0; i < LOBBY_WAITERS; i++)
		if (waiters[i].number)
			desk_post(waiters[i].desk, waiters[i].number, leg_try_again, 0);
	return 0;
}

int lobby_enter_viewer(struct lobby *lobby, const struct leg *leg, int64_t most)
{
	int rc = 0;
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find_or_add(lobby, leg->license);
	if (!place)
		rc = -REASON_NO_MEMORY;
	else if (++place->viewers > most) /* lobby_leave follows in any case */
		rc = -REASON_THROTTLED;
	pthread_mutex_unlock(&lobby->lock);
	return rc;
}

int lobby_leave(struct lobby *lobby, const struct leg *leg)
{
	int stood = 0;
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, leg->license);
	if (place && leg->side == HELLO_VIEWER) {
		if (place->viewers > 0)
			place->viewers--;
	} else if (place && place->host.number == leg->number) {
		place->host = (struct guest){0};
		place->host_leg = NULL;
		stood = 1;
	}
	pthread_mutex_unlock(&lobby->lock);
	return stood;
}

struct desk *lobby_find(struct lobby *lobby, const char *license)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, license);
	struct desk *desk = place ? place->host.desk : NULL;
	pthread_mutex_unlock(&lobby->lock);
	return desk;
}

struct leg *lobby_host_here(struct lobby *lobby, const char *license,
	const struct desk *desk)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, license);
	struct leg *leg = place && place->host.desk == desk ? place->host_leg : NULL;
	pthread_mutex_unlock(&lobby->lock);
	return leg;
}

int lobby_wait(struct lobby *lobby, const struct leg *leg)
{
	int rc = -REASON_BUSY;
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find_or_add(lobby, leg->license);
	if (place && place->host.number)
		rc = 1;
	for (size_t i = 0; place && rc < 0 && i < LOBBY_WAITERS; i++) {
		if (place->waiters[i].number)
			continue;
		place->waiters[i] = (struct guest){leg->desk, leg->number};
		rc = 0;
	}
	pthread_mutex_unlock(&lobby->lock);
	return rc;
}

void lobby_wait_no_more(struct lobby *lobby, const struct leg *leg)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, leg->license);
	for (size_t i = 0; place && i < LOBBY_WAITERS; i++)
		if (place->waiters[i].number == leg->number)
			place->waiters[i] = (struct guest){0};
	pthread_mutex_unlock(&lobby->lock);
}

void lobby_host_moved(struct lobby *lobby, const char *license)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, license);
	struct guest host = place ? place->host : (struct guest){0};
	struct guest waiters[LOBBY_WAITERS] = {{0}};
	if (place)
		memcpy(waiters, place->waiters, sizeof(waiters));
	pthread_mutex_unlock(&lobby->lock);
	if (host.number)
		desk_post(host.desk, host.number, leg_make_sure, 0);
	for (size_t i = 0; i < LOBBY_WAITERS; i++)
		if (waiters[i].number)
			desk_post(waiters[i].desk, waiters[i].number, leg_look_elsewhere,
				0);
}

void lobby_remember(struct lobby *lobby, const char *license,
	const uint8_t session[static SESSION_ID], const uint8_t device[static 32],
	int64_t until_ms)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find_or_add(lobby, license);
	if (place) {
		memcpy(place->session, session, SESSION_ID);
		memcpy(place->device, device, sizeof(place->device));
		place->session_until_ms = until_ms;
	}
	pthread_mutex_unlock(&lobby->lock);
}

int lobby_recalls(struct lobby *lobby, const char *license,
	const uint8_t session[static SESSION_ID], const uint8_t device[static 32])
{
	int rc = 0;
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find(lobby, license);
	if (place && clock_mono_ms() < place->session_until_ms &&
		!memcmp(place->session, session, SESSION_ID))
		rc = memcmp(place->device, device, sizeof(place->device))
			     ? -REASON_FORBIDDEN
			     : 1;
	pthread_mutex_unlock(&lobby->lock);
	return rc;
}

void lobby_revoke(struct lobby *lobby, const char *license, int reason)
{
	pthread_mutex_lock(&lobby->lock);
	struct place *place = find_or_add(lobby, license);
	if (place) {
		place->revoked_ms = clock_mono_ms();
		place->revoked_reason = reason;
	}
	pthread_mutex_unlock(&lobby->lock);
}

void lobby_revoke_tenant(struct lobby *lobby, const char *tenant, int reason)
{
	pthread_mutex_lock(&lobby->lock);
	struct gone *gone = &lobby->gone[lobby->gone_next++ % GONE_MOST];
	snprintf(gone->tenant, sizeof(gone->tenant), "%s", tenant);
	gone->at_ms = clock_mono_ms();
	gone->reason = reason;
	pthread_mutex_unlock(&lobby->lock);
}

static int tenant_revoked(const struct lobby *lobby, const char *tenant,
	int64_t proved_ms)
{
	for (size_t i = 0; *tenant && i < GONE_MOST; i++)
		if (!strcmp(lobby->gone[i].tenant, tenant) &&
			proved_ms <= lobby->gone[i].at_ms)
			return lobby->gone[i].reason;
	return 0;
}

int lobby_revoked(struct lobby *lobby, const char *license, const char *tenant,
	int64_t proved_ms)
{
	pthread_mutex_lock(&lobby->lock);
	int reason = tenant_revoked(lobby, tenant, proved_ms);
	struct place *place = find(lobby, license);
	if (place && place->revoked_ms && proved_ms <= place->revoked_ms)
		reason = place->revoked_reason;
	pthread_mutex_unlock(&lobby->lock);
	return reason;
}

/* ---- who meets whom ---------------------------------------------------------------------- */

void lobby_await(struct leg *viewer)
{
	struct desk *desk = viewer->desk;
	switch (lobby_wait(desk->house->lobby, viewer)) {
	case 0:
		viewer->waiting_for_host = 1;
		viewer->wait_until_ms = viewer->asked_ms + desk->settings.grace_ms;
		break;
	case 1: /* it came in this moment */
		lobby_match(viewer);
		break;
	default:
		leg_refuse(viewer, REASON_BUSY, HOST_RETRY_MS, NULL);
	}
}

/* Waiting first: news that come while we look elsewhere are not missed. */
static void host_is_away(struct leg *viewer)
{
	/* Let in from the cache: for the host on this node alone. */
	if (viewer->cached) {
		leg_refuse(viewer, REASON_STORE_UNAVAILABLE, HOST_RETRY_MS, NULL);
		return;
	}
	if (viewer->wish->resume[0])
		lobby_await(viewer);
	if (viewer->state == HELLO_WAITING && !viewer->session && !viewer->moving &&
		!lobby_find(viewer->desk->house->lobby, viewer->license))
		elsewhere_seek(viewer);
}

/* Not who it is by name, only what tells one's own other device from a stranger's. */
static void refuse_in_use(struct leg *viewer, const struct session *seat)
{
	char detail[160], since[CLOCK_TEXT];
	clock_text(seat->started_ms ? seat->started_ms : clock_wall_ms(), since);
	snprintf(detail, sizeof(detail), "%s viewer, since %s",
		seat->ends[HELLO_VIEWER].kind, since);
	leg_refuse(viewer, REASON_LICENSE_IN_USE, HOST_RETRY_MS, detail);
}

/* The seat becomes free when the store has the old claim back; then the next one gets it. */
static void wait_for_seat(struct leg *viewer, struct leg *host)
{
	struct leg *before = desk_find_leg(host->desk, host->next_viewer);
	if (before && memcmp(before->device, viewer->device, sizeof(viewer->device))) {
		refuse_in_use(viewer, host->seat);
		return;
	}
	if (before)
		leg_refuse(before, REASON_TAKEN_OVER, 0, NULL);
	host->next_viewer = viewer->number;
}

static void meet(struct leg *viewer, struct leg *host)
{
	struct session *seat = host->seat;
	if (!seat) {
		session_open_start(host, viewer);
		return;
	}
	if (seat->state <= SESSION_LIVE && !seat->reason) {
		if (memcmp(seat->ends[HELLO_VIEWER].key, viewer->device,
			    sizeof(viewer->device))) {
			refuse_in_use(viewer, seat);
			return;
		}
		struct leg *before = seat->viewer;
		session_end(seat, REASON_TAKEN_OVER, NULL);
		if (before)
			leg_end(before, REASON_TAKEN_OVER);
	}
	if (host->seat)
		wait_for_seat(viewer, host);
	else
		session_open_start(host, viewer);
}

void lobby_match(struct leg *viewer)
{
	struct desk *desk = viewer->desk;
	struct lobby *lobby = desk->house->lobby;
	CHECK(viewer->state == HELLO_WAITING && viewer->wish);
	int revoked =
		lobby_revoked(lobby, viewer->license, viewer->tenant, viewer->proved_ms);
	if (revoked) {
		leg_refuse(viewer, revoked, 0, NULL);
		return;
	}
	struct desk *where = lobby_find(lobby, viewer->license);
	struct leg *host = lobby_host_here(lobby, viewer->license, desk);
	if (host)
		meet(viewer, host);
	else if (where && where != desk)
		leg_move(viewer, where);
	else
		host_is_away(viewer);
}
