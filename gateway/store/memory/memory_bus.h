/* memory_bus: the bus within one process; the memory and the sqlite store use it.
 *
 * Thread: as store/bus.h. Owner: the store. Free it after all subscribers are gone. Errors: -REASON_NO_MEMORY.
 */
#ifndef MEMORY_MEMORY_BUS_H
#define MEMORY_MEMORY_BUS_H

#include "base/check.h"
#include "store/bus.h"

MUST_CHECK int memory_bus_new(struct bus **ret);
/* Accepts NULL, returns NULL. */
struct bus *memory_bus_free(struct bus *bus);

#endif
