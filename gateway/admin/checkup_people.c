/* Probes of sign-in and rights: whose question it is, stands in checksheet.def. */
#include <string.h>

#include "admin/checkup.h"
#include "base/clock.h"
#include "rules/account.h"

#define DAY_MS INT64_C(86400000)

struct people {
	const struct checkup *checkup;
	int64_t accounts, disabled, without, waiting, admins, readers;
};

/* Operators look at their own accounts here: each company answers for its own. */
static void count_account(const struct state_doc *doc, const json_t *body, void *ctx)
{
	struct people *people = ctx;
	struct field_error error;
	struct account account;

	if (strcmp(doc->tenant, people->checkup->tenant) ||
		account_read(doc->body, &account, &error))
		return;
	people->accounts++;
	people->disabled += account.state == ACCOUNT_DISABLED;
	people->waiting += account.must_change;
	if (account.state == ACCOUNT_ENABLED &&
		!json_is_object(json_object_get(body, "totp")))
		people->without++;
	if (account.roles & (ROLE_BIT(ROLE_OPERATOR) | ROLE_BIT(ROLE_ADMIN)))
		people->admins++;
	else if (account.roles == ROLE_BIT(ROLE_AUDITOR))
		people->readers++;
}

static int look_at_accounts(struct checkup *checkup, struct people *ret)
{
	*ret = (struct people){.checkup = checkup};
	return checkup_documents(checkup, STATE_ACCOUNT, count_account, ret);
}

int checkup_people_password(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct account_security security;
	int status = checkup_security(checkup, &security);
	const struct password_rule *rule = &security.password;

	if (status)
		return status;
	checkup_number(values, "min_length", rule->min_length);
	checkup_number(values, "min_classes", rule->min_classes);
	checkup_number(values, "history", rule->history);
	checkup_number(values, "max_age_days", rule->max_age_ms / DAY_MS);
	checkup_flag(values, "common", rule->common);
	*ret = rule->min_length >= 8 && rule->min_classes >= 2 && rule->history >= 1 &&
	       rule->common;
	return 0;
}

static void count_directory(const struct state_doc *doc UNUSED, const json_t *body UNUSED,
	void *ctx)
{
	(*(int64_t *)ctx)++;
}

int checkup_people_totp(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct account_security security;
	struct people people;
	int64_t directories = 0;
	int status = checkup_security(checkup, &security);

	if (!status)
		status = look_at_accounts(checkup, &people);
	if (!status)
		status = checkup_documents(checkup, STATE_DIRECTORY, count_directory,
			&directories);
	if (status)
		return status;
	checkup_flag(values, "required", security.totp_required);
	checkup_number(values, "accounts", people.accounts);
	checkup_number(values, "without", people.without);
	checkup_number(values, "directories", directories);
	*ret = security.totp_required != 0;
	return 0;
}

struct locks {
	int64_t now_ms, locked;
};

static void count_lock(const struct state_doc *doc, const json_t *body UNUSED, void *ctx)
{
	struct locks *locks = ctx;
	struct lockout_book book;

	lockout_read(doc->body, &book);
	int is_locked = book.whole.until_ms > locks->now_ms;
	for (size_t i = 0; i < book.count; i++)
		is_locked |= book.prefixes[i].at.until_ms > locks->now_ms;
	locks->locked += is_locked;
}

int checkup_people_lockout(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct account_security security;
	struct locks locks = {.now_ms = clock_wall_ms()};
	int status = checkup_security(checkup, &security);

	if (!status)
		status = checkup_documents(checkup, STATE_ATTEMPTS, count_lock, &locks);
	if (status)
		return status;
	checkup_number(values, "failures", security.failures);
	checkup_number(values, "lock_min", security.lock_ms / 60000);
	checkup_number(values, "license_failures",
		checkup_setting_number(checkup, "admission.lockout_failures"));
	checkup_number(values, "locked", locks.locked);
	/* More tries or a shorter lock stop nobody who guesses. */
	*ret = security.failures <= 10 && security.lock_ms >= 60000 &&
	       checkup_setting_number(checkup, "admission.lockout_failures") <= 10;
	return 0;
}

static void count_limit(const struct state_doc *doc UNUSED, const json_t *body, void *ctx)
{
	*(int64_t *)ctx += json_array_size(json_object_get(body, "addresses")) > 0;
}

int checkup_people_addresses(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct account_security security;
	int64_t policies = 0;
	int status = checkup_security(checkup, &security);

	if (!status)
		status = checkup_documents(checkup, STATE_POLICY, count_limit, &policies);
	if (status)
		return status;
	checkup_number(values, "networks", (int64_t)security.address_count);
	checkup_number(values, "policies", policies);
	*ret = security.address_count > 0;
	return 0;
}

int checkup_people_roles(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct people people;
	int status = look_at_accounts(checkup, &people);

	if (status)
		return status;
	checkup_number(values, "accounts", people.accounts);
	checkup_number(values, "admins", people.admins);
	checkup_number(values, "readers", people.readers);
	checkup_number(values, "disabled", people.disabled);
	checkup_number(values, "roles", ROLES);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_people_first_change(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct people people;
	int status = look_at_accounts(checkup, &people);

	if (status)
		return status;
	checkup_number(values, "waiting", people.waiting);
	checkup_number(values, "accounts", people.accounts);
	*ret = CHECKUP_GOOD;
	return 0;
}
