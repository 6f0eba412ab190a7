/* dial: one TCP connection to the first of several gateways that answers.
 *
 * All addresses of all targets are tried in the order of the targets, within a target IPv6 and IPv4
 * in turn; the next one begins 250 ms after the last, or at once when the last has failed
 * (RFC 8305). So a dead gateway at the head of the list costs a quarter of a second, not a timeout.
 * Names are resolved on a thread of their own each; addresses in figures need none.
 *
 * Thread: that of `base`. Owner: the caller. dial_free() may be called in the callback; a resolver
 * that still runs then ends by itself and is not waited for.
 */
#ifndef LINK_DIAL_H
#define LINK_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/text.h"

#define DIAL_STAGGER_MS 250
#define DIAL_CONNECT_MS 10000
#define DIAL_RESOLVE_MS 10000
#define DIAL_TARGETS_MAX 16
#define DIAL_ADDRESSES_MAX 8 /* per target */
#define DIAL_DETAIL 96

struct dial;
struct event_base;

/* Once: a connected non-blocking fd, the callee's from now on, and which target it is; or -1 when
 * none answered. Never from within dial_new(). */
typedef void (*dial_fn)(void *ctx, int fd, size_t target);

/* Begins at once; copies the targets. -REASON_NO_MEMORY, -REASON_LIMIT. */
MUST_CHECK int dial_new(struct dial **ret, struct event_base *base,
	const struct text_endpoint *targets, size_t count, dial_fn done, void *ctx);
/* Why this target could not be reached: "connection refused", "timed out", "name not found",
 * "network unreachable"; "" while there is hope. */
const char *dial_detail(const struct dial *dial, size_t target);
/* Accepts NULL, returns NULL. */
struct dial *dial_free(struct dial *dial);

#endif
