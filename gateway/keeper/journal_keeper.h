/* journal_keeper: what has to be done for the journal beside writing it: signed checkpoints, sums of usage,
 * the removal of what is past its time, and a look whether it can be written at all.
 *
 * Thread: one of its own, which may block in the store; journal_keeper_set() and _facts() from any.
 * Owner: gateway.c; it is freed before the store is closed. Errors: -REASON_NO_MEMORY.
 */
#ifndef KEEPER_JOURNAL_KEEPER_H
#define KEEPER_JOURNAL_KEEPER_H

#include <stdint.h>

#include "base/check.h"

#define JOURNAL_KEEPER_PATH 4096

struct journal_keeper;
struct journal_signer;
struct store;

struct journal_keeper_parts {
	struct store *store;
	const struct journal_signer *signer;
	const char *node, *dir; /* the data directory */
};

struct journal_keeper_settings {
	int64_t records_days, counts_days;
	char checkpoint_copy[JOURNAL_KEEPER_PATH]; /* "": none */
};

struct journal_keeper_facts {
	int journal_good;    /* what was written last was taken */
	int disk_good;       /* there is room beside it */
	uint64_t free_bytes; /* on the disk of the data directory */
};

/* The parts are borrowed, the settings copied. */
MUST_CHECK int journal_keeper_new(const struct journal_keeper_parts *parts,
	const struct journal_keeper_settings *settings, struct journal_keeper **ret);
void journal_keeper_set(struct journal_keeper *keeper,
	const struct journal_keeper_settings *settings);
void journal_keeper_facts(struct journal_keeper *keeper,
	struct journal_keeper_facts *ret);
/* Ends after the step that runs, and signs what there is. Accepts NULL, returns NULL. */
struct journal_keeper *journal_keeper_free(struct journal_keeper *keeper);

#endif
