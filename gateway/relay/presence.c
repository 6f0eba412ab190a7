#include "relay/presence.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "relay/desk.h"
#include "relay/elsewhere.h"
#include "relay/leg.h"
#include "store/bus.h"
#include "store/state.h"
#include "store/store_open.h"

#define TRIES 3 /* others change the document too: read it again and repeat */
#define REPORT_EVERY_MS 5000
#define RETRY_MS 1000
#define AGAIN_MS 3000  /* after the store did not take it */
#define SPREAD_MS 4000 /* of all hosts of a node, when all are due */

/* A change of one host's document, under way: read, change, write. */
struct update {
	struct desk *desk;
	int online, tries;
	char license[17], tenant[41], address[64];
	const char *act;           /* as pages of the console are told */
	char *program, *inventory; /* NULL: as it is */
	int64_t seen_ms;
};

static void read_doc(struct update *update);

static void done(struct update *update)
{
	update->desk->asked--;
	free(update->program);
	free(update->inventory);
	free(update);
}

static int set(json_t *body, const char *name, json_t *value)
{
	return json_object_set_new(body, name, value);
}

static char *changed(const struct update *update, const char *text)
{
	json_t *body = json_loads(text, 0, NULL);
	char *out = NULL;
	const char *node = json_string_value(json_object_get(body, "node"));
	/* It may be at another node by now, which has said so before us. */
	int is_elsewhere =
		!update->online && node && strcmp(node, update->desk->house->node) != 0;
	if (!json_is_object(body) || is_elsewhere) {
		json_decref(body);
		return NULL;
	}
	set(body, "online", json_integer(update->online));
	set(body, "seen", json_integer(update->seen_ms));
	if (update->online) {
		set(body, "node", json_string(update->desk->house->node));
		set(body, "address", json_string(update->address));
	}
	if (update->program)
		set(body, "program", json_string(update->program));
	json_t *inventory =
		update->inventory ? json_loads(update->inventory, 0, NULL) : NULL;
	if (inventory)
		set(body, "inventory", inventory);
	out = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return out;
}

/* Not told, it is seen when somebody looks again. */
static void tell(const struct update *update)
{
	json_t *news = json_pack("{s:s, s:s, s:s, s:s}", "type", "host", "act",
		update->act, "id", update->license, "tenant", update->tenant);
	char *text = news ? json_dumps(news, JSON_COMPACT) : NULL;
	if (!text || bus_publish(update->desk->house->store->bus, "news", text))
		log_line(LOG_DEBUG, "news not told", LOG_S("license", update->license));
	free(text);
	json_decref(news);
}

static void on_written(void *ctx, const struct state_answer *answer)
{
	struct update *update = ctx;
	if (answer->status == -REASON_CONFLICT && ++update->tries < TRIES) {
		read_doc(update);
		return;
	}
	if (!answer->status)
		tell(update);
	done(update);
}

static void on_read(void *ctx, const struct state_answer *answer)
{
	struct update *update = ctx;
	char *body = answer->status || !answer->count
			     ? NULL
			     : changed(update, answer->docs[0].body);
	if (!body) {
		done(update);
		return;
	}
	struct state_doc doc = answer->docs[0];
	doc.body = body;
	state_put(update->desk->house->store->state, &doc, desk_box(update->desk),
		on_written, update);
	free(body);
}

static void read_doc(struct update *update)
{
	state_get(update->desk->house->store->state, STATE_HOST, update->license,
		desk_box(update->desk), on_read, update);
}

static void update_doc(struct leg *leg, int online, const char *act)
{
	struct update *update = calloc(1, sizeof(*update));
	if (!update)
		return;
	update->desk = leg->desk;
	update->online = online;
	update->act = act;
	text_clip(update->tenant, sizeof(update->tenant), leg->tenant);
	update->seen_ms = clock_wall_ms();
	text_clip(update->license, sizeof(update->license), leg->license);
	text_clip(update->address, sizeof(update->address), leg->address);
	update->program = online ? strdup(leg->program) : NULL;
	update->inventory = leg->inventory;
	leg->inventory = NULL;
	leg->desk->asked++;
	read_doc(update);
}

/* ---- the lease --------------------------------------------------------------------------- */

/* An announcement under way. */
struct announcement {
	struct desk *desk;
	uint64_t number;
	int first;
	char license[17], tenant[41];
};

/* Other nodes look again for viewers that wait, and for older legs of this host. */
static void tell_nodes(const struct announcement *announcement)
{
	struct house *house = announcement->desk->house;
	json_t *news = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "host", "act",
		"came", "id", announcement->license, "tenant", announcement->tenant,
		"node", house->node);
	char *text = news ? json_dumps(news, JSON_COMPACT) : NULL;
	if (!text || bus_publish(house->store->bus, ELSEWHERE_NEWS, text))
		log_line(LOG_DEBUG, "news not told",
			LOG_S("license", announcement->license));
	free(text);
	json_decref(news);
}

static void sooner(struct leg *leg, int64_t within_ms)
{
	int64_t at_ms = clock_mono_ms() + within_ms;
	if (leg->announce_ms > at_ms)
		leg->announce_ms = at_ms;
}

static void on_announced(void *ctx, const struct state_answer *answer)
{
	struct announcement *announcement = ctx;
	struct leg *leg = desk_find_leg(announcement->desk, announcement->number);
	announcement->desk->asked--;
	if (answer->status) {
		metrics_reason(METRIC_PRESENCE_FAILED, answer->status);
		log_line(LOG_DEBUG, "presence not renewed",
			LOG_S("license", announcement->license),
			LOG_S("reason", reason_symbol(answer->status)));
	} else {
		metrics_add(METRIC_PRESENCE, 1);
		if (announcement->first)
			tell_nodes(announcement);
		if (leg)
			leg->announced = 1;
	}
	if (leg && answer->status && answer->status != -REASON_CONFLICT)
		sooner(leg, AGAIN_MS);
	/* Nobody can find it until then. */
	if (leg && announcement->first && answer->status)
		leg->announce_ms = clock_mono_ms() + RETRY_MS;
	if (leg && answer->status == -REASON_CONFLICT)
		leg_end(leg, REASON_HOST_REPLACED); /* it came at another node since */
	free(announcement);
}

static void announce(struct leg *leg, int64_t now_ms)
{
	struct desk *desk = leg->desk;
	struct state *state = desk->house->store->state;
	int64_t ttl_ms = desk->settings.presence_ttl_ms;
	char value[WHEREABOUTS_TEXT];
	struct announcement *announcement = malloc(sizeof(*announcement));
	leg->announce_ms = now_ms + desk->settings.presence_renew_ms;
	leg->emptied = store_health_emptied(desk->house->store);
	if (!announcement || whereabouts_print(&desk->house->at, value)) {
		free(announcement);
		return;
	}
	*announcement =
		(struct announcement){desk, leg->number, !leg->announced, {0}, {0}};
	text_clip(announcement->license, sizeof(announcement->license), leg->license);
	text_clip(announcement->tenant, sizeof(announcement->tenant), leg->tenant);
	desk->asked++;
	/* Who comes takes the place; who only stays leaves it to whoever came later. */
	if (announcement->first)
		state_announce(state, leg->license, desk->house->node, value, ttl_ms,
			desk_box(desk), on_announced, announcement);
	else
		state_stay(state, leg->license, desk->house->node, value, ttl_ms,
			desk_box(desk), on_announced, announcement);
}

void presence_make_sure(struct leg *leg)
{
	/* Before its own announcement is there, it is the newest itself. */
	if (leg->announced)
		announce(leg, clock_mono_ms());
}

static void on_withdrawn(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	desk->asked--;
	if (answer->status)
		log_line(LOG_DEBUG, "presence not withdrawn",
			LOG_S("reason", reason_symbol(answer->status)));
}

void presence_host_came(struct leg *leg)
{
	announce(leg, clock_mono_ms());
	update_doc(leg, 1, "online");
}

void presence_host_left(struct leg *leg)
{
	struct desk *desk = leg->desk;
	/* A newer leg of the same host stands in the lobby already: it is online. */
	if (leg->was_replaced)
		return;
	desk->asked++;
	state_withdraw(desk->house->store->state, leg->license, desk->house->node,
		desk_box(desk), on_withdrawn, desk);
	update_doc(leg, 0, "offline");
}

void presence_host_reports(struct leg *leg, const char *inventory)
{
	free(leg->inventory);
	leg->inventory = strdup(inventory);
}

void presence_tick(struct leg *leg, int64_t now_ms)
{
	/* A store that lost everything knows of nobody: all are announced again, but not all at once. */
	if (leg->emptied != store_health_emptied(leg->desk->house->store)) {
		leg->emptied = store_health_emptied(leg->desk->house->store);
		sooner(leg, (int64_t)(leg->number % SPREAD_MS));
	}
	if (now_ms >= leg->announce_ms)
		announce(leg, now_ms);
	if (leg->inventory && now_ms >= leg->report_ms) {
		leg->report_ms = now_ms + REPORT_EVERY_MS;
		update_doc(leg, 1, "changed");
	}
}
