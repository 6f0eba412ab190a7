#include "fakes/test_cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static X509 *make(EVP_PKEY *key, int days)
{
	X509 *cert = X509_new();
	X509V3_CTX context;
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -7200);
	X509_gmtime_adj(X509_getm_notAfter(cert), (days ? days * 86400L : -3600L));
	X509_set_pubkey(cert, key);
	X509_NAME *name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"test node", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, "IP:127.0.0.1");
	CHECK(names && X509_add_ext(cert, names, -1));
	X509_EXTENSION_free(names);
	CHECK(X509_sign(cert, key, EVP_sha256()));
	return cert;
}

void test_cert_renew(const struct test_cert *cert, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	CHECK(key);
	X509 *x509 = make(key, days);
	FILE *file = fopen(cert->cert, "w");
	CHECK(file && PEM_write_X509(file, x509));
	fclose(file);
	umask(077);
	file = fopen(cert->key, "w");
	CHECK(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	chmod(cert->key, 0600);
	X509_free(x509);
	EVP_PKEY_free(key);
}

void test_cert_new(struct test_cert *ret, int days)
{
	strcpy(ret->directory, "/tmp/engawa-cert-XXXXXX");
	CHECK(mkdtemp(ret->directory));
	snprintf(ret->cert, sizeof(ret->cert), "%s/cert.pem", ret->directory);
	snprintf(ret->key, sizeof(ret->key), "%s/key.pem", ret->directory);
	test_cert_renew(ret, days);
}

void test_cert_done(struct test_cert *cert)
{
	unlink(cert->cert);
	unlink(cert->key);
	rmdir(cert->directory);
}
