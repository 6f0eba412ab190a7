/* sign_in_door: what comes after somebody has shown who he is: where he comes from, his one-time code, the
 * sign-in; and what every refusal has in common.
 *
 * Thread: that of the call; blocks on the store. `desk`: account and security are filled.
 */
#ifndef ADMIN_SIGN_IN_DOOR_H
#define ADMIN_SIGN_IN_DOOR_H

#include "admin/guess.h"
#include "admin/sign_in_desk.h"

/* Who has not proved who he is, as "by" in rows. */
#define SIGN_IN_DOOR_STRANGER "stranger"
/* What is counted where no account is known. */
#define SIGN_IN_DOOR_NO_NAME "-"

/* The refusal as a row. -REASON_*: answered. */
MUST_CHECK int sign_in_door_record(struct call *call, const struct account *account,
	int reason);
/* The secret was wrong: recorded, counted, answered. */
void sign_in_door_refuse(struct guess *guess, const struct account *account, int reason);
/* Whether he may sign in from there, and his company's people at all. Nothing is answered. */
MUST_CHECK int sign_in_door_place(struct call *call, const struct sign_in_desk *desk);
/* The last of it. 0: he is in, and the answer will set his cookie. -REASON_*: answered with what is in the
 * way. `code` may be NULL; `directory` as in sign_in_desk_open(). */
MUST_CHECK int sign_in_door_open(struct guess *guess, struct sign_in_desk *desk,
	const char *code, const char *directory);
/* ... and the answer: ME. */
void sign_in_door_greet(struct call *call, const struct sign_in_desk *desk);

#endif
