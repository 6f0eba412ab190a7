/* relay_rig: a relay without sockets and threads: a memory store, two desks on workers that the test
 * turns by hand, and ends on memory conns. Time stands still unless the test moves it.
 */
#ifndef FAKES_RELAY_RIG_H
#define FAKES_RELAY_RIG_H

#include "fakes/fake_admission.h"
#include "fakes/fake_end.h"
#include "relay/desk.h"
#include "store/journal.h"
#include "store/store_open.h"

#define RIG_LICENSE "lic_0123456zz"
#define RIG_OTHER "lic_abcdefghj"
#define RIG_ENDS 8

struct relay_rig {
	struct store *store;
	struct house house;
	struct worker *workers[2], *world; /* the ends live in the world */
	struct desk *desks[2];
	struct relay_settings settings;
	struct fake_end ends[RIG_ENDS];
	size_t count;
	int64_t mono_ms, wall_ms;
};

struct relay_rig *relay_rig_new(void);
/* Checks that nothing is left behind. */
void relay_rig_free(struct relay_rig *rig);
/* Until nothing moves any more. */
void relay_rig_settle(struct relay_rig *rig);
/* Time goes by, in steps that no deadline can slip through. */
void relay_rig_pass(struct relay_rig *rig, int64_t ms);
/* An end whose conn came in at desk 0 or 1; it has said nothing. */
struct fake_end *relay_rig_dial(struct relay_rig *rig, int desk, enum hello_side side,
	const char *license, int device);
/* The same, welcome. */
struct fake_end *relay_rig_welcome(struct relay_rig *rig, int desk, enum hello_side side,
	const char *license, int device);
/* Host and viewer, joined. */
void relay_rig_join(struct relay_rig *rig, struct fake_end **ret_host,
	struct fake_end **ret_viewer);
void relay_rig_order(struct relay_rig *rig, const char *json);
/* How many journal rows of this kind contain this text; the last one's body in `ret` if given. */
int relay_rig_rows(struct relay_rig *rig, enum journal_kind kind, const char *text,
	char *ret, size_t size);
/* The body of a document; 0 when there is none. */
int relay_rig_document(struct relay_rig *rig, int kind, const char *id, char *ret,
	size_t size);

#endif
