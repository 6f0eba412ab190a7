/* sign_in: one browser in which somebody is signed in to the administration (STATE_SIGN_IN).
 *
 * The cookie is 256 random bits; the store knows their hash only (the id), so that who reads the
 * store is not signed in. The CSRF token is another hash of the same bits: nothing has to be kept
 * for it either, and a page that can read it is one the cookie's owner sees.
 * JSON body: "account", "tenant", "address", "agent", "directory" ("": by password), "epoch",
 * "created_ms", "seen_ms", "proved_ms" (the last time a secret was shown), "second_factor" (the
 * directory has asked for one).
 * Thread: any; pure but for random: time is an argument. Errors: -REASON_UNAUTHENTICATED,
 * -REASON_STATE_DAMAGED, -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef RULES_SIGN_IN_H
#define RULES_SIGN_IN_H

#include <stdint.h>

#include "base/check.h"
#include "rules/account.h"
#include "rules/account_security.h"
#include "rules/ip_rule.h"

#define SIGN_IN_SECRET 32
#define SIGN_IN_COOKIE 44 /* base64url, with its NUL */
#define SIGN_IN_ID 65
#define SIGN_IN_AGENT 161
/* The store is told that somebody is there only so often. */
#define SIGN_IN_SEEN_MS INT64_C(20000)
/* Beside each other for one account; the oldest ends. */
#define SIGN_IN_MOST 16

struct sign_in {
	char id[SIGN_IN_ID], account[ACCOUNT_NAME_SIZE], tenant[TENANT_ID_SIZE];
	char address[IP_RULE_TEXT], agent[SIGN_IN_AGENT], directory[65];
	int64_t epoch, created_ms, seen_ms, proved_ms;
	int second_factor;
};

/* A new id and its cookie; the caller fills the rest. */
MUST_CHECK int sign_in_generate(struct sign_in *sign_in,
	char ret_cookie[static SIGN_IN_COOKIE]);
/* -REASON_UNAUTHENTICATED: not such a cookie. */
MUST_CHECK int sign_in_id(const char *cookie, char ret[static SIGN_IN_ID]);
MUST_CHECK int sign_in_csrf(const char *cookie, char ret[static SIGN_IN_COOKIE]);

MUST_CHECK int sign_in_read(const char *id, const char *body, struct sign_in *ret);
/* The caller frees *ret. */
MUST_CHECK int sign_in_write(const struct sign_in *sign_in, char **ret);

/* Whether it is still worth something: the account is enabled, was not told to sign in again, and
 * neither end has come. -REASON_UNAUTHENTICATED. */
MUST_CHECK int sign_in_check(const struct sign_in *sign_in, const struct account *account,
	const struct account_security *security, int64_t now_ms);
int64_t sign_in_idle_end(const struct sign_in *sign_in,
	const struct account_security *security);
int64_t sign_in_end(const struct sign_in *sign_in,
	const struct account_security *security);
/* A secret that was shown is good for `step_up_ms`. 0: it has to be shown again. */
int64_t sign_in_step_up_until(const struct sign_in *sign_in, int64_t step_up_ms,
	int64_t now_ms);

#endif
