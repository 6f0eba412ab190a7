/* alert_rows: reads what is new in the journal, one node at a time, and says where it stopped.
 *
 * One node has the lease; the others wait. The place is kept in the store (STATE_META
 * "alerts/cursor"), so the next node, or the same one after a restart, goes on there: a row is looked
 * at again only if it was looked at in the same second as a crash, and alarms bear that.
 * Thread: one that may block. Errors: those of the store.
 */
#ifndef ALERT_ALERT_ROWS_H
#define ALERT_ALERT_ROWS_H

#include "base/check.h"
#include "rules/alert_event.h"
#include "store/store_open.h"

struct alert_rows {
	struct store *store;
	const char *node;
	uint64_t cursors[JOURNAL_KINDS], version;
	int holds; /* the lease */
	int dirty;
};

/* Takes or keeps the lease: 1 when it was taken just now, 0 when it is held as before,
 * -REASON_LICENSE_IN_USE when another node has it. */
MUST_CHECK int alert_rows_lease(struct alert_rows *rows);
void alert_rows_release(struct alert_rows *rows);
/* Where it stopped last; at the very first time the end of the journal. */
MUST_CHECK int alert_rows_find(struct alert_rows *rows);

/* Not 0: stop, and the row is looked at again. */
typedef int (*alert_rows_take)(void *ctx, const struct alert_event *event);
/* Everything that is new. */
MUST_CHECK int alert_rows_read(struct alert_rows *rows, alert_rows_take take, void *ctx);
/* What was looked at before, from `from_ms` on: to count again what a window still holds. */
MUST_CHECK int alert_rows_again(struct alert_rows *rows, int64_t from_ms,
	alert_rows_take take, void *ctx);
MUST_CHECK int alert_rows_save(struct alert_rows *rows);

#endif
