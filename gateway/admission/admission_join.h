/* admission_join: the join token of a viewer that was let in at another node a moment ago (rules/join.h).
 *
 * It is removed before it is believed, so that of two who show the same one only one can come in. Whoever shows one
 * where it does not count has used it up all the same.
 * Thread: admission's own; blocks on the store.
 */
#ifndef ADMISSION_ADMISSION_JOIN_H
#define ADMISSION_ADMISSION_JOIN_H

#include "base/check.h"

struct admission_case;

/* 0: `joined` says whether it was good; if not, there is a password to be looked at. -REASON_JOIN_SPENT: there is
 * none either. Those of the store. */
MUST_CHECK int admission_join_take(struct admission_case *one);

#endif
