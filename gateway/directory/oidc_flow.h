/* oidc_flow: signing in at an OpenID Connect provider: the authorization code flow with PKCE (OpenID
 * Connect Core 1.0 section 3.1, RFC 6749, RFC 7636, RFC 9207).
 *
 * begin: the address the browser is sent to, and the sealed cookie it keeps meanwhile. finish: the
 * browser is back with a code; it is exchanged for an ID token, which is checked; the person's name is
 * the configured claim of it (or of the provider's userinfo, when the token has no such claim).
 * Thread: any that may block, for a few answers of the provider. Owner: the caller frees *ret_url.
 * Errors: -REASON_DIRECTORY_REFUSED (something is not as it must be, or the provider said no),
 * -REASON_DIRECTORY_UNREACHABLE; one sentence in `detail` for logs and administrators.
 */
#ifndef DIRECTORY_OIDC_FLOW_H
#define DIRECTORY_OIDC_FLOW_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "directory/fetch.h"
#include "directory/oidc_providers.h"
#include "directory/oidc_visit.h"
#include "rules/directory.h"

/* What the browser brings back; NULL: not there. */
struct oidc_flow_answer {
	const char *cookie, *state, *code, *error, *issuer;
};

struct oidc_flow_person {
	char name[DIRECTORY_USER_SIZE]; /* the claim */
	char full_name[129], mail[129]; /* "": unknown */
	int second_factor;              /* the provider asserts one */
};

struct oidc_flow {
	struct oidc_providers *providers;
	uint8_t key[OIDC_VISIT_KEY];
};

MUST_CHECK int oidc_flow_begin(struct oidc_flow *flow, const struct directory *directory,
	const char *back, char **ret_url, char ret_cookie[static OIDC_VISIT_SIZE],
	char detail[static FETCH_DETAIL]);
MUST_CHECK int oidc_flow_finish(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_flow_answer *answer, struct oidc_flow_person *ret,
	char detail[static FETCH_DETAIL]);
/* Whom checked claims are about, if he may come in. Pure. */
MUST_CHECK int oidc_flow_person(const struct directory *directory, const json_t *claims,
	struct oidc_flow_person *ret, char detail[static FETCH_DETAIL]);

#endif
