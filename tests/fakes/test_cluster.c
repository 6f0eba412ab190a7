#include "fakes/test_cluster.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	if (!value)
		return;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	CHECK(extension && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *begin(EVP_PKEY *key, const char *name)
{
	static long serial = 1;
	X509 *cert = X509_new();
	CHECK(cert && key);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -7200);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0);
	return cert;
}

static void save(const char *cert_file, const char *key_file, X509 *cert, EVP_PKEY *key)
{
	FILE *file = fopen(cert_file, "w");
	CHECK(file && PEM_write_X509(file, cert));
	fclose(file);
	umask(077);
	file = fopen(key_file, "w");
	CHECK(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void test_cluster_new(struct test_cluster *ret)
{
	strcpy(ret->directory, "/tmp/engawa-cluster-XXXXXX");
	CHECK(mkdtemp(ret->directory));
	snprintf(ret->ca, sizeof(ret->ca), "%s/ca.pem", ret->directory);
	snprintf(ret->ca_key, sizeof(ret->ca_key), "%s/ca.key", ret->directory);
	snprintf(ret->revoked, sizeof(ret->revoked), "%s/revoked.txt", ret->directory);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = begin(key, "test CA");
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	CHECK(X509_sign(cert, key, EVP_sha256()));
	save(ret->ca, ret->ca_key, cert, key);
}

void test_cluster_issue(const struct test_cluster *cluster, const char *names,
	const char *usage, struct test_cert *ret)
{
	FILE *file = fopen(cluster->ca, "r");
	X509 *ca = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	CHECK(ca);
	fclose(file);
	file = fopen(cluster->ca_key, "r");
	EVP_PKEY *ca_key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
	CHECK(ca_key);
	fclose(file);
	strcpy(ret->directory, "/tmp/engawa-cert-XXXXXX");
	CHECK(mkdtemp(ret->directory));
	snprintf(ret->cert, sizeof(ret->cert), "%s/cert.pem", ret->directory);
	snprintf(ret->key, sizeof(ret->key), "%s/key.pem", ret->directory);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = begin(key, "test node");
	X509_set_issuer_name(cert, X509_get_subject_name(ca));
	extend(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
	extend(cert, ca, NID_key_usage, "critical,digitalSignature");
	extend(cert, ca, NID_ext_key_usage, usage);
	extend(cert, ca, NID_subject_alt_name, names);
	CHECK(X509_sign(cert, ca_key, EVP_sha256()));
	save(ret->cert, ret->key, cert, key);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
}

void test_cluster_node(const struct test_cluster *cluster, const char *node,
	struct test_cert *ret)
{
	char names[200];
	snprintf(names, sizeof(names), "IP:127.0.0.1,URI:engawa-node:%s", node);
	test_cluster_issue(cluster, names, "serverAuth,clientAuth", ret);
}

void test_cluster_revoke(const struct test_cluster *cluster, const struct test_cert *cert)
{
	unsigned char print[EVP_MAX_MD_SIZE];
	unsigned len;
	FILE *file = fopen(cert->cert, "r");
	X509 *x509 = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	CHECK(x509 && X509_digest(x509, EVP_sha256(), print, &len));
	fclose(file);
	X509_free(x509);
	file = fopen(cluster->revoked, "a");
	CHECK(file);
	fprintf(file, "# lost in a train\nsha256 Fingerprint=");
	for (unsigned i = 0; i < len; i++)
		fprintf(file, "%s%02X", i ? ":" : "", print[i]);
	fprintf(file, "\n");
	fclose(file);
}

void test_cluster_done(struct test_cluster *cluster)
{
	unlink(cluster->ca);
	unlink(cluster->ca_key);
	unlink(cluster->revoked);
	rmdir(cluster->directory);
}
