/* notices: the operator's notices (rules/notice.h) as the ends of this node are told them: in WELCOME, and by
 * NOTICES while they are connected whenever the notices that are current have changed.
 *
 * All of them are kept in memory and read again by order (ORDER_NOTICES) and every NOTICES_EVERY_MS, since time
 * alone makes a notice current. One that does not fit into the message any more is left out.
 * Thread: any desk; one lock. Owner: the house. Errors: -REASON_NO_MEMORY.
 */
#ifndef RELAY_NOTICES_H
#define RELAY_NOTICES_H

#include <stdint.h>

#include "base/check.h"
#include "wire/message.h"

struct desk;
struct leg;
struct notices;

#define NOTICES_MAX 200 /* that are kept */
#define NOTICES_EVERY_MS 60000
#define NOTICES_TEXT sizeof(((struct message_notices *)0)->notices)

MUST_CHECK int notices_new(struct notices **ret);
/* Accepts NULL, returns NULL. */
struct notices *notices_free(struct notices *notices);

/* Reads them anew from the store; the answer comes to this desk. */
void notices_read(struct desk *desk);
/* What this end is to see now: {"items":[…]}. 0: nothing. */
int notices_for(struct notices *notices, const struct leg *leg,
	char ret[static NOTICES_TEXT]);
/* Looks whether they are to be read again, and tells the legs of this desk what has changed. */
void notices_tick(struct desk *desk, int64_t now_ms);

#endif
