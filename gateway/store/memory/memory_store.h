/* memory_store: a whole store in memory ("memory:"). Nothing survives.
 *
 * Thread: as store_open.h. Owner: who opens it.
 */
#ifndef MEMORY_MEMORY_STORE_H
#define MEMORY_MEMORY_STORE_H

#include "base/check.h"

struct store;

/* -REASON_NO_MEMORY. To be closed by store_close(). */
MUST_CHECK int memory_store_open(const char *node, struct store **ret);

#endif
