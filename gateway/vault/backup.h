/* backup: what a backup is made of, and how it is written. It does not depend on the store: what was
 * written from one restores into any other (restore.h).
 *
 * One JSON object per line, in this order; documents and rows stand in it as in the store, sealed:
 *
 *   {"backup":1,"made_ms","node","version","fence","note"}
 *   {"file":"ca.pem","mode","text"}          what the node's directory needs: certificates and keys
 *   {"doc":"license","id","tenant","body"}
 *   {"anchor":seq,"hash"}                    the chain begins after this
 *   {"row":seq,"kind","tenant","license","at_ms","node","body","hash"}   node "": a stub
 *   {"key":"acme/1","tenant","body","bare"}  data keys, unwrapped: the archive is what seals them
 *   {"end":1,"files","keys","documents","rows","head_seq","head_hash"}
 *
 * Who is signed in, which sessions live and which nodes are up is left out: it is over when a backup is
 * restored. Fences go on above the one that is noted.
 *
 * Thread: one that may wait. Errors: those of backup_file.h and of the store.
 */
#ifndef VAULT_BACKUP_H
#define VAULT_BACKUP_H

#include <stdint.h>

#include "base/check.h"
#include "store/state.h"
#include "vault/backup_file.h"

struct store;

struct backup_plan {
	struct store *
		store; /* a sealed one; fences and, without a snapshot, all else come from it */
	const char *address;   /* of the store below, for a snapshot; NULL: none */
	const uint8_t *master; /* 32 bytes */
	const char *data;      /* the node's directory; NULL: its files are left out */
	const char *node, *note;
	const char *dir, *name; /* of the file that is made */
	const uint8_t *key;     /* BACKUP_FILE_KEY bytes */
	int (*stop)(void *ctx); /* not 0: give up with -REASON_DRAINING */
	void *ctx;
};

struct backup_counts {
	int64_t made_ms;
	uint64_t files, keys, documents, rows, head_seq, fence, bytes;
};

MUST_CHECK int backup_write(const struct backup_plan *plan, struct backup_counts *ret);

/* Whether documents of this kind are carried. */
int backup_has_kind(enum state_kind kind);
/* The files of a node's directory that are carried; NULL ends. */
extern const char *const backup_files[];

#endif
