/* tenant_export: everything a company may take along, as a tar of open formats: JSON Lines for all of it, CSV
 * beside it for what people look at in spreadsheets. No password, key or one-time secret is in it.
 *
 * Thread: an office thread; memory stays small however much there is, because long lists become
 * several files. Errors: those of the store, and of `put`.
 */
#ifndef ADMIN_TENANT_EXPORT_H
#define ADMIN_TENANT_EXPORT_H

#include <stddef.h>

#include "base/check.h"

struct store;

MUST_CHECK int tenant_export_run(struct store *store, const char *tenant,
	int (*put)(void *ctx, const void *bytes, size_t len), void *ctx);

#endif
