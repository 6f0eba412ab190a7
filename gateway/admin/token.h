/* token: what a program signs in with. The text is shown once; the store keeps a hash.
 *
 *   egt_7k3qx09fa_<43 characters base64url>     id tok_7k3qx09fa, 256 secret bits
 *
 * A plain SHA-256 is enough: nobody guesses 256 random bits. Thread: any; pure but for random.
 * Errors: -REASON_UNAUTHENTICATED (text), -REASON_STATE_DAMAGED (document), -REASON_NO_RANDOM.
 */
#ifndef ADMIN_TOKEN_H
#define ADMIN_TOKEN_H

#include <stdint.h>

#include "base/check.h"

#define TOKEN_ID_SIZE 14
#define TOKEN_TEXT_SIZE 64
#define TOKEN_SECRET 32
#define TOKEN_HASH 32

struct token {
	char id[TOKEN_ID_SIZE];
	char tenant[41]; /* "": all of them */
	char role[17], name[129], by[129];
	uint8_t hash[TOKEN_HASH];
	int64_t created_ms, expires_ms; /* 0: never */
};

/* Fills id and hash; the caller the rest. */
MUST_CHECK int token_generate(struct token *token, char ret_text[static TOKEN_TEXT_SIZE]);
MUST_CHECK int token_parse(const char *text, char ret_id[static TOKEN_ID_SIZE],
	uint8_t ret_secret[static TOKEN_SECRET]);
/* Whether the secret is this token's and its time is not over. */
MUST_CHECK int token_check(const struct token *token,
	const uint8_t secret[static TOKEN_SECRET], int64_t now_ms);

/* As document of the store; the caller frees *ret. */
MUST_CHECK int token_write(const struct token *token, char **ret);
MUST_CHECK int token_read(const char *id, const char *body, struct token *ret);

#endif
