#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjose/cjose.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "directory/id_token.h"

#define NOW_S INT64_C(1800000000)
#define CLAIMS                                                                           \
	"{\"iss\":\"https://idp\",\"aud\":\"engawa\",\"sub\":\"u1\",\"nonce\":\"n0\","   \
	"\"iat\":1800000000,\"exp\":1800000300}"

static cjose_jwk_t *rsa, *weak, *ec, *shared;
static const struct id_token_want want = {"https://idp", "engawa", "n0", NOW_S * 1000};

static char *sign(const char *algorithm, const char *key_id, cjose_jwk_t *key,
	const char *claims)
{
	cjose_err error;
	const char *text;
	cjose_header_t *header = cjose_header_new(&error);
	assert_true(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error));
	if (key_id)
		assert_true(cjose_header_set(header, CJOSE_HDR_KID, key_id, &error));
	cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)claims,
		strlen(claims), &error);
	assert_non_null(jws);
	assert_true(cjose_jws_export(jws, &text, &error));
	char *copy = strdup(text);
	cjose_jws_release(jws);
	cjose_header_release(header);
	return copy;
}

/* A set of one public key, with further members. */
static json_t *set_of(cjose_jwk_t *key, const char *more)
{
	cjose_err error;
	char *text = cjose_jwk_to_json(key, false, &error);
	json_t *object = json_loads(text, 0, NULL), *members = json_loads(more, 0, NULL);
	assert_int_equal(json_object_update(object, members), 0);
	json_decref(members);
	free(text);
	return json_pack("{s:[o]}", "keys", object);
}

/* The result of checking a token with these claims changed. */
static int check_claims(const char *changes)
{
	char why[ID_TOKEN_WHY];
	json_t *claims = json_loads(CLAIMS, 0, NULL),
	       *changed = json_loads(changes, 0, NULL), *keys = set_of(rsa, "{}"), *got;
	assert_non_null(changed);
	assert_int_equal(json_object_update(claims, changed), 0);
	char *text = json_dumps(claims, 0), *token = sign("RS256", NULL, rsa, text);
	int r = id_token_check(token, keys, &want, &got, why);
	if (r == 0)
		json_decref(got);
	else
		assert_true(*why);
	free(token);
	free(text);
	json_decref(claims);
	json_decref(changed);
	json_decref(keys);
	return r;
}

static int check_with(const char *token, cjose_jwk_t *key, const char *more)
{
	char why[ID_TOKEN_WHY];
	json_t *keys = set_of(key, more), *got = NULL;
	int r = id_token_check(token, keys, &want, &got, why);
	json_decref(got);
	json_decref(keys);
	return r;
}

static void test_good_tokens(void **state)
{
	(void)state;
	static const char *const good[] = {"{}", "{\"aud\":[\"engawa\"]}",
		"{\"aud\":[\"other\",\"engawa\"],\"azp\":\"engawa\"}",
		"{\"azp\":\"engawa\"}", "{\"exp\":1799999941}", "{\"iat\":1800000059}",
		"{\"iat\":1799999401,\"nbf\":1799999401}", "{\"exp\":1800000300.5}"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(check_claims(good[i]), 0);
}

static void test_wrong_claims(void **state)
{
	(void)state;
	static const char *const wrong[] = {"{\"iss\":\"https://idp/\"}",
		"{\"iss\":null}", "{\"aud\":\"other\"}", "{\"aud\":[]}",
		"{\"aud\":[\"other\"]}", "{\"aud\":null}",
		"{\"aud\":[\"engawa\",\"other\"]}",
		"{\"aud\":[\"engawa\",\"other\"],\"azp\":\"other\"}",
		"{\"azp\":\"other\"}", "{\"azp\":5}", "{\"nonce\":\"n1\"}",
		"{\"nonce\":\"\"}", "{\"nonce\":null}", "{\"sub\":\"\"}", "{\"sub\":7}",
		"{\"exp\":1799999940}", "{\"exp\":\"never\"}", "{\"exp\":null}",
		"{\"iat\":1800000061}", "{\"iat\":1799999339}", "{\"iat\":null}",
		"{\"nbf\":1800000061}", "{\"nbf\":\"x\"}"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (check_claims(wrong[i]) != -REASON_DIRECTORY_REFUSED)
			fail_msg("%s", wrong[i]);
	}
}

static void test_algorithms(void **state)
{
	(void)state;
	static const char *const good[] = {"RS256", "PS256"};
	static const char *const bad[] = {"RS384", "RS512", "PS384", "PS512"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char *token = sign(good[i], "k1", rsa, CLAIMS);
		assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\"}"), 0);
		free(token);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *token = sign(bad[i], "k1", rsa, CLAIMS);
		assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\"}"),
			-REASON_DIRECTORY_REFUSED);
		free(token);
	}
	char *token = sign("ES256", "k1", ec, CLAIMS);
	assert_int_equal(check_with(token, ec, "{\"kid\":\"k1\"}"), 0);
	free(token);
	token = sign("HS256", "k1", shared, CLAIMS);
	assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\"}"),
		-REASON_DIRECTORY_REFUSED);
	free(token);
}

/* A header of our own before the claims, without or with somebody else's signature. */
static void check_unsigned(const char *header, const char *signature)
{
	char head[TEXT_B64_SIZE(64)], body[TEXT_B64_SIZE(256)], token[1024];
	text_b64(head, header, strlen(header));
	text_b64(body, CLAIMS, strlen(CLAIMS));
	snprintf(token, sizeof(token), "%s.%s.%s", head, body, signature);
	assert_int_equal(check_with(token, rsa, "{}"), -REASON_DIRECTORY_REFUSED);
}

static void test_forged_tokens(void **state)
{
	(void)state;
	static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
		"{\"alg\":\"\"}", "{}", "{\"alg\":null}", "[]", "{\"alg\":\"RS256\"}"};
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		check_unsigned(headers[i], "");
		check_unsigned(headers[i], "AAAA");
	}
	static const char *const malformed[] = {"", ".", "..", "...", "a.b.c", "{}",
		"\xff\xff", "AAAAA.AAAA.AAAA", "AAAA.AAAA.AAAAA", "AAAA.A AA.AAAA",
		"AAAA.AAAA.AAAA.AAAA", "AAAA..AAAA", "AAAA.AAAA."};
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		assert_int_equal(check_with(malformed[i], rsa, "{}"),
			-REASON_DIRECTORY_REFUSED);
	char *token = sign("RS256", NULL, rsa, CLAIMS);
	/* One bit of the claims, one of the signature. */
	char *dot = strchr(token, '.');
	dot[5] ^= 1;
	assert_int_equal(check_with(token, rsa, "{}"), -REASON_DIRECTORY_REFUSED);
	dot[5] ^= 1;
	assert_int_equal(check_with(token, rsa, "{}"), 0);
	strrchr(token, '.')[20] ^= 1;
	assert_int_equal(check_with(token, rsa, "{}"), -REASON_DIRECTORY_REFUSED);
	free(token);
}

static void test_keys(void **state)
{
	(void)state;
	char *token = sign("RS256", "k1", rsa, CLAIMS);
	assert_int_equal(check_with(token, rsa, "{\"kid\":\"k2\"}"), -REASON_NOT_FOUND);
	assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\",\"use\":\"enc\"}"),
		-REASON_NOT_FOUND);
	assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\",\"alg\":\"PS256\"}"),
		-REASON_NOT_FOUND);
	assert_int_equal(check_with(token, ec, "{\"kid\":\"k1\"}"), -REASON_NOT_FOUND);
	assert_int_equal(check_with(token, rsa, "{\"kid\":\"k1\",\"use\":\"sig\"}"), 0);
	free(token);
	token = sign("ES256", NULL, ec, CLAIMS);
	static const char *const bent[] = {"{\"x\":\"AAAAA\"}", "{\"y\":\"\"}",
		"{\"x\":5}", "{\"y\":\"A+A=\"}", "{\"x\":\"AAAA\",\"y\":\"AAAA\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bent); i++)
		assert_int_equal(check_with(token, ec, bent[i]),
			-REASON_DIRECTORY_REFUSED);
	assert_int_equal(check_with(token, ec, "{\"d\":\"AAAAA\"}"), 0);
	free(token);
	token = sign("RS256", "k1", weak, CLAIMS);
	assert_int_equal(check_with(token, weak, "{\"kid\":\"k1\"}"), -REASON_NOT_FOUND);
	free(token);
}

static void test_critical_members(void **state)
{
	(void)state;
	cjose_err error;
	const char *text;
	char why[ID_TOKEN_WHY];
	json_t *keys = set_of(rsa, "{}"), *got;
	cjose_header_t *header = cjose_header_new(&error);
	assert_true(cjose_header_set(header, CJOSE_HDR_ALG, "RS256", &error));
	assert_true(cjose_header_set_raw(header, "crit", "[\"exp\"]", &error));
	cjose_jws_t *jws = cjose_jws_sign(rsa, header, (const uint8_t *)CLAIMS,
		strlen(CLAIMS), &error);
	assert_true(cjose_jws_export(jws, &text, &error));
	assert_int_equal(id_token_check(text, keys, &want, &got, why),
		-REASON_DIRECTORY_REFUSED);
	cjose_jws_release(jws);
	cjose_header_release(header);
	json_decref(keys);
}

static int make_keys(void **state)
{
	(void)state;
	cjose_err error;
	uint8_t public[] = {1, 0, 1};
	rsa = cjose_jwk_create_RSA_random(2048, public, sizeof(public), &error);
	weak = cjose_jwk_create_RSA_random(1024, public, sizeof(public), &error);
	ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
	shared = cjose_jwk_create_oct_random(256, &error);
	return !rsa || !weak || !ec || !shared;
}

static int drop_keys(void **state)
{
	(void)state;
	cjose_jwk_release(rsa);
	cjose_jwk_release(weak);
	cjose_jwk_release(ec);
	cjose_jwk_release(shared);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_tokens),
		cmocka_unit_test(test_wrong_claims),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_forged_tokens),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_critical_members),
	};
	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
