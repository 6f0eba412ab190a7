#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/account.h"
#include "rules/directory.h"
#include "rules/directory_address.h"
#include "rules/license.h"

#define LDAP                                                                             \
	"{\"id\":\"ad\",\"name\":\"AD\",\"kind\":\"ldap\",\"use\":[\"accounts\","        \
	"\"holders\"],\"from_tomorrow\":1,\"ldap\":{\"url\":\"ldaps://ad.example:636\"," \
	"\"base\":\"dc=example\",\"filter\":\"(&(objectClass=person)(uid={user}))\","    \
	"\"bind_dn\":\"cn=reader\",\"bind_password\":\"swordfish\"}}"
#define OIDC                                                                             \
	"{\"id\":\"idp\",\"name\":\"IdP\",\"kind\":\"oidc\",\"tenant\":\"acme\","        \
	"\"oidc\":{\"issuer\":\"https://idp.example/a\",\"client_id\":\"engawa\","       \
	"\"client_secret\":\"swordfish\",\"claim\":\"email\",\"domains\":[\"acme.jp\"]," \
	"\"provision\":{\"role\":\"auditor\",\"tenant\":\"acme\"}}}"

static struct directory read_good(const char *text)
{
	struct directory directory;
	struct field_error error = {0};
	int r = directory_read(text, &directory, &error);
	if (r)
		print_error("%s: %s\n", error.field, error.message);
	assert_int_equal(r, 0);
	return directory;
}

static int change(struct directory *directory, const char *text,
	struct field_error *error)
{
	json_t *changes = json_loads(text, 0, NULL);
	assert_non_null(changes);
	int r = directory_change(directory, changes, error);
	json_decref(changes);
	return r;
}

static void test_documents(void **state)
{
	(void)state;
	static const char *const texts[] = {LDAP, OIDC};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct directory directory = read_good(texts[i]);
		char *body, *shown;
		assert_int_equal(directory_write(&directory, texts[i], &body), 0);
		struct directory again = read_good(body);
		assert_memory_equal(&directory, &again, sizeof(again));
		assert_int_equal(strstr(body, "from_tomorrow") != NULL, i == 0);
		assert_int_equal(directory_show(&directory, &shown), 0);
		assert_null(strstr(shown, "swordfish"));
		assert_non_null(strstr(shown, "_set\":true"));
		free(shown);
		free(body);
	}
	struct directory oidc = read_good(OIDC);
	assert_int_equal(oidc.use, DIRECTORY_ACCOUNTS);
	assert_int_equal(oidc.oidc.provision_role, ROLE_AUDITOR);
}

static void test_wrong_fields_are_named(void **state)
{
	(void)state;
	/* what is set in the document, and the field that is wrong then */
	static const char *const ldap[][2] = {
		{"{\"kind\":\"saml\"}", "kind"},
		{"{\"id\":\"A/b\"}", "id"},
		{"{\"name\":\"\"}", "name"},
		{"{\"name\":\"a\\u202eb\"}", "name"},
		{"{\"use\":[]}", "use"},
		{"{\"use\":[\"robots\"]}", "use"},
		{"{\"state\":\"gone\"}", "state"},
		{"{\"oidc\":{}}", "oidc"},
		{"{\"ldap\":5}", "ldap"},
		{"{\"ldap\":{\"port\":5}}", "ldap.port"},
		{"{\"ldap\":{\"url\":5}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldap://ad.example\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"http://ad.example\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldaps://\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldaps://a/dc=b\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldaps://a ldap://b\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldap://127.0.0.1.evil.example\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldap://localhost\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldapi://ad.example\"}}", "ldap.url"},
		{"{\"ldap\":{\"url\":\"ldaps://ad.example\",\"start_tls\":true}}",
			"ldap.start_tls"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"ca\":\"hello\"}}", "ldap.ca"},
		{"{\"ldap\":{\"url\":\"ldaps://a\"}}", "ldap.bind_dn_template"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"bind_dn_template\":\"uid=you\"}}",
			"ldap.bind_dn_template"},
		{"{\"ldap\":{\"url\":\"ldaps://"
		 "a\",\"bind_dn_template\":\"{user}{user}\"}}",
			"ldap.bind_dn_template"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"bind_dn_template\":\"uid={user}\","
		 "\"filter\":\"(uid={user})\"}}",
			"ldap.bind_dn_template"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"filter\":\"uid={user}\"}}",
			"ldap.filter"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"filter\":\"(uid={user})(a=b)\"}}",
			"ldap.filter"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"filter\":\"((uid={user})\"}}",
			"ldap.filter"},
		{"{\"ldap\":{\"url\":\"ldaps://a\",\"filter\":\"(uid={user})\","
		 "\"bind_dn\":\"cn=a\"}}",
			"ldap.bind_password"},
	};
	static const char *const oidc[][2] = {
		{"{\"use\":[\"holders\"]}", "use"},
		{"{\"ldap\":{}}", "ldap"},
		{"{\"oidc\":{\"issuer\":\"http://idp.example\"}}", "oidc.issuer"},
		{"{\"oidc\":{\"issuer\":\"https://\"}}", "oidc.issuer"},
		{"{\"oidc\":{\"issuer\":\"https://a@b/\"}}", "oidc.issuer"},
		{"{\"oidc\":{\"issuer\":\"https://idp/?a=b\"}}", "oidc.issuer"},
		{"{\"oidc\":{\"issuer\":\"https://idp\"}}", "oidc.client_id"},
		{"{\"oidc\":{\"issuer\":\"https://idp\",\"client_id\":\"a\"}}",
			"oidc.claim"},
		{"{\"oidc\":{\"domains\":[\"no domain\"]}}", "oidc.domains"},
		{"{\"oidc\":{\"domains\":\"acme.jp\"}}", "oidc.domains"},
		{"{\"oidc\":{\"provision\":{\"tenant\":\"acme\"}}}",
			"oidc.provision.role"},
		{"{\"oidc\":{\"provision\":{\"role\":\"operator\"}}}",
			"oidc.provision.role"},
		{"{\"oidc\":{\"issuer\":\"https://idp\",\"client_id\":\"a\",\"claim\":"
		 "\"sub\",\"provision\":{\"role\":\"auditor\"}}}",
			"oidc.provision.tenant"},
	};
	for (size_t i = 0; i < ARRAY_LEN(ldap) + ARRAY_LEN(oidc); i++) {
		int first = i < ARRAY_LEN(ldap);
		const char *const *row = first ? ldap[i] : oidc[i - ARRAY_LEN(ldap)];
		json_t *object = json_loads(first ? LDAP : OIDC, 0, NULL);
		json_t *wrong = json_loads(row[0], 0, NULL);
		assert_int_equal(json_object_update(object, wrong), 0);
		char *text = json_dumps(object, 0);
		struct directory directory;
		struct field_error error;
		assert_int_equal(directory_read(text, &directory, &error),
			-REASON_BAD_VALUE);
		if (strcmp(error.field, row[1]))
			print_error("%s\n", row[0]);
		assert_string_equal(error.field, row[1]);
		free(text);
		json_decref(wrong);
		json_decref(object);
	}
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const good[] = {"ldaps://ad.example",
		"ldaps://[2001:db8::1]:636", "ldap://127.0.0.1:1389", "ldap://[::1]",
		"ldapi://%2Frun%2Fslapd%2Fldapi"};
	struct field_error error;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(directory_address_ldap(good[i], 0, &error), 0);
	assert_int_equal(directory_address_ldap("ldap://ad.example", 1, &error), 0);
	assert_int_equal(directory_address_is_local("ldap://127.0.0.1"), 1);
	assert_int_equal(directory_address_is_local("ldap://127.0.0.2"), 0);
	assert_int_equal(directory_address_is_local("ldaps://127.0.0.1"), 0);
	assert_int_equal(directory_address_is_local("ldapi://%2Fa"), 1);
	assert_int_equal(directory_address_issuer("https://[::1]:8443/a/b", &error), 0);
}

static void test_a_secret_stays_at_its_server(void **state)
{
	(void)state;
	struct directory ldap = read_good(LDAP), before = ldap, oidc = read_good(OIDC);
	struct field_error error;
	assert_int_equal(change(&ldap, "{\"ldap\":{\"url\":\"ldaps://evil.example\"}}",
				 &error),
		-REASON_BAD_VALUE);
	assert_string_equal(error.field, "ldap.bind_password");
	assert_memory_equal(&ldap, &before, sizeof(ldap));
	assert_int_equal(change(&ldap,
				 "{\"ldap\":{\"ca\":\"-----BEGIN "
				 "CERTIFICATE-----\\nx\\n\"}}",
				 &error),
		-REASON_BAD_VALUE);
	assert_int_equal(change(&oidc, "{\"oidc\":{\"issuer\":\"https://evil.example\"}}",
				 &error),
		-REASON_BAD_VALUE);
	assert_string_equal(error.field, "oidc.client_secret");
	assert_int_equal(change(&ldap,
				 "{\"ldap\":{\"url\":\"ldaps://new.example\","
				 "\"bind_password\":\"other\"}}",
				 &error),
		0);
	assert_string_equal(ldap.ldap.bind_password, "other");
	assert_string_equal(ldap.ldap.base, "dc=example");
	assert_int_equal(change(&ldap, "{\"name\":\"New\",\"state\":\"disabled\"}",
				 &error),
		0);
	assert_int_equal(change(&ldap, "{\"kind\":\"oidc\"}", &error), -REASON_BAD_VALUE);
	assert_int_equal(change(&ldap, "{\"tenant\":\"x\"}", &error), -REASON_BAD_VALUE);
	assert_int_equal(change(&oidc, "{\"oidc\":{\"provision\":null}}", &error), 0);
	assert_int_equal(oidc.oidc.provision, 0);
	assert_string_equal(oidc.oidc.client_secret, "swordfish");
}

static void test_whom_it_serves(void **state)
{
	(void)state;
	struct directory all = read_good(LDAP), one = read_good(OIDC);
	assert_true(directory_serves(&all, "acme", DIRECTORY_HOLDERS));
	assert_true(directory_serves(&one, "acme", DIRECTORY_ACCOUNTS));
	assert_false(directory_serves(&one, "acme", DIRECTORY_HOLDERS));
	assert_false(directory_serves(&one, "other", DIRECTORY_ACCOUNTS));
	assert_false(directory_serves(&one, "", DIRECTORY_ACCOUNTS));
	one.state = DIRECTORY_DISABLED;
	assert_false(directory_serves(&one, "acme", DIRECTORY_ACCOUNTS));
	static const char *const out[] = {"a@evil.jp", "acme.jp", "@acme.jp",
		"a@acme.jp.evil.jp", "a@evilacme.jp", "a@acme.jp@evil.jp", ""};
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_false(directory_permits_domain(&one, out[i]));
	assert_true(directory_permits_domain(&one, "a@ACME.jp"));
	assert_true(directory_permits_domain(&all, "anybody"));
}

static void test_accounts_and_licenses_name_one(void **state)
{
	(void)state;
	struct account account = {.name = "mio", .roles = ROLE_BIT(ROLE_ADMIN)};
	struct license license = {.holder = "Mio"};
	struct field_error error;
	json_t *both =
		json_loads("{\"directory\":\"ad\",\"directory_user\":\"mio@acme.jp\"}", 0,
			NULL);
	json_t *one = json_loads("{\"directory\":\"ad\"}", 0, NULL);
	json_t *bad = json_loads("{\"directory\":\"A/B\"}", 0, NULL);
	json_t *none =
		json_loads("{\"directory\":\"\",\"directory_user\":\"\"}", 0, NULL);
	assert_int_equal(account_change(&account, one, &error), 0);
	assert_string_equal(account_directory_user(&account), "mio");
	assert_int_equal(account_change(&account, both, &error), 0);
	assert_string_equal(account_directory_user(&account), "mio@acme.jp");
	assert_int_equal(account_change(&account, bad, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.field, "directory");
	assert_int_equal(license_change(&license, one, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.field, "directory_user");
	assert_int_equal(license_change(&license, both, &error), 0);
	assert_string_equal(license.directory, "ad");
	assert_int_equal(license_change(&license, none, &error), 0);
	assert_string_equal(license.directory, "");
	json_decref(both);
	json_decref(one);
	json_decref(bad);
	json_decref(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_wrong_fields_are_named),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_a_secret_stays_at_its_server),
		cmocka_unit_test(test_whom_it_serves),
		cmocka_unit_test(test_accounts_and_licenses_name_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
