/* admission_away: viewers at the door while the store is away, when the operator wants them let in from what this
 * node remembers (degraded_mode = cache; docs/decisions/0023).
 *
 * The case goes the same steps with the same checks, on documents as the node read them last (admission_cache.h).
 * What cannot be known without the store is answered by -REASON_STORE_UNAVAILABLE: hosts, devices that this node has
 * not let in within the window, join tokens, one-time codes, licenses whose password a directory knows, companies
 * with a limit of sessions. Failed tries are counted on this node alone.
 * Thread: admission's own. Errors: the verdict's.
 */
#ifndef ADMISSION_ADMISSION_AWAY_H
#define ADMISSION_ADMISSION_AWAY_H

#include "admission/admission_case.h"
#include "base/check.h"

/* After a step that the store did not answer. Whether the case goes on from the cache; then `cached` is set, and it
 * is as far as admission_case_open() brings one whose password is to be looked at, or `status` is the verdict. */
MUST_CHECK int admission_away_open(struct admission_case *one);
/* Password, code and their counts. */
MUST_CHECK int admission_away_password(struct admission_case *one);
/* A viewer was let in, or looked at again, by the store: its license, company and policy are remembered. One that
 * was let in from the cache and shows what it was let in by: -REASON_DEVICE_REVOKED, -REASON_PASSWORD_WRONG when that
 * has changed meanwhile; those of the store. */
MUST_CHECK int admission_away_learn(struct admission_case *one);
/* By what a viewer was let in: key, password, code, as the license has them. */
MUST_CHECK int admission_away_credential(const struct license *license,
	uint8_t ret[static DIGEST_SIZE]);

#endif
