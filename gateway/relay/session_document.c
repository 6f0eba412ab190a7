#include "relay/session_document.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "relay/record.h"
#include "relay/session_inside.h"
#include "store/state.h"

#define SHOW_MS 750    /* with the grain of the desk's tick about a second */
#define STALE_MS 60000 /* written again although nothing changed */
#define FAILED_MS 5000 /* a store that is away is not asked every second */
#define REREADS 3

static void on_put(void *ctx, const struct state_answer *answer);

static void put(struct session *session)
{
	struct state_doc doc = {STATE_SESSION, session->id_text, session->tenant,
		session->document_version, NULL};
	char *body = record_document(session);
	if (!body)
		return;
	doc.body = body;
	session->documented = 1;
	session->document_busy = 1;
	session->document_due = 0;
	session->shown = session->meter.carried;
	session->shown_covered = session_covered(session);
	session->shown_ms = clock_mono_ms();
	session->show_ms = session->shown_ms + SHOW_MS;
	session->stale_ms = session->shown_ms + STALE_MS;
	state_put(session_store(session), &doc, session_box(session), on_put,
		session_ask(session));
	free(body);
}

void session_document_show(struct session *session)
{
	if (session->document_busy)
		session->document_due = 1;
	else
		put(session);
}

static uint64_t fence_of(const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	uint64_t fence = (uint64_t)json_integer_value(json_object_get(body, "fence"));
	json_decref(body);
	return fence;
}

/* A store that is away gets its document out later; a node that stops does not wait for that. */
static void remove_later(struct session *session)
{
	if (session->desk->closing)
		session->documented = 0;
	else
		session->state_until_ms = clock_mono_ms() + FAILED_MS;
}

/* A former session of this id wrote its last word after we had read it, or took the document out; or a
 * later one has it now, and it is not ours any more. */
static void on_reread(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	session->document_busy = 0;
	session->document_due = 0;
	if (!answer->status && answer->count) {
		session->document_lost = fence_of(answer->docs) > session->fence;
		session->document_version = answer->docs[0].version;
	} else if (answer->status == -REASON_NOT_FOUND) {
		session->document_lost = session->state != SESSION_LIVE;
		session->document_version = 0;
	}
	if (session->document_lost)
		session->documented = 0;
	else if (!answer->status || answer->status == -REASON_NOT_FOUND)
		session->document_due = !session->removing;
	else if (session->removing)
		remove_later(session);
	if (session->document_due)
		put(session);
	session_settle(session);
}

static void read_again(struct session *session)
{
	session->document_busy = 1;
	state_get(session_store(session), STATE_SESSION, session->id_text,
		session_box(session), on_reread, session_ask(session));
}

static void not_before(struct session *session, int64_t at_ms)
{
	if (session->show_ms < at_ms)
		session->show_ms = at_ms;
}

static void on_put(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	int64_t now_ms = clock_mono_ms();
	int is_changed =
		answer->status == -REASON_CONFLICT || answer->status == -REASON_NOT_FOUND;
	session->document_busy = 0;
	not_before(session, now_ms + (now_ms - session->shown_ms));
	if (!answer->status && answer->count) {
		session->document_version = answer->docs[0].version;
		session->rereads = 0;
	} else if (is_changed && session->rereads++ < REREADS) {
		read_again(session);
	} else if (answer->status) {
		session->stale_ms = 0;
		session->rereads = 0;
		not_before(session, now_ms + FAILED_MS);
	}
	if (session->document_due && !session->document_busy)
		put(session);
	session_settle(session);
}

static int is_same(struct meter_count a, struct meter_count b)
{
	return a.to_viewer == b.to_viewer && a.to_host == b.to_host;
}

void session_document_tick(struct session *session, int64_t now_ms)
{
	if (session->document_busy || session->document_lost || now_ms < session->show_ms)
		return;
	if (now_ms >= session->stale_ms ||
		!is_same(session->shown, session->meter.carried) ||
		!is_same(session->shown_covered, session_covered(session)))
		put(session);
}

void session_document_close(struct session *session)
{
	if (session->documented)
		session_document_show(session);
}

void session_document_leave(struct session *session)
{
	int64_t grace_ms = session->desk->settings.grace_ms;
	if (!session->documented)
		return;
	if (!session_may_resume(session->reason) || !grace_ms) {
		session->state_until_ms = 0;
		return;
	}
	session->state_until_ms = clock_mono_ms() + grace_ms;
	session->away_until_ms = clock_wall_ms() + grace_ms;
	session_document_show(session);
}

/* ---- what a former part of it left behind --------------------------------------------------- */

struct owing {
	struct session *session;
	void (*done)(struct session *session, int status);
};

int session_document_is_owed(const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *state = json_string_value(json_object_get(body, "state"));
	int owed = state && strcmp(state, "away") != 0;
	json_decref(body);
	return owed;
}

static void on_owed(void *ctx, const struct state_answer *answer)
{
	struct owing owing = *(struct owing *)ctx;
	struct session *session = session_answered(owing.session);
	free(ctx);
	/* It may be there already: an attempt before this one did not come further. */
	owing.done(session, answer->status == -REASON_CONFLICT ? 0 : answer->status);
}

static char *owed_body(const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	json_object_set_new(body, "state", json_string("owed"));
	json_object_set_new(body, "owed_ms", json_integer(clock_wall_ms()));
	json_object_del(body, "closer");
	json_object_del(body, "closer_ms");
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

void session_document_owe(struct session *session, const struct state_doc *doc,
	void (*done)(struct session *session, int status))
{
	char id[SESSION_ID_TEXT + 24];
	struct owing *owing = malloc(sizeof(*owing));
	char *body = owed_body(doc);
	if (!owing || !body) {
		free(owing);
		free(body);
		done(session, -REASON_NO_MEMORY);
		return;
	}
	*owing = (struct owing){session, done};
	snprintf(id, sizeof(id), "%s~%llu", session->id_text,
		(unsigned long long)fence_of(doc));
	struct state_doc owed = {STATE_SESSION, id, doc->tenant, 0, body};
	session_ask(session);
	state_put(session_store(session), &owed, session_box(session), on_owed, owing);
	free(body);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Another version than the last one that we know of: a write of ours whose answer was lost, or another's
 * session by now. The document tells. */
static void on_removed(void *ctx, const struct state_answer *answer)
{
	struct session *session = session_answered(ctx);
	if (!answer->status || answer->status == -REASON_NOT_FOUND)
		session->documented = 0;
	else if (answer->status == -REASON_CONFLICT)
		read_again(session);
	else
		remove_later(session);
	session_settle(session);
}

void session_document_remove(struct session *session)
{
	if (session->desk->closing && session_may_resume(session->reason)) {
		session->documented = 0; /* the next node reads it */
		return;
	}
	session->removing = 1;
	if (session->document_version)
		state_remove(session_store(session), STATE_SESSION, session->id_text,
			session->document_version, session_box(session), on_removed,
			session_ask(session));
	else
		read_again(session); /* no write was answered well: none may be there */
}
