/* rekey_verb: "engawa-gateway rekey": a new master key for a cluster, while none of its nodes runs.
 *
 * The new key stands as DIR/master.key.new until the store and this node's checkpoints belong to it;
 * then it takes its name. Interrupted anywhere it is run again and goes on; until then no gateway
 * starts on the store. Further nodes get the new master.key by hand, and their checkpoints.jsonl is put away.
 * Thread: main. Errors come with one line: those of setup/data_dir.h and vault/rekey.h.
 */
#ifndef REKEY_VERB_H
#define REKEY_VERB_H

#include "base/check.h"
#include "vault/rekey.h"

#define REKEY_VERB_ERROR 640

/* `store` NULL: DIR/engawa.db. */
MUST_CHECK int rekey_verb_run(const char *data, const char *store,
	struct rekey_counts *ret, char error[static REKEY_VERB_ERROR]);

#endif
