#include "relay/shares.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/reason.h"
#include "net/throttle.h"

#define SHARES_MAGIC 0x73686172u

struct share {
	struct list node;
	struct throttle ways[2];
	int64_t rate; /* of all nodes */
	int sessions;
	char tenant[];
};

struct shares {
	uint32_t magic;
	pthread_mutex_t lock;
	struct list list; /* of companies with a cap that have a session here: few */
	int nodes;
};

int shares_new(struct shares **ret)
{
	struct shares *shares = calloc(1, sizeof(*shares));
	if (!shares)
		return -REASON_NO_MEMORY;
	shares->magic = SHARES_MAGIC;
	shares->nodes = 1;
	pthread_mutex_init(&shares->lock, NULL);
	list_init(&shares->list);
	*ret = shares;
	return 0;
}

struct shares *shares_free(struct shares *shares)
{
	if (!shares)
		return NULL;
	CHECK_OBJ(shares, SHARES_MAGIC);
	CHECK(list_empty(&shares->list));
	pthread_mutex_destroy(&shares->lock);
	shares->magic = 0;
	free(shares);
	return NULL;
}

/* Under the lock, as the next. */
static void set_rate(const struct shares *shares, struct share *share)
{
	int64_t rate = share->rate / shares->nodes;
	if (rate < THROTTLE_RATE_LEAST)
		rate = THROTTLE_RATE_LEAST;
	throttle_set(&share->ways[0], rate);
	throttle_set(&share->ways[1], rate);
}

static struct share *find(struct shares *shares, const char *tenant)
{
	LIST_EACH(node, &shares->list)
	{
		struct share *share = LIST_ENTRY(node, struct share, node);
		if (!strcmp(share->tenant, tenant))
			return share;
	}
	return NULL;
}

static struct share *make(struct shares *shares, const char *tenant)
{
	size_t size = strlen(tenant) + 1;
	struct share *share = calloc(1, sizeof(*share) + size);
	if (!share)
		return NULL;
	memcpy(share->tenant, tenant, size);
	list_add_tail(&shares->list, &share->node);
	return share;
}

int shares_enter(struct shares *shares, const char *tenant, int64_t rate,
	struct share **ret)
{
	CHECK_OBJ(shares, SHARES_MAGIC);
	pthread_mutex_lock(&shares->lock);
	struct share *share = find(shares, tenant);
	if (!share)
		share = make(shares, tenant);
	if (share) {
		share->sessions++;
		share->rate = rate;
		set_rate(shares, share);
	}
	pthread_mutex_unlock(&shares->lock);
	if (!share)
		return -REASON_NO_MEMORY;
	*ret = share;
	return 0;
}

struct share *shares_leave(struct shares *shares, struct share *share)
{
	if (!share)
		return NULL;
	pthread_mutex_lock(&shares->lock);
	int is_last = !--share->sessions;
	if (is_last)
		list_remove(&share->node);
	pthread_mutex_unlock(&shares->lock);
	if (is_last)
		free(share);
	return NULL;
}

struct throttle *shares_way(struct share *share, int side)
{
	return &share->ways[side];
}

void shares_set_nodes(struct shares *shares, int nodes)
{
	CHECK_OBJ(shares, SHARES_MAGIC);
	pthread_mutex_lock(&shares->lock);
	shares->nodes = nodes > 1 ? nodes : 1;
	LIST_EACH(node, &shares->list)
	{
		set_rate(shares, LIST_ENTRY(node, struct share, node));
	}
	pthread_mutex_unlock(&shares->lock);
}
