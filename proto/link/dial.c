#include "link/dial.h"

#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reason.h"

#define DIAL_MAGIC 0x6469616cu

struct dial_address {
	struct sockaddr_storage to;
	socklen_t len;
};

/* What a resolver thread and its dial share; the last of both frees it. */
struct dial_lookup {
	atomic_int references;
	atomic_bool finished; /* error and found are set */
	char host[TEXT_HOST_SIZE], port[8];
	int fd; /* eventfd: the thread is done */
	int error;
	struct addrinfo *found;
};

struct dial_target {
	struct dial *dial;
	struct text_endpoint endpoint;
	struct dial_lookup *lookup;
	struct event *resolved;
	struct dial_address addresses[DIAL_ADDRESSES_MAX];
	size_t count, next; /* next one to try */
	bool known;         /* resolved, or failed to */
	char detail[DIAL_DETAIL];
};

struct dial_try {
	struct dial *dial;
	struct event *event;
	size_t target;
	int fd;
};

struct dial {
	uint32_t magic;
	struct event_base *base;
	dial_fn done;
	void *ctx;
	int depth;
	bool freed, over;
	struct dial_target targets[DIAL_TARGETS_MAX];
	size_t count;
	struct dial_try tries[DIAL_TARGETS_MAX * DIAL_ADDRESSES_MAX];
	size_t try_count, running;
	struct event *stagger;
	bool begun;
	bool impatient; /* the stagger has run out: later targets may begin */
};

static void lookup_unref(struct dial_lookup *lookup)
{
	if (!lookup || atomic_fetch_sub(&lookup->references, 1) > 1)
		return;
	if (lookup->found)
		freeaddrinfo(lookup->found);
	close(lookup->fd);
	free(lookup);
}

static void *lookup_run(void *arg)
{
	struct dial_lookup *lookup = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	lookup->error = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
	atomic_store(&lookup->finished, true);
	eventfd_write(lookup->fd, 1);
	lookup_unref(lookup);
	return NULL;
}

static int lookup_start(struct dial_lookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	atomic_store(&lookup->references, 2);
	int rc = pthread_create(&thread, &attributes, lookup_run, lookup);
	pthread_attr_destroy(&attributes);
	if (rc)
		atomic_store(&lookup->references, 1);
	return rc ? -REASON_LIMIT : 0;
}

static struct dial_lookup *lookup_new(const struct text_endpoint *endpoint)
{
	struct dial_lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return NULL;
	atomic_init(&lookup->references, 1);
	snprintf(lookup->host, sizeof(lookup->host), "%s", endpoint->host);
	snprintf(lookup->port, sizeof(lookup->port), "%u", endpoint->port);
	lookup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lookup->fd < 0) {
		free(lookup);
		return NULL;
	}
	return lookup;
}

static struct dial *destroy(struct dial *dial)
{
	for (size_t i = 0; i < dial->count; i++) {
		struct dial_target *target = &dial->targets[i];
		if (target->resolved)
			event_free(target->resolved);
		lookup_unref(target->lookup);
	}
	for (size_t i = 0; i < dial->try_count; i++) {
		struct dial_try *try = &dial->tries[i];
		if (try->event)
			event_free(try->event);
		if (try->fd >= 0)
			close(try->fd);
	}
	if (dial->stagger)
		event_free(dial->stagger);
	dial->magic = 0;
	free(dial);
	return NULL;
}

static void enter(struct dial *dial)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	dial->depth++;
}

static void leave(struct dial *dial)
{
	if (--dial->depth == 0 && dial->freed)
		destroy(dial);
}

static const char *in_words(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ETIMEDOUT:
		return "timed out";
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return "network unreachable";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	default:
		return strerror(error);
	}
}

static void over(struct dial *dial, int fd, size_t target)
{
	if (dial->over)
		return;
	dial->over = true;
	evtimer_del(dial->stagger);
	dial->done(dial->ctx, fd, target);
}

static void advance(struct dial *dial);

static void try_failed(struct dial_try *try, int error)
{
	struct dial *dial = try->dial;
	struct dial_target *target = &dial->targets[try->target];
	snprintf(target->detail, sizeof(target->detail), "%s", in_words(error));
	close(try->fd);
	try->fd = -1;
	dial->running--;
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct dial_try *try = arg;
	struct dial *dial = try->dial;
	enter(dial);
	int error = 0;
	socklen_t len = sizeof(error);
	if (what & EV_TIMEOUT)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (dial->over) {
		event_del(try->event);
	} else if (error) {
		try_failed(try, error);
		advance(dial);
	} else {
		try->fd = -1; /* the callee's */
		dial->running--;
		over(dial, fd, try->target);
	}
	leave(dial);
}

/* Whether a connection is under way now. */
static bool try_start(struct dial *dial, size_t index)
{
	struct dial_target *target = &dial->targets[index];
	const struct dial_address *address = &target->addresses[target->next++];
	struct dial_try *try = &dial->tries[dial->try_count++];
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	*try = (struct dial_try){.dial = dial, .target = index};
	try->fd = socket(address->to.ss_family, type, 0);
	dial->running++;
	if (try->fd < 0) {
		try_failed(try, errno);
		return false;
	}
	if (connect(try->fd, (const struct sockaddr *)&address->to, address->len) &&
		errno != EINPROGRESS) {
		try_failed(try, errno);
		return false;
	}
	struct timeval limit = {DIAL_CONNECT_MS / 1000, 0};
	try->event = event_new(dial->base, try->fd, EV_WRITE, on_connected, try);
	if (!try->event || event_add(try->event, &limit)) {
		try_failed(try, ENOMEM);
		return false;
	}
	return true;
}

/* The target whose turn it is; those behind one that is still being looked up wait for the stagger. */
static struct dial_target *whose_turn(struct dial *dial)
{
	for (size_t i = 0; i < dial->count; i++) {
		struct dial_target *target = &dial->targets[i];
		if (target->next < target->count)
			return target;
		if (!target->known && !dial->impatient)
			return NULL;
	}
	return NULL;
}

static bool hopeless(const struct dial *dial)
{
	for (size_t i = 0; i < dial->count; i++) {
		const struct dial_target *target = &dial->targets[i];
		if (!target->known || target->next < target->count)
			return false;
	}
	return dial->running == 0;
}

static void stagger_again(struct dial *dial)
{
	struct timeval wait = {0, DIAL_STAGGER_MS * 1000};
	dial->impatient = false;
	evtimer_add(dial->stagger, &wait);
}

/* Starts the next address when nothing is under way or the last one has had its quarter second. */
static void advance(struct dial *dial)
{
	while (!dial->over && (!dial->running || dial->impatient)) {
		struct dial_target *target = whose_turn(dial);
		if (!target)
			break;
		if (try_start(dial, (size_t)(target - dial->targets)))
			stagger_again(dial);
	}
	if (!dial->over && hopeless(dial))
		over(dial, -1, 0);
}

static void on_stagger(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct dial *dial = arg;
	enter(dial);
	dial->impatient = dial->begun;
	dial->begun = true;
	if (!dial->impatient)
		stagger_again(dial);
	advance(dial);
	leave(dial);
}

static void take(struct dial_target *target, const struct addrinfo *info)
{
	if (target->count == DIAL_ADDRESSES_MAX ||
		info->ai_addrlen > sizeof(struct sockaddr_storage))
		return;
	struct dial_address *address = &target->addresses[target->count++];
	memcpy(&address->to, info->ai_addr, info->ai_addrlen);
	address->len = info->ai_addrlen;
}

static const struct addrinfo *of_family(const struct addrinfo *info, int family)
{
	while (info && info->ai_family != family)
		info = info->ai_next;
	return info;
}

/* IPv6, IPv4, IPv6, … each in the order in which the resolver prefers them. */
static void take_in_turn(struct dial_target *target, const struct addrinfo *found)
{
	const struct addrinfo *six = of_family(found, AF_INET6),
			      *four = of_family(found, AF_INET);
	while (six || four) {
		if (six) {
			take(target, six);
			six = of_family(six->ai_next, AF_INET6);
		}
		if (four) {
			take(target, four);
			four = of_family(four->ai_next, AF_INET);
		}
	}
}

static void settle(struct dial_target *target, int error, const struct addrinfo *found)
{
	target->known = true;
	if (!error)
		take_in_turn(target, found);
	if (!target->count)
		snprintf(target->detail, sizeof(target->detail), "%s",
			error == EAI_AGAIN ? "name service does not answer"
					   : "name not found");
}

static void on_resolved(evutil_socket_t fd UNUSED, short what, void *arg)
{
	struct dial_target *target = arg;
	struct dial *dial = target->dial;
	enter(dial);
	if (what & EV_TIMEOUT || !atomic_load(&target->lookup->finished))
		settle(target, EAI_AGAIN, NULL);
	else
		settle(target, target->lookup->error, target->lookup->found);
	advance(dial);
	leave(dial);
}

static int resolve(struct dial_target *target, struct event_base *base)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found = NULL;
	char port[8];
	snprintf(port, sizeof(port), "%u", target->endpoint.port);
	if (!getaddrinfo(target->endpoint.host, port, &hints, &found)) {
		settle(target, 0, found);
		freeaddrinfo(found);
		return 0;
	}
	struct timeval limit = {DIAL_RESOLVE_MS / 1000, 0};
	target->lookup = lookup_new(&target->endpoint);
	if (!target->lookup)
		return -REASON_NO_MEMORY;
	target->resolved =
		event_new(base, target->lookup->fd, EV_READ, on_resolved, target);
	if (!target->resolved || event_add(target->resolved, &limit))
		return -REASON_NO_MEMORY;
	return lookup_start(target->lookup);
}

int dial_new(struct dial **ret, struct event_base *base,
	const struct text_endpoint *targets, size_t count, dial_fn done, void *ctx)
{
	CHECK(count > 0 && count <= DIAL_TARGETS_MAX);
	struct dial *dial = calloc(1, sizeof(*dial));
	if (!dial)
		return -REASON_NO_MEMORY;
	dial->magic = DIAL_MAGIC;
	dial->base = base;
	dial->done = done;
	dial->ctx = ctx;
	dial->count = count;
	dial->stagger = evtimer_new(base, on_stagger, dial);
	int rc = dial->stagger ? 0 : -REASON_NO_MEMORY;
	for (size_t i = 0; i < count && !rc; i++) {
		dial->targets[i].dial = dial;
		dial->targets[i].endpoint = targets[i];
		rc = resolve(&dial->targets[i], base);
	}
	if (rc) {
		destroy(dial);
		return rc;
	}
	/* Not from within: the caller does not know its dial yet. */
	struct timeval now = {0, 0};
	evtimer_add(dial->stagger, &now);
	*ret = dial;
	return 0;
}

const char *dial_detail(const struct dial *dial, size_t target)
{
	return dial->targets[target].detail;
}

struct dial *dial_free(struct dial *dial)
{
	if (!dial)
		return NULL;
	enter(dial);
	dial->freed = dial->over = true;
	leave(dial);
	return NULL;
}
