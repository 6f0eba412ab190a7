/* oidc_providers: what OpenID Connect providers say of themselves (OpenID Connect Discovery 1.0) and the
 * keys they sign with, kept for an hour, or until the directory is changed.
 *
 * Thread: any that may block; fetching one provider holds no other up. Owner: directories; what is
 * returned is a copy. Errors: those of fetch.h; -REASON_DIRECTORY_UNREACHABLE when what came is not what
 * the standard asks for; one sentence in `detail` for administrators.
 */
#ifndef DIRECTORY_OIDC_PROVIDERS_H
#define DIRECTORY_OIDC_PROVIDERS_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "directory/fetch.h"
#include "rules/directory.h"

#define OIDC_PROVIDERS_URL 513

struct oidc_providers;

struct oidc_provider {
	char authorize[OIDC_PROVIDERS_URL], token[OIDC_PROVIDERS_URL],
		keys[OIDC_PROVIDERS_URL];
	char userinfo[OIDC_PROVIDERS_URL]; /* "": none */
	char scope[64];
	int post_secret;  /* the client's secret goes into the form, not the header */
	int names_itself; /* answers carry "iss" (RFC 9207) */
};

/* What a discovery document says, if it is this issuer's. Pure. */
MUST_CHECK int oidc_providers_read(const json_t *document, const char *issuer,
	struct oidc_provider *ret, char detail[static FETCH_DETAIL]);

MUST_CHECK int oidc_providers_new(int64_t connect_ms, int64_t answer_ms,
	struct oidc_providers **ret);
MUST_CHECK int oidc_providers_find(struct oidc_providers *providers,
	const struct directory *directory, struct oidc_provider *ret,
	char detail[static FETCH_DETAIL]);
enum oidc_keys { OIDC_KEYS_KEPT, OIDC_KEYS_FRESH };
/* The JWK set; the caller owns *ret. */
MUST_CHECK int oidc_providers_keys(struct oidc_providers *providers,
	const struct directory *directory, const struct oidc_provider *provider,
	enum oidc_keys which, json_t **ret, char detail[static FETCH_DETAIL]);
/* A fetch with this directory's CA and our time limits. */
struct fetch oidc_providers_fetch(const struct oidc_providers *providers,
	const struct directory *directory, const char *url);
/* Accepts NULL, returns NULL. */
struct oidc_providers *oidc_providers_free(struct oidc_providers *providers);

#endif
