/* review: what to do with viewers that are in when the company's policy changes: admission is asked again,
 * and its answer narrows the session or ends it.
 *
 * An order puts a mark on every viewer's leg that it concerns; the tick asks for those that are marked, again
 * after a while where admission or the store had no time. Until there is an answer all stays as it was.
 * Thread: the desk of the leg.
 */
#ifndef RELAY_REVIEW_H
#define RELAY_REVIEW_H

#include <stdint.h>

struct desk;
struct leg;
struct order;

/* ORDER_POLICY. */
void review_order(struct desk *desk, const struct order *order);
/* How often viewers in a session are looked at again so that they are known when the store goes away. */
int64_t review_refresh_ms(const struct desk *desk);
void review_tick(struct leg *leg, int64_t now_ms);
/* The leg has come from another desk, where an answer for it may just have come too late. */
void review_moved(struct leg *leg);

#endif
