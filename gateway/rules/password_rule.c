#include "rules/password_rule.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/reason.h"
#include "base/text.h"
#include "rules/password.h"

#define YEAR_MS (INT64_C(366) * 86400000)

void password_rule_default(struct password_rule *ret)
{
	*ret = (struct password_rule){.min_length = 12, .min_classes = 3, .history = 4};
}

int password_rule_read(const json_t *object, struct password_rule *ret,
	struct field_error *error)
{
	static const char *const known[] = {
		"min_length", "min_classes", "max_age_ms", "history", NULL};
	struct password_rule rule;
	password_rule_default(&rule);
	if (!json_is_object(object))
		return field_fail(error, "password_rule", "a JSON object is expected");
	int r = field_known(object, known, error);
	if (r == 0)
		r = field_integer(object, "min_length", FIELD_MAY, 8, 128,
			&rule.min_length, error);
	if (r == 0)
		r = field_integer(object, "min_classes", FIELD_MAY, 1, 4,
			&rule.min_classes, error);
	if (r == 0)
		r = field_integer(object, "max_age_ms", FIELD_MAY, 0, 10 * YEAR_MS,
			&rule.max_age_ms, error);
	if (r == 0)
		r = field_integer(object, "history", FIELD_MAY, 0, PASSWORD_RULE_HISTORY,
			&rule.history, error);
	if (r == 0)
		*ret = rule;
	return r;
}

static int64_t characters(const char *text)
{
	int64_t count = 0;
	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static int64_t classes(const char *text)
{
	int small = 0, capital = 0, digit = 0, other = 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		small |= islower(c) != 0;
		capital |= isupper(c) != 0;
		digit |= isdigit(c) != 0;
		other |= !isalnum(c);
	}
	return small + capital + digit + other;
}

int password_rule_check(const struct password_rule *rule, const char *name,
	const char *password, struct field_error *error)
{
	if (strlen(password) > PASSWORD_MAX)
		return field_fail(error, "password", "longer than %d bytes",
			PASSWORD_MAX);
	if (!text_utf8_valid(password, strlen(password)))
		return field_fail(error, "password", "is not UTF-8");
	if (characters(password) < rule->min_length)
		return field_fail(error, "password",
			"at least %lld characters are needed",
			(long long)rule->min_length);
	if (classes(password) < rule->min_classes)
		return field_fail(error, "password",
			"at least %lld of small letters, capitals, digits and signs are "
			"needed",
			(long long)rule->min_classes);
	if (strlen(name) >= 3 && strcasestr(password, name))
		return field_fail(error, "password", "must not hold the account's name");
	return 0;
}

int password_rule_reused(const struct password_rule *rule, const char *const *records,
	size_t count, const char *password)
{
	for (size_t i = 0; i < count && (int64_t)i < rule->history; i++)
		if (password_check(records[i], password) == 0)
			return 1;
	return 0;
}

int password_rule_too_old(const struct password_rule *rule, int64_t changed_ms,
	int64_t now_ms)
{
	return rule->max_age_ms && now_ms - changed_ms >= rule->max_age_ms;
}
