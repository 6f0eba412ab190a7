/* account: a person of the administration (STATE_ACCOUNT, id = name).
 *
 * JSON body: "name" (1 to 64 of a-z 0-9 . - _ @), "tenant" ("": the operator's own, sees all),
 * "full_name", "mail", "language" "en"|"ja", "roles" ["admin",…], "state" "enabled"|"disabled",
 * "password" (rules/password.h), "old_passwords" […], "password_ms" (when it was set), "must_change",
 * "created_ms", "changed_ms", "signed_in_ms", "epoch" (whoever signed in under another one is signed
 * out), "totp" (hex; absent: none), "totp_new" (shown, not confirmed yet), "totp_step" (the last one
 * used), "recovery" [hashes], "directory" (id: there and not by password the person signs in; "":
 * here), "directory_user" (the name there; "": the same). Other members are kept.
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_ACCOUNT_H
#define RULES_ACCOUNT_H

#include <stdint.h>

#include "base/check.h"
#include "rules/directory.h"
#include "rules/field.h"
#include "rules/password.h"
#include "rules/password_rule.h"
#include "rules/role.h"
#include "rules/tenant.h"
#include "rules/totp.h"

#define ACCOUNT_NAME_SIZE 65

enum account_state { ACCOUNT_ENABLED, ACCOUNT_DISABLED };
enum account_language { ACCOUNT_EN, ACCOUNT_JA };

struct account {
	char name[ACCOUNT_NAME_SIZE], tenant[TENANT_ID_SIZE], full_name[129], mail[129];
	unsigned roles; /* ROLE_BIT()s */
	int state, language, must_change;
	int64_t created_ms, changed_ms, password_ms, signed_in_ms;
	int64_t epoch;
	int has_totp, has_totp_new;
	uint8_t totp[TOTP_SECRET], totp_new[TOTP_SECRET];
	int64_t totp_step;
	struct totp_recovery recovery;
	char password[PASSWORD_RECORD];
	char directory[DIRECTORY_ID_SIZE], directory_user[DIRECTORY_USER_SIZE];
	size_t old_count; /* newest first */
	char old_passwords[PASSWORD_RULE_HISTORY][PASSWORD_RECORD];
};

int account_name_good(const char *name);
MUST_CHECK int account_read(const char *body, struct account *ret,
	struct field_error *error);
/* What people may set: full_name, mail, language, roles, state, must_change, directory,
 * directory_user. On error `account` is as before. The operator's role is for accounts without a tenant only. */
MUST_CHECK int account_change(struct account *account, const json_t *changes,
	struct field_error *error);
/* Puts a new record in place; the one before joins the old ones. */
void account_set_password(struct account *account, const char *record, int64_t now_ms);
/* Everybody who is signed in as this account is signed out. Grows with the clock too, so that an
 * account that is deleted and made again does not come back to an old number. */
void account_end_sign_ins(struct account *account, int64_t now_ms);
/* One-time codes are gone, with what was under way. */
void account_remove_totp(struct account *account);
/* `before`: the stored body whose unknown members stay, or NULL. The caller frees *ret. */
MUST_CHECK int account_write(const struct account *account, const char *before,
	char **ret);
/* The name under which the directory knows the person. */
const char *account_directory_user(const struct account *account);
/* Without password records and secrets; "totp" says whether there are codes, and how many recovery
 * codes are left. */
MUST_CHECK int account_show(const struct account *account, char **ret);

#endif
