/* recover: closes in the journal what a killed node left open. A node reads the session documents when it
 * starts and every minute (sooner where nodes count as lost sooner). One that is "live" or "closing" has no closing
 * row, and one that is "owed" may have none (session_document.h). It gets its row (reason NODE_STOPPED, or the one
 * that the session ended with; "recovered":1; bytes as last shown, about a second old) and, together with it, the
 * bandwidth row that is missing, so that the bandwidth rows add up to the closing row. Then its document is "away"
 * for the grace time, since its ends may be on their way to go on with it, or goes when they may not.
 *
 * Whose turn it is: that of the node whose name the document carries, when another run of it wrote it; of
 * every other node, when that node is lost (recover_nodes.h). Who closes it takes the document first, by its
 * version ("closer", "closer_ms" are added): of several nodes one wins, and should that one die as well, another
 * does it again. The journal itself is asked what rows there are: document and rows are not written together, and
 * a kill may have come between them in either order; and it takes one closing row of each fence (series_rows.h),
 * should a node that was only asleep write its own. An "away" one goes when its time is over.
 *
 * Thread: the worker of `desk`. Rows that the journal does not take are offered at a later sweep: the
 * document only changes after its row is durable.
 */
#ifndef RELAY_RECOVER_H
#define RELAY_RECOVER_H

#include <stdint.h>

struct desk;

/* At most; half of the time after which a node counts as lost, where that is less. */
#define RECOVER_EVERY_MS 60000

/* `born_ms`: when this process began, wall clock; for documents that do not name their run. */
void recover_sweep(struct desk *desk, int64_t born_ms);

#endif
