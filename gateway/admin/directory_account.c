#include "admin/directory_account.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/account_desk.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

int directory_account_good(const struct directory *directory,
	const struct account *account)
{
	return account->state == ACCOUNT_ENABLED &&
	       !strcmp(account->directory, directory->id) &&
	       directory_serves(directory, account->tenant, DIRECTORY_ACCOUNTS);
}

/* LDAP compares names without case, and so do people with mail addresses and login names; the "sub" of
 * OIDC is exact, and two that differ in case are two people. */
static int is_called(const struct directory *directory, const struct account *account,
	const char *user)
{
	const char *name = account_directory_user(account);
	int exact = directory->kind == DIRECTORY_OIDC &&
		    !strcmp(directory->oidc.claim, "sub");
	return !(exact ? strcmp(name, user) : strcasecmp(name, user));
}

struct search {
	const struct directory *directory;
	const char *user;
	char found[ACCOUNT_NAME_SIZE];
	size_t count;
};

static int look(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct search *search = ctx;
	struct field_error error;
	struct account account;

	if (!account_read(doc->body, &account, &error) &&
		directory_account_good(search->directory, &account) &&
		is_called(search->directory, &account, search->user) && !search->count++)
		memcpy(search->found, account.name, sizeof(search->found));
	return 0;
}

int directory_account_find(struct call *call, const struct directory *directory,
	const char *user, struct account_desk *ret)
{
	struct search search = {.directory = directory, .user = user};
	const char *tenant = *directory->tenant ? directory->tenant : NULL;
	int status = page_each(call, STATE_ACCOUNT, tenant, look, &search);

	if (status)
		return status;
	/* Of two that fit nobody can tell which is meant. */
	if (search.count != 1)
		return -REASON_NOT_FOUND;
	status = account_desk_read(call, search.found, ret);
	if (!status && (!directory_account_good(directory, &ret->account) ||
			       !is_called(directory, &ret->account, user))) {
		account_desk_unload(ret);
		status = -REASON_NOT_FOUND;
	}
	return status;
}

static int fill(const struct directory *directory, const struct oidc_flow_person *person,
	struct account *account)
{
	const struct directory_oidc *oidc = &directory->oidc;

	*account = (struct account){.state = ACCOUNT_ENABLED,
		.roles = ROLE_BIT(oidc->provision_role),
		.created_ms = clock_wall_ms()};
	account->changed_ms = account->created_ms;
	if (!oidc->provision ||
		text_copy(account->name, sizeof(account->name), person->name))
		return -REASON_NOT_FOUND;
	for (char *c = account->name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!account_name_good(account->name))
		return -REASON_NOT_FOUND;
	text_clip(account->tenant, sizeof(account->tenant), oidc->provision_tenant);
	text_clip(account->full_name, sizeof(account->full_name), person->full_name);
	text_clip(account->mail, sizeof(account->mail), person->mail);
	text_clip(account->directory, sizeof(account->directory), directory->id);
	text_clip(account->directory_user, sizeof(account->directory_user), person->name);
	return 0;
}

/* Else its making would be recorded before it fails. */
static int is_taken(struct call *call, const char *name)
{
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(call)->state, STATE_ACCOUNT, name, &docs);

	store_docs_free(&docs);
	return status != -REASON_NOT_FOUND;
}

int directory_account_make(struct call *call, const struct directory *directory,
	const struct oidc_flow_person *person, struct account_desk *ret)
{
	struct account account;
	int status = fill(directory, person, &account);

	if (!status && is_taken(call, account.name))
		status = -REASON_NOT_FOUND;
	if (status)
		return status;
	text_clip(call->by.name, sizeof(call->by.name), "gateway");
	status = call_audit(call, AUDIT_ACCOUNT_CREATED, account.tenant, "",
		json_pack("{s:s, s:[s]}", "account", account.name, "roles",
			role_name(directory->oidc.provision_role)));
	if (status)
		return status;
	status = account_desk_create(call, &account);
	if (status)
		return call_undone(call, AUDIT_ACCOUNT_CREATED, account.tenant, "",
			status);
	call_changed(call, "account", account.name, account.tenant, "created");
	status = account_desk_read(call, account.name, ret);
	return status ? call_fail(call, status, NULL) : 0;
}
