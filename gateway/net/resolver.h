/* resolver: addresses of other nodes by name, off the workers: one thread asks the system, what it said is
 * remembered for RESOLVER_KEPT_MS. Numbers need no thread.
 *
 * Thread: resolver_ask() and resolver_drop() on a worker; the answer runs on the thread of `box`.
 * Owner: who made it; nothing may be asked any more when it is freed. A system that does not answer keeps
 * its thread, not the one who frees.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <netinet/in.h>
#include <stddef.h>

#include "base/check.h"
#include "base/post.h"
#include "base/text.h"

struct lookup;
struct resolver;

#define RESOLVER_ADDRESSES 8
#define RESOLVER_WAITING 1024
#define RESOLVER_KEPT_MS 10000

struct resolver_answer {
	int status; /* 0, -REASON_GATEWAY_UNREACHABLE (no such name), -REASON_BUSY */
	size_t count;
	struct sockaddr_in6 addresses[RESOLVER_ADDRESSES]; /* or sockaddr_in, by family */
};

typedef void (*resolver_done)(void *ctx, const struct resolver_answer *answer);

MUST_CHECK int resolver_new(struct resolver **ret);
/* 1: the answer is in *ret, no callback follows; 0: it comes by `done`, and *ret_lookup is to be dropped by
 * whoever does not want it any more. -REASON_BUSY: too many wait. -REASON_NO_MEMORY. */
MUST_CHECK int resolver_ask(struct resolver *resolver,
	const struct text_endpoint *endpoint, struct post_box *box, resolver_done done,
	void *ctx, struct resolver_answer *ret, struct lookup **ret_lookup);
/* No answer comes any more. Not after it has come; on the thread of the box. */
void resolver_drop(struct lookup *lookup);
/* Accepts NULL, returns NULL. */
struct resolver *resolver_free(struct resolver *resolver);

#endif
