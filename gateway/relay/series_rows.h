/* series_rows: the rows about one part (id and fence) of a session are a series of the journal, which its closing row
 * ends: there is one of it, whether the node that carried the session writes it or one that took that node for lost.
 *
 * Thread: the worker of the desk. Owner: frees itself with its answer.
 */
#ifndef RELAY_SERIES_ROWS_H
#define RELAY_SERIES_ROWS_H

#include <stdint.h>

#include "relay/meter.h"
#include "store/journal.h"

struct session;

void series_rows_name(const char *id, uint64_t fence,
	char ret[static JOURNAL_SERIES_MAX + 1]);

/* `bytes`: what the bandwidth rows add up to that the journal has, whoever wrote them. Errors as journal_query(). */
typedef void (*series_rows_summed)(struct session *session, int status,
	struct meter_count bytes);

/* The session stays until the answer is there; the answer settles it. */
void series_rows_sum(struct session *session, series_rows_summed summed);

#endif
