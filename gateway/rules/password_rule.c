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
	*ret = (struct password_rule){
		.min_length = 12, .min_classes = 3, .history = 4, .common = 1};
}

int password_rule_change(struct password_rule *rule, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {
		"min_length", "min_classes", "max_age_ms", "history", "common", NULL};
	struct password_rule changed = *rule;
	if (!json_is_object(changes))
		return field_fail(error, "password", "a JSON object is expected");
	int r = field_known(changes, known, error);
	if (r == 0)
		r = field_integer(changes, "min_length", FIELD_MAY, 8, 128,
			&changed.min_length, error);
	if (r == 0)
		r = field_integer(changes, "min_classes", FIELD_MAY, 1, 4,
			&changed.min_classes, error);
	if (r == 0)
		r = field_integer(changes, "max_age_ms", FIELD_MAY, 0, 10 * YEAR_MS,
			&changed.max_age_ms, error);
	if (r == 0)
		r = field_integer(changes, "history", FIELD_MAY, 0, PASSWORD_RULE_HISTORY,
			&changed.history, error);
	if (r == 0)
		r = field_flag(changes, "common", &changed.common, error);
	if (r == 0)
		*rule = changed;
	return r;
}

json_t *password_rule_json(const struct password_rule *rule)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "min_length",
		(json_int_t)rule->min_length, "min_classes",
		(json_int_t)rule->min_classes, "max_age_ms", (json_int_t)rule->max_age_ms,
		"history", (json_int_t)rule->history, "common", rule->common);
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
	if (strcasestr(password, "engawa"))
		return field_fail(error, "password", "must not hold the product's name");
	return 0;
}

int password_rule_too_old(const struct password_rule *rule, int64_t changed_ms,
	int64_t now_ms)
{
	return rule->max_age_ms && now_ms - changed_ms >= rule->max_age_ms;
}
