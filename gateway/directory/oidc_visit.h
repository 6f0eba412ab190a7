/* oidc_visit: what a browser keeps for us while its person is at the provider: a sealed cookie, so that
 * any node can take up the thread and no node has to remember who set out.
 *
 * AES-256-GCM under a key made from the master key (HKDF-SHA256, RFC 5869); base64url of nonce, text
 * and tag. It is worth something for OIDC_VISIT_MS.
 * Thread: any. Errors: -REASON_DIRECTORY_REFUSED (not ours, bent, too late), -REASON_NO_RANDOM,
 * -REASON_INTERNAL. Owner: the caller; on his stack.
 */
#ifndef DIRECTORY_OIDC_VISIT_H
#define DIRECTORY_OIDC_VISIT_H

#include <stdint.h>

#include "base/check.h"
#include "rules/directory.h"

#define OIDC_VISIT_KEY 32
#define OIDC_VISIT_MS (10 * 60 * 1000)
#define OIDC_VISIT_WORD 44 /* 32 random bytes in base64url and NUL */
#define OIDC_VISIT_SIZE 1100

struct oidc_visit {
	char directory[DIRECTORY_ID_SIZE];
	/* state: ties the answer to this browser; nonce: ties the token to this visit; verifier: the
	 * secret of PKCE (RFC 7636) */
	char state[OIDC_VISIT_WORD], nonce[OIDC_VISIT_WORD], verifier[OIDC_VISIT_WORD];
	char back[257]; /* where the provider sends the browser back to */
	/* "" while the person is out there; then whom the provider has vouched for, and only his
	 * one-time code is missing. */
	char account[65];
	int64_t until_ms;
};

MUST_CHECK int oidc_visit_key(const uint8_t master[static 32],
	uint8_t ret[static OIDC_VISIT_KEY]);
/* New random words and an end; no account. */
MUST_CHECK int oidc_visit_new(const char *directory, const char *back, int64_t now_ms,
	struct oidc_visit *ret);
MUST_CHECK int oidc_visit_seal(const uint8_t key[static OIDC_VISIT_KEY],
	const struct oidc_visit *visit, char ret[static OIDC_VISIT_SIZE]);
MUST_CHECK int oidc_visit_open(const uint8_t key[static OIDC_VISIT_KEY], const char *text,
	int64_t now_ms, struct oidc_visit *ret);
/* PKCE's S256 of the verifier. */
MUST_CHECK int oidc_visit_challenge(const struct oidc_visit *visit,
	char ret[static OIDC_VISIT_WORD]);

#endif
