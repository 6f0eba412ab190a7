/* account_security: how people of one company sign in to the administration (STATE_META, id
 * "security/T"; "security/" are the operator's own accounts).
 *
 * JSON: "totp_required", "password" (rules/password_rule.h), "addresses" [networks; none: from
 * everywhere], "idle_ms", "absolute_ms" (how long a sign-in lasts), "lockout" {"failures","lock_ms"}.
 * Absent members have the defaults below.
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_LIMIT, -REASON_NO_MEMORY.
 */
#ifndef RULES_ACCOUNT_SECURITY_H
#define RULES_ACCOUNT_SECURITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"
#include "rules/ip_rule.h"
#include "rules/lockout.h"
#include "rules/password_rule.h"

#define ACCOUNT_SECURITY_ADDRESSES 64
#define ACCOUNT_SECURITY_ID 64

struct account_security {
	int totp_required; /* 0 */
	struct password_rule password;
	size_t address_count;
	struct ip_rule addresses[ACCOUNT_SECURITY_ADDRESSES];
	int64_t idle_ms;     /* 15 min, 1 min to 24 h */
	int64_t absolute_ms; /* 12 h, 5 min to 30 d */
	int64_t failures;    /* per account and address (5, 1 to 100) */
	int64_t lock_ms;     /* 15 min, 1 s to 24 h */
};

void account_security_default(struct account_security *ret);
void account_security_id(const char *tenant, char ret[static ACCOUNT_SECURITY_ID]);
MUST_CHECK int account_security_read(const char *body, struct account_security *ret,
	struct field_error *error);
/* On error `security` is as before. */
MUST_CHECK int account_security_change(struct account_security *security,
	const json_t *changes, struct field_error *error);
/* All members; NULL without memory. */
json_t *account_security_json(const struct account_security *security);

/* Whether people may sign in and work from there. */
int account_security_permits(const struct account_security *security,
	const char *address);
/* For one account; for one address with whatever account. */
struct lockout_limits account_security_limits(const struct account_security *security);
struct lockout_limits account_security_address_limits(void);

#endif
