#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/reason.h"
#include "directory/oidc_flow.h"
#include "directory/oidc_providers.h"
#include "directory/oidc_visit.h"

static const uint8_t master[32] = {1}, other_master[32] = {2};

static void test_a_visit_comes_back_whole(void **state)
{
	(void)state;
	uint8_t key[OIDC_VISIT_KEY], other[OIDC_VISIT_KEY];
	struct oidc_visit visit, again, second;
	char text[OIDC_VISIT_SIZE], text2[OIDC_VISIT_SIZE];
	memset(&visit, 0, sizeof(visit));
	assert_int_equal(oidc_visit_key(master, key), 0);
	assert_int_equal(oidc_visit_key(other_master, other), 0);
	assert_int_equal(oidc_visit_new("idp", "https://gw/return", 1000, &visit), 0);
	assert_int_equal(oidc_visit_new("idp", "https://gw/return", 1000, &second), 0);
	assert_string_not_equal(visit.state, second.state);
	assert_string_not_equal(visit.nonce, visit.state);
	assert_int_equal(strlen(visit.verifier), 43);
	assert_int_equal(oidc_visit_seal(key, &visit, text), 0);
	assert_int_equal(oidc_visit_seal(key, &visit, text2), 0);
	assert_string_not_equal(text, text2);
	assert_null(strstr(text, visit.state));
	assert_int_equal(oidc_visit_open(key, text, 2000, &again), 0);
	assert_string_equal(again.verifier, visit.verifier);
	assert_string_equal(again.back, visit.back);
	assert_int_equal(oidc_visit_open(other, text, 2000, &again),
		-REASON_DIRECTORY_REFUSED);
	assert_int_equal(oidc_visit_open(key, text, 1000 + OIDC_VISIT_MS, &again),
		-REASON_DIRECTORY_REFUSED);
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(oidc_visit_open(key, text, 2000, &again),
			-REASON_DIRECTORY_REFUSED);
		text[i] = was;
	}
	assert_int_equal(oidc_visit_open(key, "", 2000, &again),
		-REASON_DIRECTORY_REFUSED);
}

/* The example of RFC 7636, appendix B. */
static void test_challenge(void **state)
{
	(void)state;
	struct oidc_visit visit = {
		.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};
	char challenge[OIDC_VISIT_WORD];
	assert_int_equal(oidc_visit_challenge(&visit, challenge), 0);
	assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

/* The longest of everything still fits into the cookie. */
static void test_the_longest_visit(void **state)
{
	(void)state;
	uint8_t key[OIDC_VISIT_KEY];
	struct oidc_visit visit, again;
	char text[OIDC_VISIT_SIZE], back[257], id[DIRECTORY_ID_SIZE];
	memset(back, '/', 256);
	memset(id, 'd', sizeof(id) - 1);
	back[256] = id[sizeof(id) - 1] = 0;
	assert_int_equal(oidc_visit_key(master, key), 0);
	assert_int_equal(oidc_visit_new(id, back, INT64_C(9999999999999), &visit), 0);
	assert_int_equal(oidc_visit_seal(key, &visit, text), 0);
	assert_int_equal(oidc_visit_open(key, text, INT64_C(9999999999999), &again), 0);
}

#define DOCUMENT                                                                         \
	"{\"issuer\":\"https://idp\",\"authorization_endpoint\":\"https://idp/auth\","   \
	"\"token_endpoint\":\"https://idp/token\",\"jwks_uri\":\"https://idp/keys\"}"

static int read_document(const char *changes, struct oidc_provider *ret)
{
	char detail[FETCH_DETAIL] = "";
	json_t *document = json_loads(DOCUMENT, 0, NULL),
	       *changed = json_loads(changes, 0, NULL);
	assert_int_equal(json_object_update(document, changed), 0);
	int r = oidc_providers_read(document, "https://idp", ret, detail);
	assert_int_equal(r != 0, *detail != 0);
	json_decref(document);
	json_decref(changed);
	return r;
}

static void test_descriptions(void **state)
{
	(void)state;
	struct oidc_provider provider;
	static const char *const wrong[] = {"{\"issuer\":\"https://idp/\"}",
		"{\"issuer\":null}", "{\"authorization_endpoint\":\"http://idp/auth\"}",
		"{\"authorization_endpoint\":5}", "{\"token_endpoint\":null}",
		"{\"token_endpoint\":\"file:///etc/passwd\"}",
		"{\"jwks_uri\":\"https://idp/#keys\"}",
		"{\"jwks_uri\":\"https://idp/\\r\\nA: b\"}"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(read_document(wrong[i], &provider),
			-REASON_DIRECTORY_UNREACHABLE);
	assert_int_equal(read_document("{}", &provider), 0);
	assert_string_equal(provider.scope, "openid profile email");
	assert_int_equal(provider.post_secret, 0);
	assert_int_equal(
		read_document("{\"scopes_supported\":[\"openid\",\"email\",5],"
			      "\"token_endpoint_auth_methods_supported\":"
			      "[\"client_secret_post\"],"
			      "\"authorization_response_iss_parameter_supported\":true}",
			&provider),
		0);
	assert_string_equal(provider.scope, "openid email");
	assert_int_equal(provider.post_secret, 1);
	assert_int_equal(provider.names_itself, 1);
}

static int person_of(const struct directory *directory, const char *claims,
	struct oidc_flow_person *ret)
{
	char detail[FETCH_DETAIL] = "";
	json_t *object = json_loads(claims, 0, NULL);
	assert_non_null(object);
	int r = oidc_flow_person(directory, object, ret, detail);
	assert_int_equal(r != 0, *detail != 0);
	json_decref(object);
	return r;
}

static void test_persons(void **state)
{
	(void)state;
	struct directory directory = {
		.kind = DIRECTORY_OIDC, .oidc = {.claim = "email", .trusted_mfa = 1}};
	struct oidc_flow_person person;
	static const char *const wrong[] = {"{}", "{\"email\":\"a@b.jp\"}",
		"{\"email\":\"a@b.jp\",\"email_verified\":false}",
		"{\"email\":\"a@b.jp\",\"email_verified\":1}",
		"{\"email\":[\"a@b.jp\"],\"email_verified\":true}",
		"{\"email\":\"\",\"email_verified\":true}",
		"{\"email\":\"a@b.jp\\u202e\",\"email_verified\":true}",
		"{\"email\":\" a@b.jp\",\"email_verified\":true}"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(person_of(&directory, wrong[i], &person),
			-REASON_DIRECTORY_REFUSED);
	const char *good = "{\"email\":\"a@b.jp\",\"email_verified\":true,\"name\":\"A "
			   "B\",\"amr\":[\"pwd\",\"otp\"]}";
	assert_int_equal(person_of(&directory, good, &person), 0);
	assert_string_equal(person.name, "a@b.jp");
	assert_string_equal(person.full_name, "A B");
	assert_int_equal(person.second_factor, 1);
	assert_int_equal(person_of(&directory,
				 "{\"email\":\"a@b.jp\",\"email_verified\":\"true\","
				 "\"amr\":[\"pwd\"]}",
				 &person),
		0);
	assert_int_equal(person.second_factor, 0);
	directory.oidc.trusted_mfa = 0;
	assert_int_equal(person_of(&directory, good, &person), 0);
	assert_int_equal(person.second_factor, 0);
	directory.oidc.domain_count = 1;
	memcpy(directory.oidc.domains[0], "c.jp", 5);
	assert_int_equal(person_of(&directory, good, &person), -REASON_DIRECTORY_REFUSED);
	memcpy(directory.oidc.claim, "sub", 4);
	assert_int_equal(person_of(&directory, "{\"sub\":\"u1\",\"email\":\"a@c.jp\"}",
				 &person),
		-REASON_DIRECTORY_REFUSED);
	assert_int_equal(person_of(&directory,
				 "{\"sub\":\"u1\",\"email\":\"a@c.jp\","
				 "\"email_verified\":true}",
				 &person),
		0);
	assert_string_equal(person.mail, "a@c.jp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_visit_comes_back_whole),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_the_longest_visit),
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_persons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
