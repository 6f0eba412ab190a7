/* lobby: where viewers find their hosts: one directory of the hosts that are welcome on this node,
 * of the viewers that wait for one to come back, and of sessions that may be resumed.
 *
 * Thread: any desk; one lock, taken when somebody enters, leaves or asks, never for DATA.
 * Decisions about a session are made at the desk of the host alone: whoever asks elsewhere moves
 * there first. A host's entry can only be taken out by its own desk, so a desk may use the leg that
 * lobby_host_here() gives without a lock.
 */
#ifndef RELAY_LOBBY_H
#define RELAY_LOBBY_H

#include <stdint.h>

#include "base/check.h"
#include "wire/session_id.h"

struct desk;
struct leg;
struct lobby;
struct message_connect;

#define LOBBY_WAITERS 4 /* viewers of one license that wait for its host */

MUST_CHECK int lobby_new(struct lobby **ret);
struct lobby *lobby_free(struct lobby *lobby);

/* The newest host of a license is the host: an older one is told HOST_REPLACED, viewers that wait
 * are told to try again. -REASON_NO_MEMORY. */
MUST_CHECK int lobby_enter_host(struct lobby *lobby, struct leg *leg);
/* -REASON_THROTTLED beyond `most` viewers of this license. */
MUST_CHECK int lobby_enter_viewer(struct lobby *lobby, const struct leg *leg,
	int64_t most);
/* 1: it stood there; 0: a newer host does, or (viewers) nobody asks. */
int lobby_leave(struct lobby *lobby, const struct leg *leg);

/* The desk where the host of this license is; NULL: it is not on this node. */
struct desk *lobby_find(struct lobby *lobby, const char *license);
/* The host's leg, if it is at this desk. */
struct leg *lobby_host_here(struct lobby *lobby, const char *license,
	const struct desk *desk);

/* The viewer is told to try again when its host comes (0). 1: the host is there now. -REASON_BUSY: too
 * many wait already. */
MUST_CHECK int lobby_wait(struct lobby *lobby, const struct leg *leg);
/* The same for a viewer with its wish: it waits until its grace time is over, meets the host, or is refused. */
void lobby_await(struct leg *viewer);
/* Its host came on another node: who waits for it here looks there, and a leg of it that is still here makes sure
 * that it is. */
void lobby_host_moved(struct lobby *lobby, const char *license);
void lobby_wait_no_more(struct lobby *lobby, const struct leg *leg);

/* A session that was cut may be resumed by this device until then (monotonic ms). */
void lobby_remember(struct lobby *lobby, const char *license,
	const uint8_t session[static SESSION_ID], const uint8_t device[static 32],
	int64_t until_ms);
/* Whether this device may go on with this session as far as this node knows: 1 yes, 0 unknown here,
 * -REASON_FORBIDDEN: it is another's. */
int lobby_recalls(struct lobby *lobby, const char *license,
	const uint8_t session[static SESSION_ID], const uint8_t device[static 32]);

/* Whoever proved himself for this license before now has no right to it any more. */
void lobby_revoke(struct lobby *lobby, const char *license, int reason);
/* The same for every license of a company. */
void lobby_revoke_tenant(struct lobby *lobby, const char *tenant, int reason);
/* 0, or the reason why a proof given at this time (monotonic ms) is worth nothing. */
int lobby_revoked(struct lobby *lobby, const char *license, const char *tenant,
	int64_t proved_ms);

/* What a CONNECT leads to; `viewer` has state HELLO_WAITING and its wish. */
void lobby_match(struct leg *viewer);

#endif
