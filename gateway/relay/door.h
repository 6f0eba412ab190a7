/* door: where every native connection begins: HELLO → CHALLENGE → PROVE → WELCOME or REFUSED. A door
 * costs a small fixed amount, and only until its deadline.
 *
 * Thread: the worker that accepted. Owner: the door owns its conn until it becomes a leg; it frees
 * itself. Whoever is at a door can neither send to nor learn about anybody.
 */
#ifndef RELAY_DOOR_H
#define RELAY_DOOR_H

#include <stdint.h>

struct conn;
struct desk;
struct door;
struct list;

/* The conn has been admitted by the guard. */
void door_open(struct desk *desk, struct conn *conn);
/* The door whose node this is in desk->doors. */
struct door *door_at(struct list *node);
void door_tick(struct door *door, int64_t now_ms);
/* REFUSED with this reason, then the end. */
void door_refuse(struct door *door, int reason, int64_t retry_ms, const char *detail);

#endif
