#include "net/peer_trust.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

#define FINGERPRINT 32
#define LINE_MAX_BYTES 512

struct peer_trust {
	size_t count;
	uint8_t (*revoked)[FINGERPRINT];
};

PRINTF_LIKE(3, 4) static int refuse(int reason, char *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, PEER_TRUST_ERROR, format, args);
	va_end(args);
	return -reason;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 1: a fingerprint; 0: an empty line; -1: something else. */
static int read_line(const char *line, uint8_t ret[static FINGERPRINT])
{
	const char *name = strchr(line, '=');
	size_t digits = 0;
	for (const char *at = name ? name + 1 : line; *at && *at != '#'; at++) {
		int value = digit(*at);
		if (value < 0 && !strchr(": \t\r\n", *at))
			return -1;
		if (value < 0)
			continue;
		if (digits == 2 * FINGERPRINT)
			return -1;
		ret[digits / 2] = (uint8_t)(ret[digits / 2] << 4 | value);
		digits++;
	}
	return !digits ? 0 : digits == 2 * FINGERPRINT ? 1 : -1;
}

static int add(struct peer_trust *trust, const uint8_t print[static FINGERPRINT])
{
	void *more = realloc(trust->revoked, (trust->count + 1) * FINGERPRINT);
	if (!more)
		return -REASON_NO_MEMORY;
	trust->revoked = more;
	memcpy(trust->revoked[trust->count++], print, FINGERPRINT);
	return 0;
}

static int read_list(struct peer_trust *trust, FILE *file, const char *path, char *error)
{
	char line[LINE_MAX_BYTES];
	for (int number = 1; fgets(line, sizeof(line), file); number++) {
		uint8_t print[FINGERPRINT] = {0};
		int found = line[0] == '#' ? 0 : read_line(line, print);
		if (found < 0 || trust->count >= PEER_TRUST_REVOKED_MAX)
			return refuse(REASON_CONFIG, error,
				"%.150s:%d: not the SHA-256 fingerprint of a certificate",
				path, number);
		if (found && add(trust, print))
			return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	}
	if (ferror(file))
		return refuse(REASON_FILE_UNREADABLE, error, "%.150s: %s", path,
			strerror(errno));
	return 0;
}

int peer_trust_new(const char *revoked_file, struct peer_trust **ret,
	char error[static PEER_TRUST_ERROR])
{
	struct peer_trust *trust = calloc(1, sizeof(*trust));
	if (!trust)
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	FILE *file = fopen(revoked_file, "re");
	int rc = 0;
	if (file) {
		rc = read_list(trust, file, revoked_file, error);
		fclose(file);
	} else if (errno != ENOENT) {
		rc = refuse(REASON_FILE_UNREADABLE, error, "%.150s: %s", revoked_file,
			strerror(errno));
	}
	if (rc)
		peer_trust_free(trust);
	else
		*ret = trust;
	return rc;
}

/* Names of nodes are letters, digits, "-", "_" and ".": what goes into logs and rows as it is. */
static int take_name(const char *uri, size_t len, char ret[static PEER_TRUST_NODE])
{
	size_t mark = strlen(PEER_TRUST_MARK);
	if (len <= mark || len - mark >= PEER_TRUST_NODE ||
		memcmp(uri, PEER_TRUST_MARK, mark) != 0)
		return 0;
	for (size_t i = mark; i < len; i++) {
		char c = uri[i];
		int plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
		if (!plain)
			return 0;
	}
	memcpy(ret, uri + mark, len - mark);
	ret[len - mark] = '\0';
	return 1;
}

int peer_trust_node(struct x509_st *certificate, char ret[static PEER_TRUST_NODE])
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int found = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
		found = take_name((const char *)ASN1_STRING_get0_data(uri),
			(size_t)ASN1_STRING_length(uri), ret);
	}
	GENERAL_NAMES_free(names);
	return found ? 0 : -REASON_NOT_FOUND;
}

static int is_revoked(const struct peer_trust *trust, X509 *certificate)
{
	uint8_t print[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (!X509_digest(certificate, EVP_sha256(), print, &len) || len != FINGERPRINT)
		return 1;
	for (size_t i = 0; i < trust->count; i++)
		if (!memcmp(trust->revoked[i], print, FINGERPRINT))
			return 1;
	return 0;
}

const char *peer_trust_judge(const struct peer_trust *trust, struct x509_st *certificate,
	const char *expected, char ret_node[static PEER_TRUST_NODE])
{
	char node[PEER_TRUST_NODE];
	const uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
	uint32_t usage = X509_get_extended_key_usage(certificate);
	if (usage == UINT32_MAX || (usage & both) != both)
		return "the certificate is not made for both sides of TLS";
	if (peer_trust_node(certificate, node))
		return "the certificate has no node's mark; engawa-gateway renew makes "
		       "one that has";
	if (is_revoked(trust, certificate))
		return "the certificate is revoked";
	if (*expected && strcmp(node, expected) != 0)
		return "the certificate is another node's";
	memcpy(ret_node, node, sizeof(node));
	return NULL;
}

struct peer_trust *peer_trust_free(struct peer_trust *trust)
{
	if (!trust)
		return NULL;
	free(trust->revoked);
	free(trust);
	return NULL;
}
