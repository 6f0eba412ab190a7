#include "directory/id_token.h"

#include <cjose/cjose.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

#define KEYS_MOST 32
/* 2048 bits in base64url */
#define RSA_LEAST 342

static const struct {
	const char *name, *key_type;
} algorithms[] = {{"RS256", "RSA"}, {"PS256", "RSA"}, {"ES256", "EC"}};

PRINTF_LIKE(2, 3)
static int refuse(char why[static ID_TOKEN_WHY], const char *format, ...)
{
	va_list values;
	va_start(values, format);
	vsnprintf(why, ID_TOKEN_WHY, format, values);
	va_end(values);
	return -REASON_DIRECTORY_REFUSED;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* the signature */

/* cjose 0.6.2.1 aborts on text that cannot be base64url: it gets none. */
static int is_b64(const char *text, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_";
	return len && len % 4 != 1 && strspn(text, digits) >= len;
}

/* HEADER.CLAIMS.SIGNATURE */
static int is_compact(const char *token)
{
	size_t head = strcspn(token, ".");
	const char *claims = token + head + (token[head] == '.');
	size_t body = strcspn(claims, ".");
	const char *signature = claims + body + (claims[body] == '.');
	return is_b64(token, head) && is_b64(claims, body) &&
	       is_b64(signature, strlen(signature));
}

struct header {
	const char *algorithm, *key_type;
	const char *key_id; /* "": none */
};

static int read_header(cjose_jws_t *jws, struct header *ret,
	char why[static ID_TOKEN_WHY])
{
	cjose_header_t *header = cjose_jws_get_protected(jws);
	cjose_err error;
	const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, &error);
	const char *key_id = cjose_header_get(header, CJOSE_HDR_KID, &error);
	char *critical = cjose_header_get_raw(header, "crit", &error);
	if (critical) {
		free(critical);
		return refuse(why, "it has critical header members");
	}
	for (size_t i = 0; algorithm && i < ARRAY_LEN(algorithms); i++)
		if (!strcmp(algorithms[i].name, algorithm)) {
			*ret = (struct header){algorithms[i].name, algorithms[i].key_type,
				key_id ? key_id : ""};
			return 0;
		}
	return refuse(why, "algorithm \"%.20s\" is not accepted",
		algorithm ? algorithm : "");
}

static int fits(const json_t *key, const struct header *header)
{
	const char *use = text_of(key, "use"), *algorithm = text_of(key, "alg");
	if (strcmp(text_of(key, "kty"), header->key_type))
		return 0;
	if (*header->key_id && strcmp(text_of(key, "kid"), header->key_id))
		return 0;
	if (!strcmp(header->key_type, "EC") && strcmp(text_of(key, "crv"), "P-256"))
		return 0;
	if (!strcmp(header->key_type, "RSA") && strlen(text_of(key, "n")) < RSA_LEAST)
		return 0;
	return (!*use || !strcmp(use, "sig")) &&
	       (!*algorithm || !strcmp(algorithm, header->algorithm));
}

/* Only what a public key is made of: all else that a set may say is none of the library's business. */
static json_t *bare_key(const json_t *key, const struct header *header)
{
	int rsa = !strcmp(header->key_type, "RSA");
	const char *first = text_of(key, rsa ? "n" : "x");
	const char *second = text_of(key, rsa ? "e" : "y");
	if (!is_b64(first, strlen(first)) || !is_b64(second, strlen(second)))
		return NULL;
	return rsa ? json_pack("{s:s, s:s, s:s}", "kty", "RSA", "n", first, "e", second)
		   : json_pack("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x",
			     first, "y", second);
}

static int is_signed_by(cjose_jws_t *jws, const struct header *header, const json_t *key)
{
	cjose_err error;
	json_t *bare = bare_key(key, header);
	char *text = bare ? json_dumps(bare, JSON_COMPACT) : NULL;
	cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), &error) : NULL;
	int good = jwk && cjose_jws_verify(jws, jwk, &error);
	cjose_jwk_release(jwk);
	free(text);
	json_decref(bare);
	return good;
}

static int check_signature(cjose_jws_t *jws, const json_t *keys,
	char why[static ID_TOKEN_WHY])
{
	const json_t *list = json_object_get(keys, "keys"), *key;
	struct header header = {0};
	size_t i, tried = 0;
	int r = read_header(jws, &header, why);
	if (r)
		return r;
	json_array_foreach(list, i, key)
	{
		if (i >= KEYS_MOST)
			break;
		if (!fits(key, &header))
			continue;
		tried++;
		if (is_signed_by(jws, &header, key))
			return 0;
	}
	r = refuse(why, tried ? "the signature is wrong" : "no key of the provider fits");
	return tried ? r : -REASON_NOT_FOUND;
}

/* the claims */

static int check_audience(const json_t *claims, const struct id_token_want *want,
	char why[static ID_TOKEN_WHY])
{
	const json_t *audience = json_object_get(claims, "aud"), *item;
	const json_t *party = json_object_get(claims, "azp");
	size_t i, ours = 0,
		  count = json_is_array(audience) ? json_array_size(audience) : 1;
	json_array_foreach(audience, i, item)
	{
		const char *text = json_string_value(item);
		ours += text && !strcmp(text, want->client_id);
	}
	if (json_is_string(audience))
		ours = !strcmp(json_string_value(audience), want->client_id);
	if (!ours)
		return refuse(why, "it is for another audience");
	if (party ? strcmp(text_of(claims, "azp"), want->client_id) != 0 : count > 1)
		return refuse(why, "it was made for another party");
	return 0;
}

static int check_times(const json_t *claims, int64_t now_ms,
	char why[static ID_TOKEN_WHY])
{
	const json_t *expires = json_object_get(claims, "exp"),
		     *issued = json_object_get(claims, "iat"),
		     *begins = json_object_get(claims, "nbf");
	double now = (double)now_ms / 1000;
	if (!json_is_number(expires) || !json_is_number(issued) ||
		(begins && !json_is_number(begins)))
		return refuse(why, "exp or iat is missing");
	if (json_number_value(expires) <= now - ID_TOKEN_SKEW_S)
		return refuse(why, "it has expired");
	if (json_number_value(issued) > now + ID_TOKEN_SKEW_S ||
		(begins && json_number_value(begins) > now + ID_TOKEN_SKEW_S))
		return refuse(why, "it is from the future: compare the clocks");
	if (json_number_value(issued) < now - ID_TOKEN_AGE_S - ID_TOKEN_SKEW_S)
		return refuse(why, "it is too old: compare the clocks");
	return 0;
}

static int check_claims(const json_t *claims, const struct id_token_want *want,
	char why[static ID_TOKEN_WHY])
{
	const char *nonce = text_of(claims, "nonce"), *subject = text_of(claims, "sub");
	size_t len = strlen(want->nonce);
	if (strcmp(text_of(claims, "iss"), want->issuer))
		return refuse(why, "it is from another issuer");
	if (!len || strlen(nonce) != len || !secret_equal(nonce, want->nonce, len))
		return refuse(why, "its nonce is not ours");
	if (!*subject || strlen(subject) > 255)
		return refuse(why, "it is about nobody");
	int r = check_audience(claims, want, why);
	return r ? r : check_times(claims, want->now_ms, why);
}

static json_t *read_claims(cjose_jws_t *jws)
{
	uint8_t *bytes;
	size_t len;
	cjose_err error;
	json_t *claims = NULL;
	if (cjose_jws_get_plaintext(jws, &bytes, &len, &error))
		claims = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES,
			NULL);
	if (json_is_object(claims))
		return claims;
	json_decref(claims);
	return NULL;
}

int id_token_check(const char *token, const json_t *keys,
	const struct id_token_want *want, json_t **ret, char why[static ID_TOKEN_WHY])
{
	size_t len = strnlen(token, ID_TOKEN_MOST);
	json_t *claims = NULL;
	cjose_err error;
	why[0] = 0;
	if (!len || len == ID_TOKEN_MOST)
		return refuse(why, "it is missing or too long");
	cjose_jws_t *jws =
		is_compact(token) ? cjose_jws_import(token, len, &error) : NULL;
	int r = jws ? check_signature(jws, keys, why) : refuse(why, "it is malformed");
	if (r == 0) {
		claims = read_claims(jws);
		r = claims ? check_claims(claims, want, why)
			   : refuse(why, "its claims are malformed");
	}
	cjose_jws_release(jws);
	if (r)
		json_decref(claims);
	else
		*ret = claims;
	return r;
}
