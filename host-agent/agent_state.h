/* agent_state: the small files that an agent keeps beside its keys: who runs (run.lock), how it goes
 * (status.json), the last fence (fence.json), and its own record of sessions (sessions.jsonl), so that
 * a company can compare it with what the gateway says.
 *
 * Thread: main. Errors: -REASON_ALREADY_RUNNING, those of e2e/private_file.h.
 */
#ifndef AGENT_AGENT_STATE_H
#define AGENT_AGENT_STATE_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"

/* Held until the process ends. */
MUST_CHECK int agent_state_lock(const char *dir, int *ret_lock);
/* 1: an agent runs with this directory. */
int agent_state_running(const char *dir);

/* Steals the object. A status that cannot be written is worth a log line, not the session. */
void agent_state_tell(const char *dir, json_t *status);
MUST_CHECK int agent_state_ask(const char *dir, json_t **ret);

/* 0 when there is none yet. A damaged file is an error: a stale node must not profit from it. */
MUST_CHECK int agent_state_fence(const char *dir, uint64_t *ret);
MUST_CHECK int agent_state_keep_fence(const char *dir, uint64_t fence);

/* Appends one line; at 1 MiB the file becomes sessions.jsonl.1. Steals the object. */
void agent_state_record(const char *dir, json_t *line);

#endif
