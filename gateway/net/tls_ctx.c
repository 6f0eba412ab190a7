#include "net/tls_ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "wire/hello.h"

#define WEB_ALPN "http/1.1"

struct tls_ctx {
	char *cert_file, *key_file;
	enum tls_offer offer;
	pthread_mutex_t lock; /* connections take their reference once, at accept */
	SSL_CTX *ctx;
	int64_t expires_ms;
};

PRINTF_LIKE(3, 4) static int refuse(int reason, char *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, TLS_CTX_ERROR, format, args);
	va_end(args);
	ERR_clear_error();
	return -reason;
}

static const char *openssl_says(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());
	return text ? text : "no reason given";
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *ctx)
{
	static const unsigned char both[] = "\x08" HELLO_ALPN "\x08" WEB_ALPN;
	static const unsigned char web[] = "\x08" WEB_ALPN;
	const struct tls_ctx *tls = ctx;
	const unsigned char *ours = tls->offer == TLS_OFFER_BOTH ? both : web;
	unsigned len = tls->offer == TLS_OFFER_BOTH ? sizeof(both) - 1 : sizeof(web) - 1;
	unsigned char *chosen;
	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, ours, len, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int protocol_rules(SSL_CTX *ctx, struct tls_ctx *tls)
{
	/* Tickets would be a second secret to guard and to rotate; a full handshake costs a
	 * fraction of a millisecond (SECURITY 6). */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, tls);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
	       SSL_CTX_set_num_tickets(ctx, 0) &&
	       SSL_CTX_set_ciphersuites(ctx,
		       "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
		       "TLS_CHACHA20_POLY1305_SHA256") &&
	       SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
}

/* From one descriptor: what was checked is what is read. */
static FILE *open_key(const char *path, int *ret_reason)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_reason = REASON_FILE_UNREADABLE;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_mode & (S_IRWXG | S_IRWXO)) {
		*ret_reason = REASON_FILE_EXPOSED;
		close(fd);
		return NULL;
	}
	FILE *file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

static int load_key(SSL_CTX *ctx, const char *path, char *error)
{
	int reason;
	FILE *file = open_key(path, &reason);
	if (!file)
		return refuse(reason, error, "%s: %s", path,
			reason == REASON_FILE_EXPOSED
				? "readable by group or others; chmod 600 it"
				: strerror(errno));
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	int used = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	EVP_PKEY_free(key);
	if (!used)
		return refuse(REASON_CONFIG, error, "%s: not a private key in PEM (%s)",
			path, openssl_says());
	if (SSL_CTX_check_private_key(ctx) != 1)
		return refuse(REASON_CONFIG, error,
			"%s: the key does not belong to the certificate", path);
	return 0;
}

static int load_certificate(SSL_CTX *ctx, const char *path, int64_t *ret_expires_ms,
	char *error)
{
	struct tm end;
	if (access(path, R_OK))
		return refuse(REASON_FILE_UNREADABLE, error, "%s: %s", path,
			strerror(errno));
	if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
		return refuse(REASON_CONFIG, error, "%s: not a certificate in PEM (%s)",
			path, openssl_says());
	X509 *leaf = SSL_CTX_get0_certificate(ctx);
	if (!ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end))
		return refuse(REASON_CONFIG, error, "%s: no end of validity", path);
	int64_t expires_ms = (int64_t)timegm(&end) * 1000;
	if (expires_ms <= clock_wall_ms())
		return refuse(REASON_CONFIG, error, "%s: the certificate has expired",
			path);
	*ret_expires_ms = expires_ms;
	return 0;
}

static int build(struct tls_ctx *tls, SSL_CTX **ret, int64_t *ret_expires_ms, char *error)
{
	ERR_clear_error();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	int rc = 0;
	if (!protocol_rules(ctx, tls))
		rc = refuse(REASON_INTERNAL, error, "TLS 1.3 is not available: %s",
			openssl_says());
	if (!rc)
		rc = load_certificate(ctx, tls->cert_file, ret_expires_ms, error);
	if (!rc)
		rc = load_key(ctx, tls->key_file, error);
	if (rc)
		SSL_CTX_free(ctx);
	else
		*ret = ctx;
	return rc;
}

int tls_ctx_new(const char *cert_file, const char *key_file, enum tls_offer offer,
	struct tls_ctx **ret, char error[static TLS_CTX_ERROR])
{
	struct tls_ctx *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	tls->offer = offer;
	pthread_mutex_init(&tls->lock, NULL);
	tls->cert_file = strdup(cert_file);
	tls->key_file = strdup(key_file);
	int rc = -REASON_NO_MEMORY;
	if (tls->cert_file && tls->key_file)
		rc = build(tls, &tls->ctx, &tls->expires_ms, error);
	if (rc)
		tls_ctx_free(tls);
	else
		*ret = tls;
	return rc;
}

int tls_ctx_reload(struct tls_ctx *tls, char error[static TLS_CTX_ERROR])
{
	SSL_CTX *fresh;
	int64_t expires_ms;
	int rc = build(tls, &fresh, &expires_ms, error);
	if (rc)
		return rc;
	pthread_mutex_lock(&tls->lock);
	SSL_CTX *before = tls->ctx;
	tls->ctx = fresh;
	tls->expires_ms = expires_ms;
	pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(before);
	return 0;
}

int64_t tls_ctx_expires_ms(struct tls_ctx *tls)
{
	pthread_mutex_lock(&tls->lock);
	int64_t expires_ms = tls->expires_ms;
	pthread_mutex_unlock(&tls->lock);
	return expires_ms;
}

struct ssl_ctx_st *tls_ctx_get(struct tls_ctx *tls)
{
	pthread_mutex_lock(&tls->lock);
	SSL_CTX *ctx = tls->ctx;
	SSL_CTX_up_ref(ctx);
	pthread_mutex_unlock(&tls->lock);
	return ctx;
}

struct tls_ctx *tls_ctx_free(struct tls_ctx *tls)
{
	if (!tls)
		return NULL;
	SSL_CTX_free(tls->ctx);
	pthread_mutex_destroy(&tls->lock);
	free(tls->cert_file);
	free(tls->key_file);
	free(tls);
	return NULL;
}
