#include "relay/session_rows.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "metrics/metrics.h"
#include "relay/record.h"
#include "relay/series_rows.h"
#include "relay/session_document.h"
#include "relay/session_inside.h"
#include "rules/audit.h"
#include "store/journal.h"
#include "wire/hello.h"

#define HOUR_MS INT64_C(3600000)
#define ROW_RETRY_MS 1000 /* a row that the journal did not take */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void row_failed(struct session *session)
{
	session->flush_ms = clock_mono_ms() + ROW_RETRY_MS;
	meter_take_back(&session->meter, session->flushed);
	metrics_add(METRIC_ROWS_RETRIED, 1);
	log_line(LOG_WARN, "row not taken by the journal",
		LOG_S("session", session->id_text));
}

/* Another node's closing row, with the bandwidth row that comes with it, and what we wrote before and, from the
 * spool, after that: what is still due is what we carried beyond all of it. */
static void on_summed(struct session *session, int status, struct meter_count bytes)
{
	struct meter *meter = &session->meter;
	session->flushing = 0;
	session->flush_ms = clock_mono_ms() + ROW_RETRY_MS;
	if (status)
		return;
	session->closed_elsewhere = 1;
	meter->written.to_viewer = least(bytes.to_viewer, meter->carried.to_viewer);
	meter->written.to_host = least(bytes.to_host, meter->carried.to_host);
}

/* Its rows are not taken any more: others took this node for lost. */
static void sum_up(struct session *session)
{
	meter_take_back(&session->meter, session->flushed);
	session->flushed = (struct meter_count){0};
	session->flushing = 1;
	log_line(LOG_WARN, "another node has closed this session in the journal",
		LOG_S("session", session->id_text), LOG_U("fence", session->fence));
	series_rows_sum(session, on_summed);
}

static void on_flushed(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	session->flushing = 0;
	if (answer->status)
		row_failed(session);
	else if (answer->left_out)
		sum_up(session);
	session_settle(session);
}

static void set_written(struct session *session)
{
	session->written = 1;
	if (record_agreement(session) == RECORD_DIFFER)
		metrics_add(METRIC_RECEIPTS_DIFFER, 1);
	session_document_leave(session);
}

static void on_closing_written(void *ctx, const struct journal_answer *answer)
{
	struct session *session = session_answered(ctx);
	session->flushing = 0;
	if (answer->status) {
		row_failed(session);
	} else if (answer->left_out) {
		sum_up(session);
	} else {
		set_written(session);
	}
	session_settle(session);
}

void session_rows_begin(struct session *session, int64_t now_ms)
{
	int64_t wall_ms = clock_wall_ms(), left_ms = HOUR_MS - wall_ms % HOUR_MS;
	int64_t every_ms = session->desk->settings.meter_ms;
	session->row_since_ms = wall_ms;
	session->flush_ms = now_ms + (every_ms < left_ms ? every_ms : left_ms);
}

/* Names the series that the closing row ends; what is written after another's belongs to none. */
static void of_series(const struct session *session, struct journal_row *rows,
	size_t count, char series[static JOURNAL_SERIES_MAX + 1])
{
	series_rows_name(session->id_text, session->fence, series);
	for (size_t i = 0; i < count && !session->closed_elsewhere; i++)
		rows[i].series = series;
}

static size_t bandwidth_row(struct session *session, struct journal_row *row,
	int64_t at_ms, char **ret_body)
{
	session->flushed = meter_due(&session->meter);
	*ret_body = NULL;
	if (!session->flushed.to_viewer && !session->flushed.to_host)
		return 0;
	/* A row that is late, by the grain of the tick or because the journal was away, is about the hour in
	 * which it began. */
	*ret_body = record_bandwidth(session->id_text, session->fence, session->flushed,
		session->row_since_ms);
	*row = (struct journal_row){JOURNAL_BANDWIDTH, session->tenant, session->license,
		at_ms, *ret_body, 0, NULL, {0}, NULL, JOURNAL_GOES_ON};
	return *ret_body ? 1 : 0;
}

void session_rows_flush(struct session *session, int64_t now_ms)
{
	struct journal_row row;
	char *body, series[JOURNAL_SERIES_MAX + 1];
	size_t count = bandwidth_row(session, &row, clock_wall_ms(), &body);
	session_rows_begin(session, now_ms);
	if (!count)
		return;
	session->flushing = 1;
	meter_wrote(&session->meter, session->flushed);
	of_series(session, &row, 1, series);
	journal_append(session->desk->house->store->journal, &row, 1,
		session_box(session), on_flushed, session_ask(session));
	free(body);
}

/* Bytes were added or taken away on the way, or an end is broken: somebody has to look. */
static int difference_row(const struct session *session, struct journal_row *row,
	char **ret_body)
{
	char detail[256];
	const struct message_receipt *host = &session->ends[HELLO_HOST].receipt;
	const struct message_receipt *viewer = &session->ends[HELLO_VIEWER].receipt;
	const struct meter_count *carried = &session->meter.carried;
	*ret_body = NULL;
	if (record_agreement(session) != RECORD_DIFFER)
		return 0;
	snprintf(detail, sizeof(detail),
		"to the viewer: sent %" PRIu64 ", carried %" PRIu64 ", received %" PRIu64
		"; to the host: sent %" PRIu64 ", carried %" PRIu64 ", received %" PRIu64,
		host->sent, carried->to_viewer, viewer->received, viewer->sent,
		carried->to_host, host->received);
	int rc = audit_body(AUDIT_RECEIPTS_DIFFER, session->desk->house->node, "",
		json_pack("{s:s, s:s, s:s}", "session", session->id_text, "license",
			session->license, "detail", detail),
		ret_body);
	if (rc)
		return rc;
	*row = (struct journal_row){JOURNAL_AUDIT, session->tenant, session->license,
		session->ended_ms, *ret_body, 0, NULL, {0}, NULL, JOURNAL_GOES_ON};
	return 1;
}

void session_rows_close(struct session *session)
{
	struct journal_row rows[3];
	char series[JOURNAL_SERIES_MAX + 1];
	char *delta, *difference, *body = record_closing(session);
	size_t count = bandwidth_row(session, rows, session->ended_ms, &delta);
	int differs = difference_row(session, &rows[count], &difference);
	int is_due = session->flushed.to_viewer || session->flushed.to_host;
	if (!body || (is_due && !delta) || differs < 0) {
		session->flush_ms = clock_mono_ms() + ROW_RETRY_MS;
		goto out;
	}
	count += (size_t)differs;
	if (!session->closed_elsewhere)
		rows[count++] = (struct journal_row){JOURNAL_SESSION, session->tenant,
			session->license, session->ended_ms, body, 0, NULL, {0}, NULL,
			JOURNAL_LAST};
	if (!count) {
		set_written(session);
		goto out;
	}
	of_series(session, rows, count, series);
	session->flushing = 1;
	meter_wrote(&session->meter, session->flushed);
	journal_append(session->desk->house->store->journal, rows, count,
		session_box(session), on_closing_written, session_ask(session));
out:
	free(delta);
	free(difference);
	free(body);
}
