/* license_index_inside: what the files of the index share, and nobody else includes: license_index.c (its thread,
 * and questions), license_index_read.c (what it reads from the store).
 *
 * Thread: any; the locks are in the struct.
 * Owner: as license_index.h.
 */
#ifndef ADMIN_LICENSE_INDEX_INSIDE_H
#define ADMIN_LICENSE_INDEX_INSIDE_H

#include <pthread.h>
#include <stdint.h>

#include "admin/card_shelf.h"
#include "admin/license_index.h"

typedef char license_id[LICENSE_KEY_ID_SIZE];

struct license_index {
	uint32_t magic;
	struct store *store;
	struct post_pump *pump;
	pthread_t thread;
	/* one reader of the store at a time: what was read earlier is never put over what was read
	 * later. Taken before `lock`. */
	pthread_mutex_t reading;
	pthread_mutex_t lock;
	pthread_cond_t loaded_cond;
	/* under the lock: */
	struct card_shelf shelf;
	license_id *touched;
	size_t touched_count, touched_room;
	int loaded, stopping, compare_now;
	int64_t online_ms; /* monotonic */
};

/* To be read again; under the lock. */
void license_index_note(struct license_index *index, const char *id);

/* license_index_read.c, each -REASON_* of the store: everything, the first time and then to compare; */
MUST_CHECK int license_index_read(struct license_index *index);
/* what was noted; */
MUST_CHECK int license_index_read_touched(struct license_index *index);
/* which hosts are online, when the last answer is too old. */
MUST_CHECK int license_index_read_online(struct license_index *index);

#endif
