/* admission_totp: the one-time code of a holder, after his password was right.
 *
 * A code is used up in the license's document before anything follows from it, so that of two who show the
 * same one the second is refused. A device that showed one may come without another for
 * HOLDER_TOTP_REMEMBER_MS, but only to take up a session that was cut (`resume_only` of the verdict).
 * Thread: admission's own; blocks on the store.
 */
#ifndef ADMISSION_ADMISSION_TOTP_H
#define ADMISSION_ADMISSION_TOTP_H

#include "base/check.h"

struct admission_case;

/* 0: good, or none is needed. -REASON_TOTP_NEEDED, -REASON_TOTP_WRONG; those of the store. */
MUST_CHECK int admission_totp_check(struct admission_case *one);

#endif
