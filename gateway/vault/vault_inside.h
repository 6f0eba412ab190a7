/* vault_inside: what the files of the vault share.
 *
 * Thread: the vault's own, unless said otherwise.
 */
#ifndef VAULT_VAULT_INSIDE_H
#define VAULT_VAULT_INSIDE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/post.h"
#include "rules/audit.h"
#include "vault/vault.h"

#define VAULT_MAGIC 0x5661756c

struct vault {
	uint32_t magic;
	struct vault_parts parts;
	pthread_mutex_t lock; /* of the settings */
	struct vault_settings settings;
	struct post_pump *pump;
	pthread_t thread;
	atomic_int stopping;
	int ended; /* on the thread */
	int64_t started_ms, look_due_ms, care_due_ms;
};

/* A copy of the settings. Any thread. */
struct vault_settings vault_settings_now(struct vault *vault);
/* Whether to give up what is under way; `ctx` is the vault. Any thread. */
int vault_is_stopping(void *ctx);
/* A row in the audit journal; takes `fields`. What could not be recorded is said in the log. */
void vault_chronicle(struct vault *vault, enum audit_event event, const char *by,
	const char *tenant, json_t *fields);
/* `act` runs on the vault's thread with a copy of `id`. Any thread. -REASON_NO_MEMORY. */
MUST_CHECK int vault_put_job(struct vault *vault,
	void (*act)(struct vault *, const char *), const char *id);

/* Backups and drills that were under way when the last process of this node ended have failed. */
void vault_backups_tidy_up(struct vault *vault);
/* What an earlier run, or another node that is gone, has left to seal. */
void vault_reseal_go_on(struct vault *vault);

#endif
