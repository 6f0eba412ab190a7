/* permitted: what may happen in a session: the company's policy, as the gateway tells it, and the host's own
 * veto file, in one form. What is in force is one narrowed by the other; no order of narrowing widens.
 *
 * Thread: any; pure: nothing is read, no clock is asked.
 */
#ifndef AGENT_PERMITTED_H
#define AGENT_PERMITTED_H

#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"

struct veto;

/* Bits of `kinds`; whatever is not native is taken for a web viewer. */
#define PERMITTED_NATIVE 0x01
#define PERMITTED_WEB 0x02
#define PERMITTED_KINDS (PERMITTED_NATIVE | PERMITTED_WEB)

struct permitted {
	uint16_t rights; /* INNER_RIGHT_* */
	unsigned kinds;
	/* 0: no limit */
	int64_t max_session_ms, idle_ms;
	int64_t until_ms; /* wall clock */
	int64_t clip_max_bytes, file_max_bytes, devices_max;
	int consent, watermark, lock_at_end;
};

/* The member `policy` of OPEN and POLICY (rules/policy.h of the gateway). "" says nothing, so it narrows
 * nothing. A text of which any member cannot be understood permits nothing: whoever wrote a limit meant
 * one. */
void permitted_by_policy(const char *text, struct permitted *ret);
void permitted_by_veto(const struct veto *veto, struct permitted *ret);
void permitted_narrow(struct permitted *into, const struct permitted *by);
int permitted_kind(const struct permitted *permitted, enum inner_class class);

#endif
