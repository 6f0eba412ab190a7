#include "alert/alert_states.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define STEP 500
#define NODES_MOST 256
#define NODE_FRESH_MS 35000

static int lasts(const struct alert_states *states, const struct alert *rule,
	const struct alert_case *what)
{
	struct alarm alarm;

	if (!alert_book_lasts(states->book, rule, what->subject, clock_wall_ms()))
		return 0;
	int status = alert_raise(states->raise, rule, what, &alarm);
	if (!status)
		alert_book_raised(states->book, rule, &alarm);
	return status;
}

static void end_one(void *ctx, const char *alarm)
{
	alert_raise_over(ctx, alarm, clock_wall_ms());
}

void alert_states_end(const struct alert_states *states, enum alert_when when)
{
	alert_book_sweep_states(states->book, when, end_one, (void *)states->raise);
}

/* nodes */

struct nodes {
	size_t count;
	struct {
		char id[65];
		int64_t seen_ms;
	} items[NODES_MOST];
};

static int list_nodes(const struct alert_states *states, struct nodes *ret)
{
	struct store_docs docs = {0};
	int status = store_wait_list(states->raise->store->state, STATE_NODE, NULL, NULL,
		NODES_MOST, &docs);

	ret->count = 0;
	for (size_t i = 0; !status && i < docs.count; i++) {
		json_t *body = json_loads(docs.docs[i].body, 0, NULL);
		text_clip(ret->items[i].id, sizeof(ret->items[i].id), docs.docs[i].id);
		ret->items[i].seen_ms = json_integer_value(json_object_get(body, "seen"));
		ret->count++;
		json_decref(body);
	}
	store_docs_free(&docs);
	return status;
}

/* A state that began so long ago that the rule wants to know: the moment of that is the alarm's, the
 * same however often it is looked at. */
static int away(const struct alert_states *states, const struct alert *rule,
	struct alert_case *what, int64_t since_ms)
{
	int64_t now_ms = clock_wall_ms();

	if (!since_ms || now_ms - since_ms < rule->window_ms)
		return 0;
	what->at_ms = since_ms + rule->window_ms;
	what->value = (now_ms - since_ms) / 1000;
	return lasts(states, rule, what);
}

int alert_states_nodes(const struct alert_states *states)
{
	struct nodes nodes;
	const struct alert *rule;
	size_t at = 0;
	int status = list_nodes(states, &nodes);

	while (!status &&
		(rule = alert_book_rule(states->book, ALERT_NODE_AWAY, NULL, &at)))
		for (size_t i = 0; !status && i < nodes.count; i++) {
			struct alert_case what = {
				.subject = nodes.items[i].id, .license = ""};
			status = away(states, rule, &what, nodes.items[i].seen_ms);
		}
	if (!status)
		alert_states_end(states, ALERT_NODE_AWAY);
	return status;
}

/* hosts */

static int node_is_fresh(const struct nodes *nodes, const char *id, int64_t now_ms)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (!strcmp(nodes->items[i].id, id))
			return now_ms - nodes->items[i].seen_ms < NODE_FRESH_MS;
	return 0;
}

static int is_present(const struct alert_states *states, const char *license)
{
	struct store_docs docs = {0};
	int status = store_wait_locate(states->raise->store->state, license, &docs);

	store_docs_free(&docs);
	return !status;
}

/* Since when a host is away; 0: it is there, or never was. The document says so, unless the node that
 * would have written it died. */
static int64_t host_away_since(const struct alert_states *states,
	const struct nodes *nodes, const struct state_doc *doc, const json_t *body)
{
	const json_t *online = json_object_get(body, "online");
	const char *node = json_string_value(json_object_get(body, "node"));
	int64_t seen_ms = json_integer_value(json_object_get(body, "seen"));

	if (!online || !seen_ms)
		return 0;
	if (!json_integer_value(online))
		return seen_ms;
	if ((node && node_is_fresh(nodes, node, clock_wall_ms())) ||
		is_present(states, doc->id))
		return 0;
	return seen_ms;
}

static int look_at_host(const struct alert_states *states, const struct nodes *nodes,
	const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *name = json_string_value(json_object_get(body, "name"));
	int64_t since_ms = host_away_since(states, nodes, doc, body);
	char subject[ALERT_SUBJECT_SIZE], clean[100];
	const struct alert *rule;
	size_t at = 0;
	int status = 0;

	field_plain(clean, sizeof(clean), name ? name : "");
	snprintf(subject, sizeof(subject), "%.40s (%s)", doc->id, clean);
	while (!status && since_ms &&
		(rule = alert_book_rule(states->book, ALERT_HOST_AWAY, doc->tenant,
			 &at))) {
		struct alert_case what = {.subject = subject, .license = doc->id};
		status = away(states, rule, &what, since_ms);
	}
	json_decref(body);
	return status;
}

int alert_states_hosts(const struct alert_states *states)
{
	char last[STATE_ID_MAX + 1] = "";
	size_t count = STEP;
	struct nodes nodes;
	int status = list_nodes(states, &nodes);

	while (!status && count == STEP) {
		struct store_docs docs = {0};
		status = store_wait_list(states->raise->store->state, STATE_HOST, NULL,
			*last ? last : NULL, STEP, &docs);
		count = docs.count;
		for (size_t i = 0; !status && i < count; i++)
			status = look_at_host(states, &nodes, &docs.docs[i]);
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	if (!status)
		alert_states_end(states, ALERT_HOST_AWAY);
	return status;
}

/* this node */

int alert_states_low(const struct alert_states *states, enum alert_when when,
	int64_t value)
{
	const struct alert_case what = {.subject = states->raise->node,
		.license = "",
		.at_ms = clock_wall_ms(),
		.value = value};
	const struct alert *rule;
	size_t at = 0;
	int status = 0;

	while (!status && (rule = alert_book_rule(states->book, when, "", &at)))
		if (value < rule->threshold)
			status = lasts(states, rule, &what);
	if (!status)
		alert_states_end(states, when);
	return status;
}

int alert_states_disk(const struct alert_states *states)
{
	struct statvfs disk;

	if (statvfs(states->dir, &disk) || !disk.f_blocks)
		return 0;
	return alert_states_low(states, ALERT_DISK,
		(int64_t)(100 * disk.f_bavail / disk.f_blocks));
}

int alert_states_outage(const struct alert_states *states, const char *what_fails,
	int64_t since_ms)
{
	char subject[ALERT_SUBJECT_SIZE];
	struct alert_case what = {.subject = subject, .license = ""};
	const struct alert *rule;
	size_t at = 0;
	int status = 0;

	snprintf(subject, sizeof(subject), "%s %s", states->raise->node, what_fails);
	while (!status && (rule = alert_book_rule(states->book, ALERT_OUTAGE, "", &at)))
		status = away(states, rule, &what, since_ms);
	return status;
}
