#include "relay/recover.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/desk.h"
#include "store/journal.h"
#include "store/state.h"
#include "store/store_open.h"

#define PAGE 200

struct sweep {
	struct desk *desk;
	int64_t born_ms;
};

struct orphan {
	struct desk *desk;
	char id[STATE_ID_MAX + 1];
	uint64_t version;
};

static int64_t moment(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));
	int64_t ms = 0;
	return text && !clock_parse(text, &ms) ? ms : 0;
}

static void on_removed(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	(void)answer; /* resumed meanwhile: another's document now */
	desk->asked--;
}

static void remove_document(struct desk *desk, const char *id, uint64_t version)
{
	desk->asked++;
	state_remove(desk->house->store->state, STATE_SESSION, id, version,
		desk_box(desk), on_removed, desk);
}

static void on_row(void *ctx, const struct journal_answer *answer)
{
	struct orphan *orphan = ctx;
	orphan->desk->asked--;
	if (!answer->status)
		remove_document(orphan->desk, orphan->id, orphan->version);
	free(orphan);
}

/* The document is the row, but for what only the end brings. */
static char *closing(json_t *body)
{
	int64_t started_ms = moment(body, "started"), ended_ms = moment(body, "seen");
	char ended[CLOCK_TEXT];
	if (ended_ms < started_ms)
		ended_ms = started_ms;
	clock_text(ended_ms, ended);
	json_object_del(body, "state");
	json_object_del(body, "seen");
	json_object_del(body, "until");
	json_object_set_new(body, "event", json_string("close"));
	json_object_set_new(body, "ended", json_string(ended));
	json_object_set_new(body, "duration_ms", json_integer(ended_ms - started_ms));
	json_object_set_new(body, "reason",
		json_string(reason_symbol(REASON_NODE_STOPPED)));
	json_object_set_new(body, "recovered", json_integer(1));
	json_object_set_new(body, "receipts", json_pack("{s:s}", "agree", "unknown"));
	return json_dumps(body, JSON_COMPACT);
}

static void close_orphan(struct desk *desk, const struct state_doc *doc, json_t *body)
{
	struct orphan *orphan = calloc(1, sizeof(*orphan));
	const char *license = json_string_value(json_object_get(body, "license"));
	char *text = closing(body);
	if (!orphan || !text || text_copy(orphan->id, sizeof(orphan->id), doc->id)) {
		free(orphan);
		free(text);
		return;
	}
	orphan->desk = desk;
	orphan->version = doc->version;
	struct journal_row row = {JOURNAL_SESSION, doc->tenant, license ? license : "",
		clock_wall_ms(), text, 0, NULL, {0}};
	log_line(LOG_WARN, "session of a former run closed", LOG_S("session", doc->id));
	desk->asked++;
	journal_append(desk->house->store->journal, &row, 1, desk_box(desk), on_row,
		orphan);
	free(text);
}

static void look_at(const struct sweep *sweep, const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *node = json_string_value(json_object_get(body, "node"));
	const char *state = json_string_value(json_object_get(body, "state"));
	if (node && state && !strcmp(node, sweep->desk->house->node)) {
		int is_old = moment(body, "started") < sweep->born_ms;
		if (!strcmp(state, "live") && is_old)
			close_orphan(sweep->desk, doc, body);
		else if (!strcmp(state, "away") && is_old &&
			 moment(body, "until") < clock_wall_ms())
			remove_document(sweep->desk, doc->id, doc->version);
	}
	json_decref(body);
}

static void ask_page(struct sweep *sweep, const char *after);

static void on_page(void *ctx, const struct state_answer *answer)
{
	struct sweep *sweep = ctx;
	sweep->desk->asked--;
	for (size_t i = 0; !answer->status && i < answer->count; i++)
		look_at(sweep, &answer->docs[i]);
	if (!answer->status && answer->count == PAGE && !sweep->desk->closing)
		ask_page(sweep, answer->docs[PAGE - 1].id);
	else
		free(sweep);
}

static void ask_page(struct sweep *sweep, const char *after)
{
	sweep->desk->asked++;
	state_list(sweep->desk->house->store->state, STATE_SESSION, NULL, after, PAGE,
		desk_box(sweep->desk), on_page, sweep);
}

void recover_sweep(struct desk *desk, int64_t born_ms)
{
	struct sweep *sweep = malloc(sizeof(*sweep));
	if (!sweep)
		return;
	*sweep = (struct sweep){desk, born_ms};
	ask_page(sweep, NULL);
}
