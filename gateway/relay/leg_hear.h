/* leg_hear: what a leg hears. DATA goes to the pump of its session, all else to the one function that takes frames
 * of its type; what its state does not permit ends it.
 *
 * Thread: the worker of its desk.
 * Owner: the leg gives both functions to its conn (net/conn.h).
 */
#ifndef RELAY_LEG_HEAR_H
#define RELAY_LEG_HEAR_H

#include <stddef.h>
#include <stdint.h>

struct leg;

/* How many of the bytes were used: whole frames, and all of them once the leg has ended. */
size_t leg_hear_bytes(void *ctx, const uint8_t *bytes, size_t len);
/* Its conn takes more again. */
void leg_hear_room(void *ctx);
/* What its end says is the reason, held to what an end can know. */
int leg_hear_reason(const struct leg *leg, uint64_t number);

#endif
