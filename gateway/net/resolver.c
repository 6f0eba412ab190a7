#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"

#define KEPT 32 /* names; a cluster's nodes that have one */

/* Waits in the queue, is looked up, travels in a box. Whoever asked may drop it meanwhile; then the last
 * one who has it frees it. */
struct lookup {
	struct post_item item; /* first: the item is the lookup */
	struct list node;
	struct resolver *resolver;
	struct text_endpoint endpoint;
	struct post_box *box;
	resolver_done done;
	void *ctx;
	int queued, dropped; /* under the lock */
	struct resolver_answer answer;
};

struct kept {
	struct text_endpoint endpoint;
	int64_t until_ms;
	struct resolver_answer answer;
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list queue;
	size_t waiting;
	int closing, references; /* the owner and the thread */
	struct kept kept[KEPT];
	size_t kept_next;
};

static void unref(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	int left = --resolver->references;
	pthread_mutex_unlock(&resolver->lock);
	if (left)
		return;
	pthread_cond_destroy(&resolver->more);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

static int is_same(const struct text_endpoint *a, const struct text_endpoint *b)
{
	return a->port == b->port && !strcmp(a->host, b->host);
}

static void add_address(struct resolver_answer *answer, const struct addrinfo *info)
{
	if (answer->count >= RESOLVER_ADDRESSES ||
		(info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
		info->ai_addrlen > sizeof(answer->addresses[0]))
		return;
	memcpy(&answer->addresses[answer->count++], info->ai_addr, info->ai_addrlen);
}

static void ask_system(const struct text_endpoint *endpoint, int flags,
	struct resolver_answer *ret)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL;
	char port[8];
	*ret = (struct resolver_answer){.status = -REASON_GATEWAY_UNREACHABLE};
	snprintf(port, sizeof(port), "%u", endpoint->port);
	if (getaddrinfo(endpoint->host, port, &hints, &found))
		return;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		add_address(ret, info);
	freeaddrinfo(found);
	if (ret->count)
		ret->status = 0;
}

/* Also that there is no such name: a node that does not exist is not asked for by every viewer. */
static void keep(struct resolver *resolver, const struct lookup *lookup)
{
	struct kept *kept = &resolver->kept[resolver->kept_next++ % KEPT];
	*kept = (struct kept){
		lookup->endpoint, clock_mono_ms() + RESOLVER_KEPT_MS, lookup->answer};
}

static int recall(struct resolver *resolver, const struct text_endpoint *endpoint,
	struct resolver_answer *ret)
{
	int64_t now_ms = clock_mono_ms();
	for (size_t i = 0; i < KEPT; i++) {
		const struct kept *kept = &resolver->kept[i];
		if (now_ms >= kept->until_ms || !is_same(&kept->endpoint, endpoint))
			continue;
		*ret = kept->answer;
		return 1;
	}
	return 0;
}

static void tell(struct post_item *item)
{
	struct lookup *lookup = (struct lookup *)item;
	/* Dropped on this thread, or never. */
	if (!lookup->dropped)
		lookup->done(lookup->ctx, &lookup->answer);
	free(lookup);
}

static void dequeue(struct lookup *lookup)
{
	list_remove(&lookup->node);
	lookup->queued = 0;
	lookup->resolver->waiting--;
}

static void look_up(struct resolver *resolver, struct lookup *lookup)
{
	if (!recall(resolver, &lookup->endpoint, &lookup->answer)) {
		pthread_mutex_unlock(&resolver->lock);
		ask_system(&lookup->endpoint, AI_ADDRCONFIG, &lookup->answer);
		pthread_mutex_lock(&resolver->lock);
		keep(resolver, lookup);
	}
	if (lookup->dropped) {
		free(lookup);
		return;
	}
	/* Under the lock: who drops it after this finds it in the box, where nobody else is. */
	lookup->item.run = tell;
	post_put(lookup->box, &lookup->item);
}

static void *run(void *ctx)
{
	struct resolver *resolver = ctx;
	pthread_mutex_lock(&resolver->lock);
	while (!resolver->closing) {
		if (list_empty(&resolver->queue)) {
			pthread_cond_wait(&resolver->more, &resolver->lock);
			continue;
		}
		struct lookup *lookup =
			LIST_ENTRY(resolver->queue.next, struct lookup, node);
		dequeue(lookup);
		look_up(resolver, lookup);
	}
	pthread_mutex_unlock(&resolver->lock);
	unref(resolver);
	return NULL;
}

int resolver_new(struct resolver **ret)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	pthread_attr_t attributes;
	pthread_t thread;
	if (!resolver)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_cond_init(&resolver->more, NULL);
	list_init(&resolver->queue);
	resolver->references = 2;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int code = pthread_create(&thread, &attributes, run, resolver);
	pthread_attr_destroy(&attributes);
	if (code) {
		resolver->references = 1;
		unref(resolver);
		return -REASON_NO_MEMORY;
	}
	*ret = resolver;
	return 0;
}

static int enqueue(struct resolver *resolver, const struct text_endpoint *endpoint,
	struct post_box *box, resolver_done done, void *ctx, struct lookup **ret)
{
	if (resolver->waiting >= RESOLVER_WAITING)
		return -REASON_BUSY;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return -REASON_NO_MEMORY;
	lookup->resolver = resolver;
	lookup->endpoint = *endpoint;
	lookup->box = box;
	lookup->done = done;
	lookup->ctx = ctx;
	lookup->queued = 1;
	list_add_tail(&resolver->queue, &lookup->node);
	resolver->waiting++;
	pthread_cond_signal(&resolver->more);
	*ret = lookup;
	return 0;
}

int resolver_ask(struct resolver *resolver, const struct text_endpoint *endpoint,
	struct post_box *box, resolver_done done, void *ctx, struct resolver_answer *ret,
	struct lookup **ret_lookup)
{
	struct resolver_answer answer;
	ask_system(endpoint, AI_NUMERICHOST, &answer);
	if (!answer.status) {
		*ret = answer;
		return 1;
	}
	pthread_mutex_lock(&resolver->lock);
	int rc = recall(resolver, endpoint, ret);
	if (!rc)
		rc = enqueue(resolver, endpoint, box, done, ctx, ret_lookup);
	pthread_mutex_unlock(&resolver->lock);
	return rc;
}

void resolver_drop(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;
	pthread_mutex_lock(&resolver->lock);
	int was_queued = lookup->queued;
	lookup->dropped = 1;
	if (was_queued)
		dequeue(lookup);
	pthread_mutex_unlock(&resolver->lock);
	if (was_queued)
		free(lookup);
}

struct resolver *resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return NULL;
	pthread_mutex_lock(&resolver->lock);
	resolver->closing = 1;
	pthread_cond_signal(&resolver->more);
	pthread_mutex_unlock(&resolver->lock);
	unref(resolver);
	return NULL;
}
