/* store_watch: says when a node begins to let viewers in from what it remembers, the store being away, and when that
 * is over (degraded_mode = cache): a line in the log and an audit row each. A node that is strict needs no such word:
 * it lets nobody in.
 *
 * Thread: the worker of the desk that ticks it. Owner: the relay.
 */
#ifndef RELAY_STORE_WATCH_H
#define RELAY_STORE_WATCH_H

#include <stdint.h>

struct house;

struct store_watch {
	int64_t since_ms; /* wall: the store is away since; 0: it is here */
	int64_t opened;   /* sessions from the cache when it went away */
};

void store_watch_tick(struct store_watch *watch, struct house *house);

#endif
