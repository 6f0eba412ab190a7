/* recover: closes in the journal what a killed node left open. At its start a node reads the session
 * documents that carry its own name: one that is "live" and older than this process has no closing
 * row, so it gets one (reason NODE_STOPPED, "recovered":1, bytes as last shown, about a second old) and,
 * together with it, the bandwidth row that is missing, so that the bandwidth rows add up to the closing
 * row; then its document goes. The journal itself is asked what rows there are: document and rows are not
 * written together, and a kill may have come between them in either order. An "away" one goes when its
 * time is over, whichever run wrote it.
 *
 * Thread: the worker of `desk`. Rows that the journal does not take are offered at the next sweep: the
 * document is only removed after its row is durable.
 */
#ifndef RELAY_RECOVER_H
#define RELAY_RECOVER_H

#include <stdint.h>

struct desk;

#define RECOVER_EVERY_MS 60000

/* `born_ms`: when this process began, wall clock. */
void recover_sweep(struct desk *desk, int64_t born_ms);

#endif
