/* sign_in_desk: people who are signed in: from the cookie of a request to the account behind it, and how
 * a sign-in begins and ends.
 *
 * Thread: that of the call; blocks on the store. The id is new with every sign-in and with every
 * change of the password, so that a cookie somebody planted before is worth nothing after.
 */
#ifndef ADMIN_SIGN_IN_DESK_H
#define ADMIN_SIGN_IN_DESK_H

#include "admin/account_desk.h"
#include "admin/call.h"
#include "rules/sign_in.h"

#define SIGN_IN_DESK_COOKIE "__Host-engawa"

struct sign_in_desk {
	char cookie[SIGN_IN_COOKIE];
	struct sign_in sign_in;
	uint64_t version; /* of its document */
	struct account_desk account;
	struct account_security security;
};

/* From the request's cookie. Nothing is answered. -REASON_UNAUTHENTICATED: no cookie, or worth
 * nothing (any more). */
MUST_CHECK int sign_in_desk_load(struct call *call, struct sign_in_desk *ret);
void sign_in_desk_unload(struct sign_in_desk *desk);

/* The page that asks is our own: CSRF token (for what changes something), Origin, Sec-Fetch-Site.
 * `csrf` NULL: nobody is signed in yet, so there is no token. -REASON_CROSS_SITE. */
MUST_CHECK int sign_in_desk_same_site(struct call *call, const char *csrf);

/* What stands between the account and its work. Passwords of a directory are its own business, and so
 * are one-time codes where it asserts that it has asked for one. */
enum sign_in_must { SIGN_IN_MUST_PASSWORD = 1, SIGN_IN_MUST_TOTP = 2 };
unsigned sign_in_desk_must(const struct sign_in_desk *desk, int64_t now_ms);

/* All checks of who he is are done: the sign-in is recorded and stored, the answer gets its cookie,
 * and `desk` (account and security are filled) its sign-in. `directory` is "" for a password, or has
 * checked who he is; then desk->sign_in.second_factor says whether it has asked for a second factor.
 * Old sign-ins beyond SIGN_IN_MOST end. -REASON_*: answered. */
MUST_CHECK int sign_in_desk_open(struct call *call, struct sign_in_desk *desk,
	const char *directory);
/* The same after the account's epoch has changed: everybody else is out, this browser goes on. */
MUST_CHECK int sign_in_desk_renew(struct call *call, struct sign_in_desk *desk);
/* Writes that somebody was there or has shown a secret. Nothing is answered. */
MUST_CHECK int sign_in_desk_put(struct call *call, struct sign_in_desk *desk);
/* This browser is out; the answer removes its cookie. Nothing is answered. */
MUST_CHECK int sign_in_desk_close(struct call *call, struct sign_in_desk *desk);
/* All documents of an account. Nothing is answered. */
MUST_CHECK int sign_in_desk_remove(struct call *call, const struct account *account);

/* Until when what needs a step-up may be done; 0: a secret has to be shown first. */
int64_t sign_in_desk_step_up(struct call *call, const struct sign_in_desk *desk);
/* ME of the API; NULL without memory. */
json_t *sign_in_desk_me(struct call *call, const struct sign_in_desk *desk);
/* The list of an account's living sign-ins; the caller's own is marked. */
void sign_in_desk_answer(struct call *call, const struct account *account);
#endif
