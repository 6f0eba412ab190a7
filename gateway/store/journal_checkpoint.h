/* journal_checkpoint: signed statements of how far the journal went, so that nobody who has the database
 * but not the data directory can shorten it or write it anew.
 *
 * The key is Ed25519; its seed is HKDF-SHA-256 of the cluster's master key (no salt, info
 * "engawa journal checkpoint 1", 32 bytes), so every node signs and checks alike. What is signed is
 * the concatenation of netstrings (journal_chain.h) of
 *
 *   "engawa-checkpoint-1", seq, hash (32 raw bytes), at_ms, node, rows
 *
 * As JSON: {"seq":…,"hash":hex,"at_ms":…,"node":…,"rows":…,"signature":base64url}, where rows is how
 * many rows came since the checkpoint before. Documents of STATE_META: "checkpoint/SEQ" (SEQ in 20
 * digits) for each, "checkpoint" for the newest; and a line each in DIR/checkpoints.jsonl of every
 * node. With the public key, in Python (cryptography):
 *
 *   Ed25519PublicKey.from_public_bytes(public).verify(signature, b"".join(net(x) for x in fields))
 *
 * Thread: any; a signer is constant once it is made. Errors: -REASON_NO_MEMORY, and as said.
 */
#ifndef STORE_JOURNAL_CHECKPOINT_H
#define STORE_JOURNAL_CHECKPOINT_H

#include <stdint.h>

#include "base/check.h"
#include "store/journal.h"

#define JOURNAL_CHECKPOINT_NODE 65
#define JOURNAL_CHECKPOINT_SIGNATURE 64
#define JOURNAL_CHECKPOINT_PUBLIC 32
#define JOURNAL_CHECKPOINT_ID 40
#define JOURNAL_CHECKPOINT_NEWEST "checkpoint"
#define JOURNAL_CHECKPOINT_PREFIX "checkpoint/"

struct journal_checkpoint {
	struct journal_point point;
	char node[JOURNAL_CHECKPOINT_NODE];
	uint64_t rows;
	uint8_t signature[JOURNAL_CHECKPOINT_SIGNATURE];
};

struct journal_signer;

/* From the master key (32 bytes). */
MUST_CHECK int journal_checkpoint_signer_new(const uint8_t *master,
	struct journal_signer **ret);
/* Accepts NULL, returns NULL. */
struct journal_signer *journal_checkpoint_signer_free(struct journal_signer *signer);
void journal_checkpoint_signer_public(const struct journal_signer *signer,
	uint8_t ret[static JOURNAL_CHECKPOINT_PUBLIC]);

/* Everything but the signature is set. */
MUST_CHECK int journal_checkpoint_sign(const struct journal_signer *signer,
	struct journal_checkpoint *checkpoint);
/* -REASON_PROOF_WRONG. */
MUST_CHECK int journal_checkpoint_check(const struct journal_signer *signer,
	const struct journal_checkpoint *checkpoint);

/* The caller frees *ret. */
MUST_CHECK int journal_checkpoint_write(const struct journal_checkpoint *checkpoint,
	char **ret);
/* -REASON_BAD_VALUE. */
MUST_CHECK int journal_checkpoint_read(const char *text, struct journal_checkpoint *ret);
void journal_checkpoint_id(uint64_t seq, char ret[static JOURNAL_CHECKPOINT_ID]);

#endif
