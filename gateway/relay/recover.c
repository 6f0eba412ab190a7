#include "relay/recover.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/desk.h"
#include "relay/meter.h"
#include "relay/record.h"
#include "relay/recover_nodes.h"
#include "relay/series_rows.h"
#include "relay/session.h"
#include "store/journal.h"
#include "store/state.h"
#include "store/store_open.h"

#define PAGE 200
#define HOUR_MS 3600000 /* for a clock that was set back during the session */
/* Whoever has one in his hands, or was about to write its row himself, is done by then; or by the time that he
 * counts as lost, where that is less. */
#define IN_HANDS_MS 30000

struct sweep {
	struct desk *desk;
	int64_t born_ms;
	enum state_kind reading; /* first the nodes, then the sessions */
};

/* A session that nobody carries any more, while the journal is asked what it has of it. */
struct orphan {
	struct desk *desk;
	char id[STATE_ID_MAX + 1]; /* of its document */
	uint64_t version;
	char tenant[STATE_TENANT_MAX + 1], license[17];
	json_t *body;
	char *away; /* its document while its ends may go on with it; NULL: it goes */
	int64_t started_ms, ended_ms;
	enum journal_kind asking;
	uint64_t after_seq;
	int closed;                 /* it has its closing row already */
	int only_look;              /* its node lives and writes the row itself */
	struct meter_count covered; /* by its bandwidth rows */
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

static struct orphan *orphan_free(struct orphan *orphan)
{
	if (orphan) {
		json_decref(orphan->body);
		free(orphan->away);
	}
	free(orphan);
	return NULL;
}

/* Its row is there. Its ends may be on their way to go on with it, so that it stays for the grace time, as after
 * a cut. */
static void leave_document(const struct orphan *orphan)
{
	struct desk *desk = orphan->desk;
	struct state_doc doc = {
		STATE_SESSION, orphan->id, orphan->tenant, orphan->version, orphan->away};
	if (!orphan->away) {
		remove_document(desk, orphan->id, orphan->version);
		return;
	}
	desk->asked++;
	state_put(desk->house->store->state, &doc, desk_box(desk), on_removed, desk);
}

static uint64_t number(const json_t *body, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(body, name));
}

/* ---- the rows that it gets --------------------------------------------------------------- */

static void on_written(void *ctx, const struct journal_answer *answer)
{
	struct orphan *orphan = ctx;
	orphan->desk->asked--;
	if (!answer->status)
		leave_document(orphan);
	orphan_free(orphan);
}

/* The document is the row, but for what only the end brings. */
static char *closing(const struct orphan *orphan, struct meter_count bytes)
{
	static const char *const gone[] = {"state", "seen", "until", "metered_to_viewer",
		"metered_to_host", "owed_ms", "closer", "closer_ms", "run"};
	json_t *body = orphan->body;
	char ended[CLOCK_TEXT];
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		json_object_del(body, gone[i]);
	clock_text(orphan->ended_ms, ended);
	json_object_set_new(body, "event", json_string("close"));
	json_object_set_new(body, "ended", json_string(ended));
	json_object_set_new(body, "duration_ms",
		json_integer(orphan->ended_ms - orphan->started_ms));
	json_object_set_new(body, "bytes_to_viewer",
		json_integer((json_int_t)bytes.to_viewer));
	json_object_set_new(body, "bytes_to_host",
		json_integer((json_int_t)bytes.to_host));
	/* A session that had ended already knows why. */
	if (!json_object_get(body, "reason"))
		json_object_set_new(body, "reason",
			json_string(reason_symbol(REASON_NODE_STOPPED)));
	json_object_set_new(body, "recovered", json_integer(1));
	json_object_set_new(body, "receipts", json_pack("{s:s}", "agree", "unknown"));
	return json_dumps(body, JSON_COMPACT);
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Both are the least that is covered: a row may be younger than the document, and may not be seen yet
 * while it is spooled. */
static struct meter_count covered(const struct orphan *orphan)
{
	return (struct meter_count){greater(orphan->covered.to_viewer,
					    number(orphan->body, "metered_to_viewer")),
		greater(orphan->covered.to_host,
			number(orphan->body, "metered_to_host"))};
}

static char *missing(const struct orphan *orphan, struct meter_count delta)
{
	const char *id = json_string_value(json_object_get(orphan->body, "id"));
	return record_bandwidth(id ? id : orphan->id, number(orphan->body, "fence"),
		delta, orphan->ended_ms);
}

/* The bytes that are in no bandwidth row yet and the closing row, all or none. */
static void write_rows(struct orphan *orphan)
{
	struct meter meter = {.written = covered(orphan)};
	meter.carried.to_viewer =
		greater(meter.written.to_viewer, number(orphan->body, "bytes_to_viewer"));
	meter.carried.to_host =
		greater(meter.written.to_host, number(orphan->body, "bytes_to_host"));
	struct meter_count due = meter_due(&meter);
	int is_due = due.to_viewer || due.to_host;
	char *delta = is_due ? missing(orphan, due) : NULL;
	char *close = closing(orphan, meter.carried);
	char series[JOURNAL_SERIES_MAX + 1];
	const char *id = json_string_value(json_object_get(orphan->body, "id"));
	struct journal_row rows[2];
	size_t count = 0;
	series_rows_name(id ? id : orphan->id, number(orphan->body, "fence"), series);
	if (!close || (is_due && !delta)) {
		orphan = orphan_free(orphan);
		goto out;
	}
	if (is_due)
		rows[count++] = (struct journal_row){JOURNAL_BANDWIDTH, orphan->tenant,
			orphan->license, orphan->ended_ms, delta, 0, NULL, {0}, series,
			JOURNAL_GOES_ON};
	rows[count++] =
		(struct journal_row){JOURNAL_SESSION, orphan->tenant, orphan->license,
			orphan->ended_ms, close, 0, NULL, {0}, series, JOURNAL_LAST};
	log_line(LOG_WARN, "session of a former run closed",
		LOG_S("session", orphan->id));
	orphan->desk->asked++;
	journal_append(orphan->desk->house->store->journal, rows, count,
		desk_box(orphan->desk), on_written, orphan);
out:
	free(delta);
	free(close);
}

/* ---- the rows that it has ---------------------------------------------------------------- */

static int is_text(const json_t *body, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(body, name));
	return value && text && !strcmp(value, text);
}

static void note_closed(struct orphan *orphan, const json_t *row)
{
	const char *reason = json_string_value(json_object_get(row, "reason"));
	orphan->closed = 1;
	if (!reason || !session_may_resume((int)reason_parse(reason))) {
		free(orphan->away);
		orphan->away = NULL;
	}
}

static void read_row(struct orphan *orphan, const struct journal_row *row)
{
	json_t *body = json_loads(row->body, 0, NULL);
	int is_closing = row->kind == JOURNAL_SESSION;
	const char *id = json_string_value(json_object_get(orphan->body, "id"));
	if (is_text(body, is_closing ? "id" : "session", id) &&
		number(body, "fence") == number(orphan->body, "fence")) {
		if (is_closing && is_text(body, "event", "close"))
			note_closed(orphan, body);
		orphan->covered.to_viewer +=
			is_closing ? 0 : number(body, "bytes_to_viewer");
		orphan->covered.to_host += is_closing ? 0 : number(body, "bytes_to_host");
	}
	json_decref(body);
}

static void ask_rows(struct orphan *orphan);

static void on_rows(void *ctx, const struct journal_answer *answer)
{
	struct orphan *orphan = ctx;
	orphan->desk->asked--;
	if (answer->status || orphan->desk->closing) {
		orphan_free(orphan); /* at the next sweep, or in the next run */
		return;
	}
	for (size_t i = 0; i < answer->count; i++)
		read_row(orphan, &answer->rows[i]);
	if (answer->count == JOURNAL_QUERY_MAX) {
		orphan->after_seq = answer->rows[answer->count - 1].seq;
		ask_rows(orphan);
	} else if (orphan->only_look && !orphan->closed) {
		orphan_free(orphan);
	} else if (orphan->closed) {
		leave_document(orphan);
		orphan_free(orphan);
	} else if (orphan->asking == JOURNAL_SESSION) {
		orphan->asking = JOURNAL_BANDWIDTH;
		orphan->after_seq = 0;
		ask_rows(orphan);
	} else {
		write_rows(orphan);
	}
}

static void ask_rows(struct orphan *orphan)
{
	struct journal_query query = {.kind = orphan->asking,
		.license = orphan->license,
		.from_ms =
			orphan->started_ms > HOUR_MS ? orphan->started_ms - HOUR_MS : 0,
		.after_seq = orphan->after_seq,
		.limit = JOURNAL_QUERY_MAX};
	orphan->desk->asked++;
	journal_query(orphan->desk->house->store->journal, &query, desk_box(orphan->desk),
		on_rows, orphan);
}

/* Its document as that of a session that was cut; NULL when nobody may go on with it, or will any more. */
static char *away(const struct orphan *orphan)
{
	const struct relay_settings *settings = &orphan->desk->settings;
	int64_t now_ms = clock_wall_ms(), until_ms = now_ms + settings->grace_ms;
	/* An end that was cut silently knows after three silences. */
	int64_t last_ms =
		orphan->ended_ms + settings->grace_ms + 3 * settings->keepalive_ms;
	const char *reason = json_string_value(json_object_get(orphan->body, "reason"));
	char until[CLOCK_TEXT];
	if (until_ms > last_ms)
		until_ms = last_ms;
	if (until_ms <= now_ms || is_text(orphan->body, "state", "owed") ||
		(reason && !session_may_resume((int)reason_parse(reason))))
		return NULL;
	json_t *body = json_copy(orphan->body);
	clock_text(until_ms, until);
	json_object_del(body, "closer");
	json_object_del(body, "closer_ms");
	json_object_set_new(body, "state", json_string("away"));
	json_object_set_new(body, "until", json_string(until));
	if (!reason)
		json_object_set_new(body, "reason",
			json_string(reason_symbol(REASON_NODE_STOPPED)));
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static struct orphan *orphan_new(struct desk *desk, const struct state_doc *doc,
	json_t *body)
{
	struct orphan *orphan = calloc(1, sizeof(*orphan));
	const char *license = json_string_value(json_object_get(body, "license"));
	if (!orphan)
		return NULL;
	orphan->body = json_incref(body);
	orphan->desk = desk;
	orphan->version = doc->version;
	orphan->asking = JOURNAL_SESSION;
	orphan->started_ms = moment(body, "started");
	orphan->ended_ms = moment(body, "seen");
	if (orphan->ended_ms < orphan->started_ms)
		orphan->ended_ms = orphan->started_ms;
	orphan->away = away(orphan);
	if (text_copy(orphan->id, sizeof(orphan->id), doc->id) ||
		text_copy(orphan->tenant, sizeof(orphan->tenant), doc->tenant) ||
		text_copy(orphan->license, sizeof(orphan->license),
			license ? license : ""))
		return orphan_free(orphan);
	return orphan;
}

static void on_taken(void *ctx, const struct state_answer *answer)
{
	struct orphan *orphan = ctx;
	orphan->desk->asked--;
	if (answer->status || !answer->count) {
		orphan_free(orphan); /* another node's, or resumed meanwhile */
		return;
	}
	orphan->version = answer->docs[0].version;
	ask_rows(orphan);
}

/* The one of all nodes that changes this version closes it. */
static void close_orphan(struct desk *desk, const struct state_doc *doc, json_t *body)
{
	struct orphan *orphan = orphan_new(desk, doc, body);
	if (!orphan)
		return;
	json_object_set_new(orphan->body, "closer", json_string(desk->house->node));
	json_object_set_new(orphan->body, "closer_ms", json_integer(clock_wall_ms()));
	char *text = json_dumps(orphan->body, JSON_COMPACT);
	if (!text) {
		orphan_free(orphan);
		return;
	}
	struct state_doc taken = *doc;
	taken.body = text;
	desk->asked++;
	state_put(desk->house->store->state, &taken, desk_box(desk), on_taken, orphan);
	free(text);
}

/* Its node lives: the document has only to go when the row is there. */
static void look_after(struct desk *desk, const struct state_doc *doc, json_t *body)
{
	struct orphan *orphan = orphan_new(desk, doc, body);
	if (!orphan)
		return;
	orphan->only_look = 1;
	ask_rows(orphan);
}

/* ---- looking for them -------------------------------------------------------------------- */

enum whose { OURS, OF_A_LOST_NODE, NOT_OURS };

static enum whose whose_turn(const struct sweep *sweep, const char *node)
{
	struct desk *desk = sweep->desk;
	if (!strcmp(node, desk->house->node))
		return OURS;
	return desk->nodes && recover_nodes_lost(desk->nodes, node, clock_mono_ms(),
				      desk->settings.node_lost_ms)
		       ? OF_A_LOST_NODE
		       : NOT_OURS;
}

static int is_in_hands(const struct sweep *sweep, const json_t *body, const char *since)
{
	int64_t lost_ms = sweep->desk->settings.node_lost_ms;
	int64_t at_ms = (int64_t)number(body, since), now_ms = clock_wall_ms();
	return at_ms <= now_ms &&
	       now_ms - at_ms < (lost_ms < IN_HANDS_MS ? lost_ms : IN_HANDS_MS);
}

/* One that somebody began to close: he is at it, or he is lost as well. */
static void look_at_taken(const struct sweep *sweep, const struct state_doc *doc,
	json_t *body, const char *closer)
{
	if (whose_turn(sweep, closer) != NOT_OURS &&
		!is_in_hands(sweep, body, "closer_ms"))
		close_orphan(sweep->desk, doc, body);
}

/* A clock that was set back makes what we carry look older than we are. */
static int is_of_this_run(const struct sweep *sweep, const json_t *body)
{
	const char *run = json_string_value(json_object_get(body, "run"));
	return run && *run ? !strcmp(run, sweep->desk->house->run)
			   : moment(body, "started") >= sweep->born_ms;
}

static void look_at_open(const struct sweep *sweep, const struct state_doc *doc,
	json_t *body, const char *node)
{
	enum whose whose = whose_turn(sweep, node);
	int owed = is_text(body, "state", "owed");
	int of_this_run = whose == OURS && is_of_this_run(sweep, body);
	if (owed && is_in_hands(sweep, body, "owed_ms"))
		return;
	if (owed && (whose == NOT_OURS || of_this_run))
		look_after(sweep->desk, doc, body);
	else if (whose != NOT_OURS && !of_this_run)
		close_orphan(sweep->desk, doc, body);
}

static void look_at(const struct sweep *sweep, const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *node = json_string_value(json_object_get(body, "node"));
	const char *closer = json_string_value(json_object_get(body, "closer"));
	if (node && is_text(body, "state", "away")) {
		if (moment(body, "until") < clock_wall_ms() &&
			whose_turn(sweep, node) != NOT_OURS)
			remove_document(sweep->desk, doc->id, doc->version);
	} else if (node && closer) {
		look_at_taken(sweep, doc, body, closer);
	} else if (node) {
		look_at_open(sweep, doc, body, node);
	}
	json_decref(body);
}

static void ask_page(struct sweep *sweep, const char *after);

static void read_page(const struct sweep *sweep, const struct state_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (sweep->reading == STATE_SESSION)
			look_at(sweep, &answer->docs[i]);
		else if (sweep->desk->nodes)
			recover_nodes_saw(sweep->desk->nodes, &answer->docs[i],
				clock_mono_ms());
}

static void on_page(void *ctx, const struct state_answer *answer)
{
	struct sweep *sweep = ctx;
	sweep->desk->asked--;
	if (answer->status || sweep->desk->closing) {
		free(sweep);
		return;
	}
	read_page(sweep, answer);
	if (answer->count == PAGE) {
		ask_page(sweep, answer->docs[PAGE - 1].id);
	} else if (sweep->reading == STATE_NODE) {
		sweep->reading = STATE_SESSION;
		ask_page(sweep, NULL);
	} else {
		free(sweep);
	}
}

static void ask_page(struct sweep *sweep, const char *after)
{
	sweep->desk->asked++;
	state_list(sweep->desk->house->store->state, sweep->reading, NULL, after, PAGE,
		desk_box(sweep->desk), on_page, sweep);
}

void recover_sweep(struct desk *desk, int64_t born_ms)
{
	struct sweep *sweep = malloc(sizeof(*sweep));
	if (!sweep)
		return;
	if (!desk->nodes)
		desk->nodes = recover_nodes_new();
	*sweep = (struct sweep){desk, born_ms, STATE_NODE};
	ask_page(sweep, NULL);
}
