#include "relay/series_rows.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "relay/session_inside.h"

#define DAY_MS INT64_C(86400000) /* for a clock that was set back during the session */

struct sum {
	struct session *session;
	uint64_t after_seq;
	struct meter_count bytes;
	series_rows_summed summed;
};

void series_rows_name(const char *id, uint64_t fence,
	char ret[static JOURNAL_SERIES_MAX + 1])
{
	snprintf(ret, JOURNAL_SERIES_MAX + 1, "%.*s~%" PRIu64, SESSION_ID_TEXT, id,
		fence);
}

static uint64_t number(const json_t *body, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(body, name));
}

static void add_row(struct sum *sum, const struct journal_row *row)
{
	json_t *body = json_loads(row->body, 0, NULL);
	const char *id = json_string_value(json_object_get(body, "session"));
	if (id && !strcmp(id, sum->session->id_text) &&
		number(body, "fence") == sum->session->fence) {
		sum->bytes.to_viewer += number(body, "bytes_to_viewer");
		sum->bytes.to_host += number(body, "bytes_to_host");
	}
	json_decref(body);
}

static void ask(struct sum *sum);

static void on_rows(void *ctx, const struct journal_answer *answer)
{
	struct sum *sum = ctx;
	struct session *session = session_answered(sum->session);
	for (size_t i = 0; i < answer->count && !answer->status; i++)
		add_row(sum, &answer->rows[i]);
	if (!answer->status && answer->count == JOURNAL_QUERY_MAX) {
		sum->after_seq = answer->rows[answer->count - 1].seq;
		ask(sum);
		return;
	}
	sum->summed(session, answer->status, sum->bytes);
	free(sum);
	session_settle(session);
}

static void ask(struct sum *sum)
{
	struct session *session = sum->session;
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH,
		.license = session->license,
		.from_ms =
			session->started_ms > DAY_MS ? session->started_ms - DAY_MS : 0,
		.after_seq = sum->after_seq,
		.limit = JOURNAL_QUERY_MAX};
	session_ask(session);
	journal_query(session->desk->house->store->journal, &query, session_box(session),
		on_rows, sum);
}

void series_rows_sum(struct session *session, series_rows_summed summed)
{
	struct sum *sum = calloc(1, sizeof(*sum));
	if (!sum) {
		summed(session, -REASON_NO_MEMORY, (struct meter_count){0});
		return;
	}
	*sum = (struct sum){.session = session, .summed = summed};
	ask(sum);
}
