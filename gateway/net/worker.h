/* worker: a thread with an event loop of its own. A connection belongs to one worker; other threads
 * talk to it through its box (base/post.h).
 *
 * Thread: worker_new/start/stop/free from main; worker_box() from any; the rest on the worker
 * itself. Owner: gateway_office.c, relay.c. Errors: -REASON_NO_MEMORY, -REASON_LIMIT (no thread more).
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/post.h"

struct event_base;
struct worker;

#define WORKER_SCRATCH (256 * 1024)
#define WORKER_WIRE (64 * 1024)

MUST_CHECK int worker_new(const char *name, struct worker **ret);
MUST_CHECK int worker_start(struct worker *worker);
/* Asks the loop to end after this turn and waits for the thread. What hangs on the loop must be
 * closed before. */
void worker_stop(struct worker *worker);
/* Accepts NULL, returns NULL. Items still in the box are run first. */
struct worker *worker_free(struct worker *worker);

/* Its events have two priorities. After every WORKER_LATER event the loop looks for new WORKER_FIRST
 * ones, so what is small waits for one turn of what is big, never for a round of all. */
enum worker_priority { WORKER_FIRST, WORKER_LATER, WORKER_PRIORITIES };
struct event_base *worker_base(struct worker *worker);
struct post_box *worker_box(struct worker *worker);
/* Whether the caller is on this worker's thread (also true before start). */
int worker_is_here(const struct worker *worker);
/* WORKER_SCRATCH bytes that any callback may use until it returns: reads of all conns. */
uint8_t *worker_read_scratch(struct worker *worker);
/* The same for sealing what is written. */
uint8_t *worker_write_scratch(struct worker *worker);
/* WORKER_WIRE bytes for what one read system call brings in, still sealed. */
uint8_t *worker_wire_scratch(struct worker *worker);

/* Whoever has sealed bytes in the write scratch that are not sent yet. */
struct worker_writer {
	void (*flush)(struct worker_writer *writer);
};
/* The write scratch is now this writer's, until another takes it or the turn ends; the one who had
 * it is flushed first. */
void worker_write_take(struct worker *worker, struct worker_writer *writer);
/* The writer has flushed by itself, or goes away. */
void worker_write_drop(struct worker *worker, struct worker_writer *writer);

/* Runs once at the end of this turn of the loop; memory of closed objects is freed there. */
void worker_defer(struct worker *worker, struct post_item *item);
/* A timer of this worker. Setting it again forgets the former time; ms < 0 only stops it. */
struct worker_timer;
MUST_CHECK int worker_timer_new(struct worker *worker, void (*due)(void *ctx), void *ctx,
	struct worker_timer **ret);
void worker_timer_set(struct worker_timer *timer, int64_t ms);
/* Accepts NULL, returns NULL. */
struct worker_timer *worker_timer_free(struct worker_timer *timer);
/* Tests and programs that have no thread for it: one turn, waiting at most `ms` for something to
 * happen (-1: for ever). Only before worker_start(). */
void worker_turn(struct worker *worker, int ms);

#endif
