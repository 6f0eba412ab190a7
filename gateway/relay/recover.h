/* recover: closes in the journal what a killed node left open. At its start a node reads the session
 * documents that carry its own name: one that is "live" and older than this process has no closing
 * row, so it gets one (reason NODE_STOPPED, "recovered":1, bytes as last written, at most meter_ms
 * old) and its document goes. An "away" one goes when its time is over.
 *
 * Thread: the worker of `desk`. Rows that the journal does not take are offered at the next sweep: the
 * document is only removed after its row is durable.
 */
#ifndef RELAY_RECOVER_H
#define RELAY_RECOVER_H

#include <stdint.h>

struct desk;

#define RECOVER_EVERY_MS 300000

/* `born_ms`: when this process began, wall clock. */
void recover_sweep(struct desk *desk, int64_t born_ms);

#endif
