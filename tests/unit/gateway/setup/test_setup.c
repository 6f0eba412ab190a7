#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "setup/authority.h"
#include "setup/data_dir.h"

static X509 *cert_of(const struct authority_pair *pair)
{
	BIO *bio = BIO_new_mem_buf(pair->cert, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

static int verifies(const struct authority_pair *ca, const struct authority_pair *node,
	int purpose)
{
	X509 *root = cert_of(ca), *leaf = cert_of(node);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, root);
	X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_init(ctx, store, leaf, NULL);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	int ok = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(root);
	X509_free(leaf);
	return ok;
}

/* What other nodes know it by. */
static int is_marked(X509 *cert, const char *mark)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int found = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		found += name->type == GEN_URI &&
			 !strcmp((const char *)ASN1_STRING_get0_data(
					 name->d.uniformResourceIdentifier),
				 mark);
	}
	GENERAL_NAMES_free(names);
	return found == 1;
}

static void a_node_is_trusted_by_its_ca_and_no_other(void **state)
{
	(void)state;
	static const char *const names[] = {"gw.example.jp", "192.0.2.7", "2001:db8::7"};
	struct authority_pair ca, other, node;
	assert_int_equal(authority_new(&ca), 0);
	assert_int_equal(authority_new(&other), 0);
	assert_int_equal(authority_issue(&ca, "node-1", names, 3, &node), 0);
	assert_true(verifies(&ca, &node, X509_PURPOSE_SSL_SERVER));
	assert_true(verifies(&ca, &node, X509_PURPOSE_SSL_CLIENT));
	assert_false(verifies(&other, &node, X509_PURPOSE_SSL_SERVER));
	X509 *cert = cert_of(&node);
	assert_int_equal(X509_check_host(cert, "gw.example.jp", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "other.example.jp", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(cert, "192.0.2.7", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "2001:db8::7", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "192.0.2.8", 0), 0);
	assert_int_equal(X509_check_ca(cert), 0);
	assert_true(is_marked(cert, AUTHORITY_NODE_MARK "node-1"));
	X509_free(cert);
	/* A node is no authority, and a CA's certificate goes with its own key only. */
	struct authority_pair mixed = {ca.cert, other.key}, never = {0};
	/* Nor does a name of a node bring further names into the certificate. */
	assert_int_equal(authority_issue(&ca, "n,DNS:evil.example", names, 1, &never),
		-REASON_BAD_VALUE);
	assert_int_equal(authority_issue(&node, "x", names, 1, &never),
		-REASON_STATE_DAMAGED);
	assert_int_equal(authority_issue(&mixed, "x", names, 1, &never),
		-REASON_STATE_DAMAGED);
	authority_done(&ca);
	authority_done(&other);
	authority_done(&node);
}

static int is_signed_by(const struct authority_pair *ca, const char *text,
	size_t text_len, const uint8_t *signature, size_t len)
{
	X509 *cert = cert_of(ca);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
				 X509_get0_pubkey(cert)),
		1);
	int good = EVP_DigestVerify(ctx, signature, len, (const uint8_t *)text, text_len);
	EVP_MD_CTX_free(ctx);
	X509_free(cert);
	return good == 1;
}

static void what_the_ca_signed_is_nobody_elses(void **state)
{
	(void)state;
	struct authority_pair ca, other;
	uint8_t signature[AUTHORITY_SIGNATURE];
	size_t len;
	assert_int_equal(authority_new(&ca), 0);
	assert_int_equal(authority_new(&other), 0);
	struct authority_pair mixed = {ca.cert, other.key};
	assert_int_equal(authority_sign(&ca, "<!doctype", 9, signature, &len), 0);
	assert_true(is_signed_by(&ca, "<!doctype", 9, signature, len));
	assert_false(is_signed_by(&ca, "<!doctypE", 9, signature, len));
	assert_false(is_signed_by(&other, "<!doctype", 9, signature, len));
	assert_int_equal(authority_sign(&mixed, "<!doctype", 9, signature, &len),
		-REASON_STATE_DAMAGED);
	authority_done(&ca);
	authority_done(&other);
}

static void names_are_names(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "gw.example.jp", "xn--eckwd4c7c.jp",
		"*.example.jp", "127.0.0.1", "::1", "a-b.c1"};
	static const char *const bad[] = {"", ".", "a..b", ".a", "a.", "-a", "a-", "a-.b",
		"a b", "a,DNS:evil", "a_b", "1.2.3", "1.2.3.4.5", "*", "a.*.b", "山.jp",
		"a\nb", "[::1]", "gw:7443"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (authority_name(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!authority_name(bad[i]))
			fail_msg("%s", bad[i]);
}

static void files_are_written_whole_and_private(void **state)
{
	(void)state;
	char path[] = "/tmp/engawa-dir-XXXXXX", file[DATA_DIR_PATH],
	     error[DATA_DIR_ERROR] = "", *text;
	enum data_dir_state what;
	struct stat info;
	assert_non_null(mkdtemp(path));
	assert_int_equal(data_dir_look(path, &what), 0);
	assert_int_equal(what, DATA_DIR_EMPTY);
	assert_int_equal(data_dir_write(path, "ca.key", "secret", 6, 0600, error), 0);
	data_dir_file(path, "ca.key", file);
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(data_dir_read(path, "ca.key", 6, &text, error), 0);
	assert_string_equal(text, "secret");
	data_dir_wipe(text);
	assert_int_equal(data_dir_read(path, "ca.key", 5, &text, error),
		-REASON_STATE_DAMAGED);
	assert_int_equal(data_dir_read(path, "none", 5, &text, error),
		-REASON_FILE_UNREADABLE);
	assert_non_null(strstr(error, "none"));
	assert_int_equal(data_dir_write("/dev/null", "x", "y", 1, 0600, error),
		-REASON_FILE_UNWRITABLE);
	assert_int_equal(data_dir_look(path, &what), 0);
	assert_int_equal(what, DATA_DIR_UNFINISHED);
	assert_int_equal(data_dir_write(path, "letter", "dear", 4, 0600, error), 0);
	assert_int_equal(data_dir_look(path, &what), 0);
	assert_int_equal(what, DATA_DIR_FOREIGN);
	unlink(file);
	data_dir_file(path, "letter", file);
	unlink(file);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(data_dir_look(path, &what), 0);
	assert_int_equal(what, DATA_DIR_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_trusted_by_its_ca_and_no_other),
		cmocka_unit_test(what_the_ca_signed_is_nobody_elses),
		cmocka_unit_test(names_are_names),
		cmocka_unit_test(files_are_written_whole_and_private),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
