/* password_rule: which passwords people may choose, and for how long.
 *
 * Thread: any.
 * Errors: -REASON_BAD_VALUE and what is wrong.
 */
#ifndef RULES_PASSWORD_RULE_H
#define RULES_PASSWORD_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"

#define PASSWORD_RULE_HISTORY 8

struct password_rule {
	int64_t min_length;  /* characters (12) */
	int64_t min_classes; /* of small, capital, digit, other (3) */
	int64_t max_age_ms;  /* 0: none (0) */
	int64_t history; /* that many old ones are refused, at most PASSWORD_RULE_HISTORY (4) */
	int common; /* passwords that everybody chooses are refused (1) */
};

void password_rule_default(struct password_rule *ret);
/* Members that are absent stay as they are; on error `rule` is as before. */
MUST_CHECK int password_rule_change(struct password_rule *rule, const json_t *changes,
	struct field_error *error);
/* NULL without memory. */
json_t *password_rule_json(const struct password_rule *rule);
/* `name`: the account's; a password that holds it is refused, and so is the product's. Whether it is
 * a common one is not looked at here. */
MUST_CHECK int password_rule_check(const struct password_rule *rule, const char *name,
	const char *password, struct field_error *error);
int password_rule_too_old(const struct password_rule *rule, int64_t changed_ms,
	int64_t now_ms);

#endif
