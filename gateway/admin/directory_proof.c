#include "admin/directory_proof.h"

#include <string.h>

#include "admin/directory_account.h"
#include "admin/directory_desk.h"
#include "admin/sign_in_door.h"
#include "base/reason.h"
#include "base/text.h"
#include "directory/directories.h"

int directory_proof_password(struct guess *guess, const char *directory,
	const char *tenant, const struct account *account, const char *user,
	const char *password)
{
	struct call *call = guess->call;
	char detail[FETCH_DETAIL] = "";
	const struct directories_password asked = {directory,
		account ? account->tenant : tenant,
		account ? account_directory_user(account) : user, password,
		DIRECTORY_ACCOUNTS};
	int status = guess_charge(guess);

	if (status)
		return status;
	status = directories_password(call->admin->parts.directories, &asked, detail);
	if (status && status != -REASON_PASSWORD_WRONG) {
		int undone = guess_undecided(guess);
		return undone ? undone : call_fail(call, status, NULL);
	}
	return account ? status : -REASON_PASSWORD_WRONG;
}

/* The directory, if people can sign in there by password. -REASON_*: answered. */
static int load(struct call *call, const char *id, struct directory *ret)
{
	int status = directories_load(call->admin->parts.directories, id, ret);

	if (!status && (ret->kind != DIRECTORY_LDAP ||
			       !directory_serves(ret, ret->tenant, DIRECTORY_ACCOUNTS)))
		status = -REASON_NOT_FOUND;
	return status ? call_fail(call, status, "directory") : 0;
}

/* -REASON_*: answered. */
static int find(struct call *call, const struct directory *directory, const char *user,
	struct sign_in_desk *desk)
{
	int status = directory_account_find(call, directory, user, &desk->account);

	/* By the name of the account too, where that is another one. */
	if (status == -REASON_NOT_FOUND) {
		status = account_desk_read(call, user, &desk->account);
		if (!status &&
			!directory_account_good(directory, &desk->account.account)) {
			account_desk_unload(&desk->account);
			status = -REASON_NOT_FOUND;
		}
	}
	if (status == -REASON_NOT_FOUND)
		status = 0;
	if (!status)
		status = account_desk_security(call, desk->account.account.tenant,
			&desk->security);
	return status ? call_fail(call, status, NULL) : 0;
}

static void sign_in(struct call *call, const struct directory *directory,
	struct sign_in_desk *desk, const char *user, const char *password,
	const char *code)
{
	const struct account *account = &desk->account.account;
	char counted[ACCOUNT_NAME_SIZE];
	struct guess guess;

	text_clip(counted, sizeof(counted),
		*account->name            ? account->name
		: account_name_good(user) ? user
					  : SIGN_IN_DOOR_NO_NAME);
	if (guess_begin(&guess, call, counted, account->tenant, &desk->security))
		return;
	int status = directory_proof_password(&guess, directory->id, directory->tenant,
		*account->name ? account : NULL, user, password);
	if (status == -REASON_PASSWORD_WRONG)
		sign_in_door_refuse(&guess, account, status);
	else if (!status && !sign_in_door_open(&guess, desk, code, directory->id))
		sign_in_door_greet(call, desk);
}

void directory_proof_sign_in(struct call *call, struct sign_in_desk *desk, const char *id,
	const char *user, const char *password, const char *code)
{
	struct directory_desk directory;

	if (directory_desk_blank(call, &directory))
		return;
	if (!load(call, id, directory.directory) &&
		!find(call, directory.directory, user, desk))
		sign_in(call, directory.directory, desk, user, password, code);
	directory_desk_unload(&directory);
}
