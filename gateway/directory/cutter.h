/* cutter: shuts sockets that a library waits at for too long. libldap has no time limit for a TLS
 * handshake: a server that accepts and stays silent would keep its thread for ever.
 *
 * Thread: any; one of its own does the cutting. Owner: the caller of cutter_new; lines are their users'.
 */
#ifndef DIRECTORY_CUTTER_H
#define DIRECTORY_CUTTER_H

#include <stdint.h>

#include "base/check.h"
#include "base/list.h"

struct cutter;

struct cutter_line {
	struct list item;
	int fd; /* a copy: the library may close its own at any time */
	int64_t end_ms;
};

/* -REASON_NO_MEMORY. */
MUST_CHECK int cutter_new(struct cutter **ret);
/* From end_ms (monotonic) on the socket is shut, and whoever reads it gets its end.
 * -REASON_NO_MEMORY: no descriptor is left. */
MUST_CHECK int cutter_watch(struct cutter *cutter, struct cutter_line *line, int fd,
	int64_t end_ms);
/* It is done in time. */
void cutter_forget(struct cutter *cutter, struct cutter_line *line);
/* Nobody is watched any more. Accepts NULL, returns NULL. */
struct cutter *cutter_free(struct cutter *cutter);

#endif
