/* store_open: makes the three interfaces of one store from its address.
 *
 *   sqlite:PATH          one node, embedded (WAL, synchronous=FULL); the default
 *   memory:              tests only; nothing survives
 *   redis://… redis+unix://… redis-sentinel://…    many nodes; redis/redis_address.h has its options
 *
 * Thread: main at start and end; the interfaces from any thread between. Owner: the caller closes
 * the store after everything that uses it has stopped.
 */
#ifndef STORE_STORE_OPEN_H
#define STORE_STORE_OPEN_H

#include <stdatomic.h>

#include "base/check.h"
#include "store/bus.h"
#include "store/journal.h"
#include "store/state.h"
#include "store/store_health.h"

struct store {
	struct state *state;
	struct journal *journal;
	struct bus *bus;
	/* Waits until no log of the store holds what was removed or changed; NULL: it has none that it could
	 * empty by itself. */
	int (*scrub)(struct store *store);
	/* For store_health(); NULL: it is here, and is what it was. */
	void (*health)(struct store *store, struct store_health *ret);
	const atomic_uint *emptied;
	/* For store_draw_fence(); NULL: a store that is not shared is never away. */
	uint64_t (*draw)(struct store *store);
	void (*close)(struct store *store);
};

#define STORE_ERROR 256
/* `node` names the writer of journal rows. On error `error` says what exactly is wrong:
 * -REASON_CONFIG (address), -REASON_FILE_UNREADABLE, -REASON_FILE_UNWRITABLE, -REASON_STATE_DAMAGED,
 * -REASON_STORE_UNAVAILABLE, -REASON_DISK_FULL, -REASON_ALREADY_RUNNING (another process has it). */
MUST_CHECK int store_open(const char *address, const char *node, struct store **ret,
	char error[static STORE_ERROR]);
/* The same; `dir` is a directory of this node in which the store may keep what it needs beside its
 * address: with Redis DIR/spool, where journal rows wait, unless the address names a place. */
MUST_CHECK int store_open_in(const char *dir, const char *address, const char *node,
	struct store **ret, char error[static STORE_ERROR]);
/* Whether an address can be one, with whatever files it names; nothing is opened. -REASON_CONFIG. */
MUST_CHECK int store_open_check(const char *address, char error[static STORE_ERROR]);
/* For looking only, also while a gateway runs on the same store: claims, leases, the bus and every
 * change are answered by -REASON_FORBIDDEN. A store of one node only. */
MUST_CHECK int store_open_reader(const char *address, struct store **ret,
	char error[static STORE_ERROR]);
/* What a store of one node holds at this moment, also while a gateway runs on it: documents and
 * journal_copy() are of the same moment, however long it is read. Keep it open no longer than needed:
 * meanwhile the log of the database grows. -REASON_CONFIG: this store cannot do so. */
MUST_CHECK int store_open_snapshot(const char *address, struct store **ret,
	char error[static STORE_ERROR]);
/* A fence for a session that begins while the store is away: greater than every one that this node has seen, of
 * whatever license, or 0: it has seen none. Claims that this node makes later get greater ones. */
uint64_t store_draw_fence(struct store *store);
/* Waits until everything appended is durable. Accepts NULL, returns NULL. */
struct store *store_close(struct store *store);

#endif
