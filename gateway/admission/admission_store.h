/* admission_store: what admission reads and writes: documents changed with retries, counted tries, rows.
 *
 * Thread: admission's own; blocks on the store. Errors: those of the store.
 */
#ifndef ADMISSION_ADMISSION_STORE_H
#define ADMISSION_ADMISSION_STORE_H

#include <jansson.h>

#include "base/check.h"
#include "rules/audit.h"
#include "rules/lockout.h"
#include "store/state.h"
#include "store/store_open.h"

/* The body of a document; the caller frees. -REASON_NOT_FOUND. */
MUST_CHECK int admission_store_get(struct store *store, enum state_kind kind,
	const char *id, char **ret);

/* Makes a new body of the old one (NULL: there is none). 0: *ret_body is to be stored; 1: nothing to
 * do; else an error. May be called again when somebody else was faster. */
typedef int (*admission_store_change)(void *ctx, const char *body, char **ret_body);
MUST_CHECK int admission_store_update(struct store *store, enum state_kind kind,
	const char *id, const char *tenant, admission_store_change change, void *ctx);

/* One book of tries. */
struct admission_tries {
	const char *what, *name, *tenant; /* "license", "lic_…" */
	const char *prefix;
	struct lockout_limits limits;
	int64_t now_ms;
};

/* *ret_wait_ms: 0 or how long it is locked. */
MUST_CHECK int admission_store_wait(struct store *store,
	const struct admission_tries *tries, int64_t *ret_wait_ms);
/* As lockout_charge(). */
MUST_CHECK int admission_store_charge(struct store *store,
	const struct admission_tries *tries, int64_t *ret_wait_ms, int *ret_locks);
enum admission_mercy { ADMISSION_FORGIVE, ADMISSION_GIVE_BACK };
MUST_CHECK int admission_store_undo(struct store *store,
	const struct admission_tries *tries, enum admission_mercy mercy);
/* Removes books in which nothing matters any more. */
void admission_store_sweep(struct store *store, const struct lockout_limits *limits,
	int64_t now_ms);

/* -REASON_COMPANY_FULL when `most` sessions of the company are live or wait to be resumed; the one of
 * `license` itself does not count, for it would be the one that comes back. */
MUST_CHECK int admission_store_room(struct store *store, const char *tenant,
	const char *license, int64_t most);

/* Takes `fields` over. */
MUST_CHECK int admission_store_audit(struct store *store, enum audit_event event,
	const char *tenant, const char *license, const char *by, const char *address,
	json_t *fields);

#endif
