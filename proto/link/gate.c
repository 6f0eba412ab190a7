#include "link/gate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/reason.h"

/* All atomics are sequentially consistent: the wake-up rests on "store the wish, then
 * look at the room" here and "store the room, then look at the wish" there, which weaker
 * orders would break. */
struct gate {
	atomic_int references;
	atomic_llong room, level, rate;
	atomic_llong wanted; /* 0: nobody waits */
	int fd;
};

int gate_new(struct gate **ret)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	if (!gate)
		return -REASON_NO_MEMORY;
	gate->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (gate->fd < 0) {
		free(gate);
		return -REASON_LIMIT;
	}
	atomic_init(&gate->references, 1);
	*ret = gate;
	return 0;
}

struct gate *gate_ref(struct gate *gate)
{
	atomic_fetch_add(&gate->references, 1);
	return gate;
}

struct gate *gate_unref(struct gate *gate)
{
	if (!gate || atomic_fetch_sub(&gate->references, 1) > 1)
		return NULL;
	close(gate->fd);
	free(gate);
	return NULL;
}

static void wake_if_wanted(struct gate *gate)
{
	long long wanted = atomic_load(&gate->wanted);
	if (!wanted || gate_room(gate) < wanted)
		return;
	/* Whoever takes the wish back signals it: one wake-up per wish. */
	if (atomic_compare_exchange_strong(&gate->wanted, &wanted, 0))
		eventfd_write(gate->fd, 1);
}

void gate_set(struct gate *gate, int64_t room, int64_t rate)
{
	atomic_store(&gate->rate, rate > 0 ? rate : 0);
	atomic_store(&gate->room, room);
	wake_if_wanted(gate);
}

void gate_took(struct gate *gate, int64_t bytes)
{
	/* Room first: between the two steps the encoder sees too little, never too much.
	 */
	atomic_fetch_sub(&gate->room, bytes);
	atomic_fetch_sub(&gate->level, bytes);
	wake_if_wanted(gate);
}

void gate_level(struct gate *gate, int64_t bytes)
{
	atomic_store(&gate->level, bytes);
}

int64_t gate_room(const struct gate *gate)
{
	return atomic_load(&gate->room) - atomic_load(&gate->level);
}

int64_t gate_rate(const struct gate *gate)
{
	return atomic_load(&gate->rate);
}

int64_t gate_want(struct gate *gate, int64_t bytes)
{
	CHECK(bytes > 0);
	atomic_store(&gate->wanted, bytes);
	int64_t room = gate_room(gate);
	if (room >= bytes)
		atomic_store(&gate->wanted, 0);
	return room;
}

int gate_fd(const struct gate *gate)
{
	return gate->fd;
}

void gate_clear(struct gate *gate)
{
	eventfd_t count;
	eventfd_read(gate->fd, &count);
}
