/* lease: claims of sessions and presence of hosts, as one node keeps them: in memory, by the
 * monotonic clock. Both belong to a running process: when it dies, its claims are void.
 *
 * Fences outlive the process: they are drawn from a range that the store has made durable before
 * (lease_extend); lease_low() says when the next range is due, long before this one is used up.
 * Thread: any; a short lock inside, no waiting. Owner: the store.
 */
#ifndef MEMORY_LEASE_H
#define MEMORY_LEASE_H

#include <stdint.h>

#include "base/check.h"

struct lease;
struct reply;

#define LEASE_RANGE (UINT64_C(1) << 20)
#define LEASE_VALUE_MAX 1024

/* Fences are drawn from `first` on. */
MUST_CHECK int lease_new(uint64_t first, struct lease **ret);
struct lease *lease_free(struct lease *lease);

/* Fences below `limit` may be drawn from now on. */
void lease_extend(struct lease *lease, uint64_t limit);
/* Less than half a range is left; true once per lease_extend(). *ret_limit: the next one. */
int lease_low(struct lease *lease, uint64_t *ret_limit);
/* From now on only fences above `least`, up to the limit of before or the range behind them; the number
 * is one of those. */
uint64_t lease_raise(struct lease *lease, uint64_t least);
/* Where the fences of a store start that knows `durable` as drawn: above it, and above what an
 * older copy of the store (a backup put back) can have drawn by now. */
uint64_t lease_floor(uint64_t durable, int64_t wall_ms);

/* 0 and the fence; -REASON_LICENSE_IN_USE and who holds it; -REASON_STORE_UNAVAILABLE when no
 * fence is left; -REASON_LIMIT, -REASON_NO_MEMORY. */
MUST_CHECK int lease_claim(struct lease *lease, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, uint64_t *ret_fence,
	char ret_holder[static LEASE_VALUE_MAX]);
/* -REASON_NOT_FOUND, else the fence and holder of the claim. */
MUST_CHECK int lease_renew(struct lease *lease, const char *license, const char *session,
	int64_t ttl_ms, uint64_t *ret_fence, char ret_holder[static LEASE_VALUE_MAX]);
void lease_release(struct lease *lease, const char *license, const char *session,
	uint64_t fence);

/* -REASON_LIMIT, -REASON_NO_MEMORY. */
MUST_CHECK int lease_announce(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms);
/* The same, unless another node's stands: -REASON_CONFLICT and its value. */
MUST_CHECK int lease_stay(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms, char ret_value[static LEASE_VALUE_MAX]);
/* -REASON_NOT_FOUND. */
MUST_CHECK int lease_locate(struct lease *lease, const char *license,
	char ret_value[static LEASE_VALUE_MAX]);
void lease_withdraw(struct lease *lease, const char *license, const char *node);

/* The same, answered to who asked. */
void lease_answer_claim(struct lease *lease, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct reply *reply);
void lease_answer_renew(struct lease *lease, const char *license, const char *session,
	int64_t ttl_ms, struct reply *reply);
void lease_answer_stay(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct reply *reply);
void lease_answer_locate(struct lease *lease, const char *license, struct reply *reply);

#endif
