/* token: what a program shows instead of signing in (STATE_TOKEN, id = token_id() of its text).
 *
 * The text is "egt_" and 32 random bytes in base64url, shown once; stored is its SHA-256.
 * JSON body: "name", "account" (who made it), "tenant", "scopes" (permissions of role.def),
 * "created_ms", "expires_ms" (0: never).
 * Thread: any; pure: time is an argument. Errors: -REASON_BAD_VALUE and the field;
 * -REASON_UNAUTHENTICATED; -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef RULES_TOKEN_H
#define RULES_TOKEN_H

#include <stdint.h>

#include "base/check.h"
#include "rules/account.h"
#include "rules/field.h"
#include "rules/role.h"

#define TOKEN_TEXT_SIZE 48 /* with its NUL */
#define TOKEN_ID_SIZE 65

struct token {
	char name[65], account[ACCOUNT_NAME_SIZE], tenant[TENANT_ID_SIZE];
	uint64_t scopes; /* ROLE_SCOPE()s */
	int64_t created_ms, expires_ms;
};

/* A new one. */
MUST_CHECK int token_generate(char ret_text[static TOKEN_TEXT_SIZE]);
/* The id under which it is stored. -REASON_UNAUTHENTICATED: this is no token at all. */
MUST_CHECK int token_id(const char *text, char ret[static TOKEN_ID_SIZE]);

MUST_CHECK int token_read(const char *body, struct token *ret, struct field_error *error);
/* The caller frees *ret. */
MUST_CHECK int token_write(const struct token *token, char **ret);
/* -REASON_UNAUTHENTICATED once it has expired. */
MUST_CHECK int token_admit(const struct token *token, int64_t now_ms);
/* What it may now: its scopes, as far as its maker's roles still have them. */
int token_may(const struct token *token, unsigned roles, enum role_permission permission);

#endif
