/* id_token: decides whether an ID token of OpenID Connect is what we asked for (OpenID Connect Core 1.0
 * section 3.1.3.7, RFC 7515, RFC 8725).
 *
 * Signatures: RS256, PS256, ES256, by a key of the provider's set that is made for that; "none", HMAC
 * and every other algorithm are refused, and so are RSA keys under 2048 bits and headers with "crit".
 * Then: issuer, audience and azp are ours, it is not expired and not from the future (60 s of skew),
 * not older than 10 minutes, and its nonce is the one we sent.
 *
 * Thread: any; pure: time is an argument. Owner: the caller of *ret (the claims).
 * Errors: -REASON_DIRECTORY_REFUSED with one sentence in `why` for logs; -REASON_NOT_FOUND: no key of
 * the set fits, a newer set may have it; -REASON_NO_MEMORY.
 */
#ifndef DIRECTORY_ID_TOKEN_H
#define DIRECTORY_ID_TOKEN_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"

#define ID_TOKEN_MOST 16384
#define ID_TOKEN_WHY 161
#define ID_TOKEN_SKEW_S 60
#define ID_TOKEN_AGE_S 600

struct id_token_want {
	const char *issuer, *client_id, *nonce;
	int64_t now_ms;
};

/* `keys`: a JWK set, RFC 7517. */
MUST_CHECK int id_token_check(const char *token, const json_t *keys,
	const struct id_token_want *want, json_t **ret, char why[static ID_TOKEN_WHY]);

#endif
