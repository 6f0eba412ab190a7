/* recover_nodes: which nodes say nothing any more. A node writes its document (STATE_NODE) every ten seconds; one
 * whose document has not changed for `lost_ms`, by our own clock since we first saw it like this, is lost.
 * Nothing is concluded from the other's clock, and nothing in the first `lost_ms` of this process.
 *
 * Thread: one, the worker of the sweep, which counts the neighbours too. Owner: the desk.
 */
#ifndef RELAY_RECOVER_NODES_H
#define RELAY_RECOVER_NODES_H

#include <stdint.h>

struct recover_nodes;
struct state_doc;

/* NULL: no memory. */
struct recover_nodes *recover_nodes_new(void);
struct recover_nodes *recover_nodes_free(struct recover_nodes *nodes);

/* A node's document as it is now. */
void recover_nodes_saw(struct recover_nodes *nodes, const struct state_doc *doc,
	int64_t now_ms);
/* Whether this one is lost; also one that has no document, from the first time it is asked for. `now_ms`:
 * monotonic. */
int recover_nodes_lost(struct recover_nodes *nodes, const char *node, int64_t now_ms,
	int64_t lost_ms);

#endif
