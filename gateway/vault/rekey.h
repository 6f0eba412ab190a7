/* rekey: brings a store from one master key to another: data keys are wrapped anew and checkpoints signed
 * anew, so that the journal stays provable. Nothing else depends on the master key.
 *
 * It can be interrupted and begun again: what belongs to the new key already is left alone. No gateway
 * may run meanwhile. Thread: one that may wait. Errors: those of the store; -REASON_MASTER_KEY_WRONG: a
 * key that neither of the two opens.
 */
#ifndef VAULT_REKEY_H
#define VAULT_REKEY_H

#include <stdint.h>
#include <stdio.h>

#include "base/check.h"

struct journal_signer;
struct store;

struct rekey_counts {
	uint64_t keys, checkpoints;
};

/* `below` is the store without sealing. */
MUST_CHECK int rekey_run(struct store *below, const uint8_t *from, const uint8_t *to,
	struct rekey_counts *ret);
/* A checkpoint's JSON under another signer; the caller frees *ret. 1: it is not the first one's, and stays
 * as it is. */
MUST_CHECK int rekey_checkpoint(const char *body, const struct journal_signer *from,
	const struct journal_signer *to, char **ret);
/* A file of checkpoints, line by line, into another. */
MUST_CHECK int rekey_lines(FILE *in, FILE *out, const struct journal_signer *from,
	const struct journal_signer *to);
/* Whether this document of STATE_META is one. */
int rekey_is_checkpoint(const char *id);

#endif
