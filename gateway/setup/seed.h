/* seed: what a store must know before anybody can sign in: the first operator and the token for
 * engawactl beside the gateway, as DIR/seed.json (hashes only). A store takes each seed once: what
 * people revoked or changed later does not come back with the next start.
 *
 * Thread: main. Errors come with one line in `error`: those of the store, -REASON_STATE_DAMAGED.
 */
#ifndef SETUP_SEED_H
#define SETUP_SEED_H

#include "admin/token.h"
#include "base/check.h"
#include "setup/data_dir.h"

struct store;

#define SEED_ACCOUNT "operator"

/* Writes DIR/seed.json and DIR/admin.token; the password is to be shown once. */
#define SEED_PASSWORD 64
MUST_CHECK int seed_make(const char *path, char ret_password[static SEED_PASSWORD],
	char error[static DATA_DIR_ERROR]);
MUST_CHECK int seed_apply(const char *path, struct store *store, const char *node,
	char error[static DATA_DIR_ERROR]);

#endif
