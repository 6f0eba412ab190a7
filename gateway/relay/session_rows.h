/* session_rows: what the journal gets from a session once it lives: bandwidth rows, and the closing row.
 * Rows that it does not take are offered again.
 *
 * Thread and owner: as session.h. One of these is under way at a time (session.flushing).
 */
#ifndef RELAY_SESSION_ROWS_H
#define RELAY_SESSION_ROWS_H

#include <stdint.h>

struct session;

/* From now on rows are due: each meter_ms, and when an hour of the clock ends, so that what a row says was
 * carried within one hour. A kill loses no row: what was carried until about a second before stands in the
 * session's document, and recover.h writes it. */
void session_rows_begin(struct session *session, int64_t now_ms);
/* A row for what was carried since the last one; none when that is nothing. */
void session_rows_flush(struct session *session, int64_t now_ms);
/* The last delta, an audit row when the receipts disagree, and the closing row go together: all or none. */
void session_rows_close(struct session *session);

#endif
