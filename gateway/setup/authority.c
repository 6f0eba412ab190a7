#include "setup/authority.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

#define SAN_MAX 8192
/* A node whose clock is a little behind must not refuse its own new certificate. */
#define BACKDATE_S 300

int authority_name(const char *name)
{
	unsigned char address[16];
	size_t len = strlen(name), label = 0;

	if (inet_pton(AF_INET, name, address) == 1 ||
		inet_pton(AF_INET6, name, address) == 1)
		return 0;
	if (!len || len > 253 || strspn(name, "0123456789.") == len)
		return -REASON_BAD_VALUE;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		int alnum =
			(c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
		int wild = c == '*' && i == 0 && name[1] == '.';
		if (c == '.' ? !label || name[i - 1] == '-' : !alnum && !wild && c != '-')
			return -REASON_BAD_VALUE;
		if (c == '-' && !label)
			return -REASON_BAD_VALUE;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return -REASON_BAD_VALUE;
	}
	return label && name[len - 1] != '-' ? 0 : -REASON_BAD_VALUE;
}

static int add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int ok = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static int set_serial(X509 *cert)
{
	unsigned char bytes[16];
	int ok = 0;

	if (secret_random(bytes, sizeof(bytes)))
		return 0;
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and always of full length */
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number)
		ok = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return ok;
}

static X509 *begin(EVP_PKEY *key, const char *name, int days)
{
	X509 *cert = X509_new();

	if (cert && X509_set_version(cert, 2) && set_serial(cert) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_S) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL) &&
		X509_set_pubkey(cert, key) &&
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "O",
			MBSTRING_UTF8, (const unsigned char *)"Engawa", -1, -1, 0) &&
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
			MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0))
		return cert;
	X509_free(cert);
	return NULL;
}

static char *pem_text(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = malloc((size_t)len + 1);
	if (text) {
		memcpy(text, data, (size_t)len);
		text[len] = '\0';
	}
	secret_wipe(data, (size_t)len);
	return text;
}

static int to_pair(X509 *cert, EVP_PKEY *key, struct authority_pair *ret)
{
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
	struct authority_pair pair = {0};

	if (cert_bio && key_bio && PEM_write_bio_X509(cert_bio, cert) &&
		PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL)) {
		pair.cert = pem_text(cert_bio);
		pair.key = pem_text(key_bio);
	}
	BIO_free(cert_bio);
	BIO_free(key_bio);
	if (!pair.cert || !pair.key) {
		authority_done(&pair);
		return -REASON_NO_MEMORY;
	}
	*ret = pair;
	return 0;
}

int authority_new(struct authority_pair *ret)
{
	int status = -REASON_NO_RANDOM;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? begin(key, "Engawa cluster CA", AUTHORITY_CA_DAYS) : NULL;

	if (cert && X509_set_issuer_name(cert, X509_get_subject_name(cert)) &&
		add_extension(cert, cert, NID_basic_constraints,
			"critical,CA:TRUE,pathlen:0") &&
		add_extension(cert, cert, NID_key_usage,
			"critical,keyCertSign,cRLSign") &&
		add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
		X509_sign(cert, key, EVP_sha256()))
		status = to_pair(cert, key, ret);
	X509_free(cert);
	EVP_PKEY_free(key);
	return status;
}

/* What would end the name in OpenSSL's notation of extensions must not get into it. */
static int add_mark(char *san, size_t len, const char *node)
{
	int more = snprintf(san + len, SAN_MAX - len, ",URI:" AUTHORITY_NODE_MARK "%s",
		node);
	int is_plain =
		*node && strspn(node, "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == strlen(node);
	return is_plain && more > 0 && (size_t)more < SAN_MAX - len ? 0
								    : -REASON_BAD_VALUE;
}

static int alternative_names(char ret[static SAN_MAX], const char *node,
	const char *const *names, size_t count)
{
	unsigned char address[16];
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		int is_address = inet_pton(AF_INET, names[i], address) == 1 ||
				 inet_pton(AF_INET6, names[i], address) == 1;
		if (authority_name(names[i]))
			return -REASON_BAD_VALUE;
		len += (size_t)snprintf(ret + len, SAN_MAX - len, "%s%s:%s", i ? "," : "",
			is_address ? "IP" : "DNS", names[i]);
		if (len >= SAN_MAX)
			return -REASON_BAD_VALUE;
	}
	return count ? add_mark(ret, len, node) : -REASON_BAD_VALUE;
}

static int read_ca(const struct authority_pair *ca, X509 **ret_cert, EVP_PKEY **ret_key)
{
	BIO *cert_bio = BIO_new_mem_buf(ca->cert, -1),
	    *key_bio = BIO_new_mem_buf(ca->key, -1);
	X509 *cert = cert_bio ? PEM_read_bio_X509(cert_bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key =
		key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, (void *)"") : NULL;

	BIO_free(cert_bio);
	BIO_free(key_bio);
	if (!cert || !key || X509_check_private_key(cert, key) != 1 ||
		X509_check_ca(cert) != 1) {
		X509_free(cert);
		EVP_PKEY_free(key);
		return -REASON_STATE_DAMAGED;
	}
	*ret_cert = cert;
	*ret_key = key;
	return 0;
}

int authority_issue(const struct authority_pair *ca, const char *node,
	const char *const *names, size_t count, struct authority_pair *ret)
{
	char san[SAN_MAX];
	X509 *ca_cert, *cert;
	EVP_PKEY *ca_key, *key;
	int status = alternative_names(san, node, names, count);

	if (!status)
		status = read_ca(ca, &ca_cert, &ca_key);
	if (status)
		return status;
	status = -REASON_NO_RANDOM;
	key = EVP_EC_gen("P-256");
	cert = key ? begin(key, node, AUTHORITY_NODE_DAYS) : NULL;
	if (cert && X509_set_issuer_name(cert, X509_get_subject_name(ca_cert)) &&
		add_extension(cert, ca_cert, NID_basic_constraints,
			"critical,CA:FALSE") &&
		add_extension(cert, ca_cert, NID_key_usage,
			"critical,digitalSignature") &&
		add_extension(cert, ca_cert, NID_ext_key_usage,
			"serverAuth,clientAuth") &&
		add_extension(cert, ca_cert, NID_subject_alt_name, san) &&
		add_extension(cert, ca_cert, NID_subject_key_identifier, "hash") &&
		add_extension(cert, ca_cert, NID_authority_key_identifier, "keyid") &&
		X509_sign(cert, ca_key, EVP_sha256()))
		status = to_pair(cert, key, ret);
	X509_free(cert);
	EVP_PKEY_free(key);
	X509_free(ca_cert);
	EVP_PKEY_free(ca_key);
	return status;
}

int authority_sign(const struct authority_pair *ca, const void *bytes, size_t len,
	uint8_t ret[static AUTHORITY_SIGNATURE], size_t *ret_len)
{
	EVP_MD_CTX *ctx;
	EVP_PKEY *key;
	X509 *cert;
	size_t size = AUTHORITY_SIGNATURE;

	CHECK(len && *(const char *)bytes != '0');
	int status = read_ca(ca, &cert, &key);
	if (status)
		return status;
	ctx = EVP_MD_CTX_new();
	if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestSign(ctx, ret, &size, bytes, len) == 1)
		*ret_len = size;
	else
		status = -REASON_NO_MEMORY;
	EVP_MD_CTX_free(ctx);
	X509_free(cert);
	EVP_PKEY_free(key);
	return status;
}

void authority_done(struct authority_pair *pair)
{
	if (pair->key)
		secret_wipe(pair->key, strlen(pair->key));
	free(pair->key);
	free(pair->cert);
	*pair = (struct authority_pair){0};
}
