#include "relay/elsewhere.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "relay/crossing.h"
#include "relay/desk.h"
#include "relay/leg.h"
#include "relay/lobby.h"
#include "rules/join.h"
#include "store/bus.h"
#include "store/state.h"
#include "store/store_open.h"

#define RETRY_MS 5000
#define COME_AGAIN_MS 1
#define SWEEP_PAGE 1000

/* ---- where ------------------------------------------------------------------------------- */

struct search {
	struct desk *desk;
	elsewhere_found done;
	void *ctx;
};

static void on_located(void *ctx, const struct state_answer *answer)
{
	struct search search = *(struct search *)ctx;
	struct whereabouts at;
	int status = answer->status;
	free(ctx);
	search.desk->asked--;
	if (!status && (!answer->holder || whereabouts_parse(answer->holder, &at))) {
		log_line(LOG_WARN, "a presence that cannot be read");
		status = -REASON_NOT_FOUND;
	}
	/* Ours, but it is not here: it has just gone. */
	if (!status && !strcmp(at.node, search.desk->house->node))
		status = -REASON_NOT_FOUND;
	search.done(search.ctx, status, status ? NULL : &at);
}

void elsewhere_find(struct desk *desk, const char *license, elsewhere_found done,
	void *ctx)
{
	struct search *search = malloc(sizeof(*search));
	if (!search) {
		done(ctx, -REASON_NO_MEMORY, NULL);
		return;
	}
	*search = (struct search){desk, done, ctx};
	desk->asked++;
	state_locate(desk->house->store->state, license, desk_box(desk), on_located,
		search);
}

int elsewhere_is_open(const struct leg *viewer, const struct whereabouts *at)
{
	/* Our own address: several nodes behind one, so nobody can choose among them. */
	return *at->address && strcmp(at->address, viewer->desk->house->at.address) &&
	       (!viewer->unreached || strcmp(at->address, viewer->unreached));
}

/* ---- the token --------------------------------------------------------------------------- */

struct issue {
	struct desk *desk;
	elsewhere_token done;
	void *ctx;
	char token[JOIN_TOKEN];
};

static void on_issued(void *ctx, const struct state_answer *answer)
{
	struct issue *issue = ctx;
	issue->desk->asked--;
	issue->done(issue->ctx, answer->status, issue->token);
	free(issue);
}

static int describe(const struct leg *viewer, const struct whereabouts *at, char **ret)
{
	struct join join = {.expires_ms = clock_wall_ms() + JOIN_MS,
		.resume_only = viewer->resume_only};
	text_clip(join.license, sizeof(join.license), viewer->license);
	text_clip(join.node, sizeof(join.node), at->node);
	text_clip(join.from, sizeof(join.from), viewer->desk->house->node);
	int r = digest_device(viewer->device, join.device);
	return r ? r : join_write(&join, ret);
}

void elsewhere_join(const struct leg *viewer, const struct whereabouts *at,
	elsewhere_token done, void *ctx)
{
	struct desk *desk = viewer->desk;
	struct issue *issue = malloc(sizeof(*issue));
	char id[JOIN_ID], *body = NULL;
	int r = issue ? join_generate(issue->token, id) : -REASON_NO_MEMORY;
	if (r == 0)
		r = describe(viewer, at, &body);
	if (r) {
		free(issue);
		done(ctx, r, NULL);
		return;
	}
	issue->desk = desk;
	issue->done = done;
	issue->ctx = ctx;
	struct state_doc doc = {STATE_JOIN, id, viewer->tenant, 0, body};
	desk->asked++;
	state_put(desk->house->store->state, &doc, desk_box(desk), on_issued, issue);
	free(body);
}

/* ---- viewers that are in ----------------------------------------------------------------- */

struct seek {
	struct desk *desk;
	uint64_t number;
};

static void give_up(struct leg *viewer, int reason)
{
	/* Whoever waits goes on waiting: the host may come here any moment. */
	if (!viewer->waiting_for_host)
		leg_refuse(viewer, reason, RETRY_MS, NULL);
}

void elsewhere_failed(struct leg *viewer)
{
	if (!viewer->waiting_for_host && viewer->wish->resume[0])
		lobby_await(viewer);
	else
		give_up(viewer, REASON_HOST_OFFLINE);
}

/* It comes again by itself, and is sent on at its PROVE: a leg that is in has no secrets left to show elsewhere.
 * One that resumes gets the reason that every viewer waits out. */
static void send_on(struct leg *viewer, const struct whereabouts *at)
{
	int resumes = viewer->wish->resume[0] != 0;
	log_line(LOG_INFO, "host elsewhere", LOG_S("license", viewer->license),
		LOG_S("leg", viewer->id), LOG_S("node", at->node));
	leg_refuse(viewer, resumes ? REASON_HOST_OFFLINE : REASON_HOST_ELSEWHERE,
		COME_AGAIN_MS, reason_text(REASON_HOST_ELSEWHERE, REASON_EN));
}

/* It works, but slower than it could, and whoever looks after the nodes would never hear of it. */
static void tell_unreached(const struct leg *viewer, const struct whereabouts *at)
{
	if (!viewer->unreached || strcmp(at->address, viewer->unreached))
		return;
	log_line(LOG_WARN, "a viewer cannot reach the node of its host",
		LOG_S("license", viewer->license), LOG_S("leg", viewer->id),
		LOG_S("kind", viewer->kind), LOG_S("node", at->node),
		LOG_S("address", at->address),
		LOG_S("see", strcmp(viewer->kind, "web") ? "node.address" : "web.nodes"));
}

static void on_sought(void *ctx, int status, const struct whereabouts *at)
{
	struct seek seek = *(struct seek *)ctx;
	free(ctx);
	struct leg *viewer = desk_find_leg(seek.desk, seek.number);
	if (!viewer || viewer->state != HELLO_WAITING || viewer->session ||
		!viewer->seeking)
		return;
	int again = viewer->seeking > 1;
	viewer->seeking = 0;
	if (again)
		elsewhere_seek(viewer);
	else if (lobby_find(seek.desk->house->lobby, viewer->license))
		leg_come_to_host(viewer);
	else if (!status && elsewhere_is_open(viewer, at))
		send_on(viewer, at);
	else if (!status && *at->peer) {
		tell_unreached(viewer, at);
		crossing_begin(viewer, at);
	} else if (!status || status == -REASON_NOT_FOUND)
		give_up(viewer, REASON_HOST_OFFLINE);
	else
		give_up(viewer, REASON_STORE_UNAVAILABLE);
}

void elsewhere_seek(struct leg *viewer)
{
	if (viewer->seeking) {
		viewer->seeking = 2; /* the answer under way may be too old */
		return;
	}
	struct seek *seek = malloc(sizeof(*seek));
	if (!seek) {
		give_up(viewer, REASON_NO_MEMORY);
		return;
	}
	*seek = (struct seek){viewer->desk, viewer->number};
	viewer->seeking = 1;
	elsewhere_find(viewer->desk, viewer->license, on_sought, seek);
}

/* ---- news -------------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void on_news(void *ctx, const char *topic, const char *json)
{
	struct desk *desk = ctx;
	(void)topic;
	/* Most news are of other things. */
	if (!strstr(json, "\"came\""))
		return;
	json_t *news = json_loads(json, 0, NULL);
	if (!strcmp(member(news, "type"), "host") &&
		!strcmp(member(news, "act"), "came") &&
		strcmp(member(news, "node"), desk->house->node))
		lobby_host_moved(desk->house->lobby, member(news, "id"));
	json_decref(news);
}

int elsewhere_listen(struct desk *desk)
{
	if (atomic_exchange(&desk->house->listens, 1))
		return 0;
	return bus_subscribe(desk->house->store->bus, ELSEWHERE_NEWS, desk_box(desk),
		on_news, desk, &desk->news);
}

void elsewhere_stop(struct desk *desk)
{
	bus_unsubscribe(desk->house->store->bus, desk->news);
	desk->news = NULL;
}

/* ---- what nobody came with --------------------------------------------------------------- */

static void on_swept(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	(void)answer; /* gone already, or it goes at the next sweep */
	desk->asked--;
}

static void on_listed(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	struct state *state = desk->house->store->state;
	int64_t now_ms = clock_wall_ms();
	desk->asked--;
	for (size_t i = 0; !answer->status && i < answer->count; i++) {
		const struct state_doc *doc = &answer->docs[i];
		struct join join;
		if (!join_read(doc->body, &join) && now_ms < join.expires_ms + JOIN_MS)
			continue;
		desk->asked++;
		state_remove(state, STATE_JOIN, doc->id, doc->version, desk_box(desk),
			on_swept, desk);
	}
}

void elsewhere_sweep(struct desk *desk)
{
	desk->asked++;
	state_list(desk->house->store->state, STATE_JOIN, NULL, NULL, SWEEP_PAGE,
		desk_box(desk), on_listed, desk);
}
