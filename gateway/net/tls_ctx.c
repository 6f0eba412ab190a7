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
#include "base/text.h"
#include "net/peer_trust.h"
#include "wire/hello.h"

#define WEB_ALPN "http/1.1"
#define PEER_ALPN "engawa-peer/1"

struct tls_ctx {
	char *cert_file, *key_file;
	char *ca_file, *revoked_file; /* NULL: no peers */
	enum tls_offer offer;
	pthread_mutex_t lock;    /* connections take their reference once, at accept */
	SSL_CTX *ctx, *dialling; /* dialling: NULL without peers */
	int64_t expires_ms;
	int is_marked;
};

/* One set of files, read. */
struct contexts {
	SSL_CTX *serving, *dialling;
	int64_t expires_ms;
	int is_marked;
};

/* What is known of the node at the other end of a connection; only such connections have one. */
struct peer {
	char expected[PEER_TRUST_NODE], node[PEER_TRUST_NODE];
	char why[128];
};

/* Where OpenSSL keeps a connection's struct peer and a context's struct peer_trust: who began with an older
 * list of revoked ones ends with it. */
static int peer_index = -1, trust_index = -1;

static void free_peer(void *parent, void *item, CRYPTO_EX_DATA *data, int index,
	long number, void *pointer)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)number;
	(void)pointer;
	free(item);
}

static void free_trust(void *parent, void *item, CRYPTO_EX_DATA *data, int index,
	long number, void *pointer)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)number;
	(void)pointer;
	peer_trust_free(item);
}

static void make_indexes(void)
{
	peer_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_peer);
	trust_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_trust);
}

static void need_indexes(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_indexes);
	CHECK(peer_index >= 0 && trust_index >= 0);
}

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

/* ---- other nodes ------------------------------------------------------------------------- */

static const struct peer *peer_of(const SSL *ssl)
{
	return peer_index < 0 ? NULL : SSL_get_ex_data(ssl, peer_index);
}

/* Called for every certificate of the chain, the node's own last. */
static int on_verify(int chain_good, X509_STORE_CTX *store)
{
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct peer *peer = SSL_get_ex_data(ssl, peer_index);
	const struct peer_trust *trust =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), trust_index);
	const char *why = NULL;
	if (!chain_good)
		why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
	else if (X509_STORE_CTX_get_error_depth(store) == 0)
		why = peer_trust_judge(trust, X509_STORE_CTX_get_current_cert(store),
			peer->expected, peer->node);
	if (!why)
		return 1;
	text_clip(peer->why, sizeof(peer->why), why);
	if (chain_good)
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* From here on nothing but the certificate of a node ends this handshake well. */
static int demand_node(SSL *ssl, const char *expected)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return 0;
	text_clip(peer->expected, sizeof(peer->expected), expected);
	if (!SSL_set_ex_data(ssl, peer_index, peer)) {
		free(peer);
		return 0;
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	return 1;
}

const char *tls_ctx_node(const struct ssl_st *ssl)
{
	const struct peer *peer = peer_of(ssl);
	return peer && SSL_is_init_finished(ssl) ? peer->node : "";
}

const char *tls_ctx_refusal(const struct ssl_st *ssl)
{
	const struct peer *peer = peer_of(ssl);
	if (!peer)
		return NULL;
	if (peer->why[0])
		return peer->why;
	/* Asked for, and not shown: OpenSSL ends it before any certificate is looked at. */
	if (SSL_is_server(ssl) && !SSL_get0_peer_certificate(ssl) &&
		ERR_GET_REASON(ERR_peek_last_error()) ==
			SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return "no certificate was shown";
	return NULL;
}

struct ssl_st *tls_ctx_dial(struct tls_ctx *tls, const char *node)
{
	pthread_mutex_lock(&tls->lock);
	SSL *ssl = tls->dialling ? SSL_new(tls->dialling) : NULL;
	pthread_mutex_unlock(&tls->lock);
	if (ssl && !demand_node(ssl, node)) {
		SSL_free(ssl);
		return NULL;
	}
	if (ssl)
		SSL_set_connect_state(ssl);
	return ssl;
}

/* ---- which protocol ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum tls_alpn alpn;
} protocols[] = {{HELLO_ALPN, TLS_ALPN_NATIVE}, {WEB_ALPN, TLS_ALPN_WEB},
	{PEER_ALPN, TLS_ALPN_PEER}};

enum tls_alpn tls_ctx_alpn(const struct ssl_st *ssl)
{
	const unsigned char *name;
	unsigned len;
	SSL_get0_alpn_selected(ssl, &name, &len);
	for (size_t i = 0; len && i < ARRAY_LEN(protocols); i++)
		if (len == strlen(protocols[i].name) &&
			!memcmp(name, protocols[i].name, len))
			return protocols[i].alpn;
	return TLS_ALPN_NONE;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *ctx)
{
	static const unsigned char all[] =
		"\x08" HELLO_ALPN "\x08" WEB_ALPN "\x0d" PEER_ALPN;
	const unsigned both = 18, web = 9;
	const struct tls_ctx *tls = ctx;
	const unsigned char *ours = tls->offer == TLS_OFFER_BOTH ? all : all + web;
	unsigned len = tls->offer == TLS_OFFER_WEB ? web
		       : tls->ca_file              ? sizeof(all) - 1
						   : both;
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, out_len, ours, len, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	if (*out_len == strlen(PEER_ALPN) && !demand_node(ssl, ""))
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
	if (tls)
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

static int load_certificate(SSL_CTX *ctx, const char *path, struct contexts *ret,
	char *error)
{
	char node[PEER_TRUST_NODE];
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
	ret->expires_ms = expires_ms;
	ret->is_marked = !peer_trust_node(leaf, node);
	return 0;
}

static int trust_peers(SSL_CTX *ctx, const struct tls_ctx *tls, char *error)
{
	struct peer_trust *trust;
	int rc = peer_trust_new(tls->revoked_file, &trust, error);
	if (rc)
		return rc;
	if (!SSL_CTX_set_ex_data(ctx, trust_index, trust)) {
		peer_trust_free(trust);
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	}
	if (SSL_CTX_load_verify_file(ctx, tls->ca_file) != 1)
		return refuse(REASON_CONFIG, error, "%s: not a CA in PEM (%s)",
			tls->ca_file, openssl_says());
	return 0;
}

static int build_one(SSL_CTX *ctx, const struct tls_ctx *tls, struct contexts *ret,
	char *error)
{
	int rc = load_certificate(ctx, tls->cert_file, ret, error);
	if (!rc)
		rc = load_key(ctx, tls->key_file, error);
	if (!rc && tls->ca_file)
		rc = trust_peers(ctx, tls, error);
	return rc;
}

static void contexts_done(struct contexts *contexts)
{
	SSL_CTX_free(contexts->serving);
	SSL_CTX_free(contexts->dialling);
}

/* As a client towards other nodes: nothing but their protocol. */
static int build_dialling(const struct tls_ctx *tls, struct contexts *ret, char *error)
{
	static const unsigned char peer[] = "\x0d" PEER_ALPN;
	SSL_CTX *ctx = ret->dialling = SSL_CTX_new(TLS_client_method());
	if (!ctx || !protocol_rules(ctx, NULL) ||
		SSL_CTX_set_alpn_protos(ctx, peer, sizeof(peer) - 1))
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	return build_one(ctx, tls, ret, error);
}

static int build(struct tls_ctx *tls, struct contexts *ret, char *error)
{
	struct contexts fresh = {0};
	ERR_clear_error();
	need_indexes();
	fresh.serving = SSL_CTX_new(TLS_server_method());
	if (!fresh.serving)
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	int rc = 0;
	if (!protocol_rules(fresh.serving, tls))
		rc = refuse(REASON_INTERNAL, error, "TLS 1.3 is not available: %s",
			openssl_says());
	if (!rc)
		rc = build_one(fresh.serving, tls, &fresh, error);
	if (!rc && tls->ca_file)
		rc = build_dialling(tls, &fresh, error);
	if (rc)
		contexts_done(&fresh);
	else
		*ret = fresh;
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
		rc = tls_ctx_reload(tls, error);
	if (rc)
		tls_ctx_free(tls);
	else
		*ret = tls;
	return rc;
}

int tls_ctx_trust_peers(struct tls_ctx *tls, const char *ca_file,
	const char *revoked_file, char error[static TLS_CTX_ERROR])
{
	tls->ca_file = strdup(ca_file);
	tls->revoked_file = strdup(revoked_file);
	if (!tls->ca_file || !tls->revoked_file)
		return refuse(REASON_NO_MEMORY, error, "no memory for TLS");
	return tls_ctx_reload(tls, error);
}

int tls_ctx_reload(struct tls_ctx *tls, char error[static TLS_CTX_ERROR])
{
	struct contexts fresh = {0};
	int rc = build(tls, &fresh, error);
	if (rc)
		return rc;
	pthread_mutex_lock(&tls->lock);
	struct contexts before = {tls->ctx, tls->dialling, 0, 0};
	tls->ctx = fresh.serving;
	tls->dialling = fresh.dialling;
	tls->expires_ms = fresh.expires_ms;
	tls->is_marked = fresh.is_marked;
	pthread_mutex_unlock(&tls->lock);
	contexts_done(&before);
	return 0;
}

/* The chain that it showed, against the CA of today. */
static const char *judge_chain(SSL_CTX *ctx, const SSL *ssl, X509 *leaf)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	const char *why = "no memory";
	if (store && X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(ctx), leaf,
			     SSL_get_peer_cert_chain(ssl))) {
		X509_STORE_CTX_set_flags(store, X509_V_FLAG_NO_CHECK_TIME);
		why = X509_verify_cert(store) == 1
			      ? NULL
			      : X509_verify_cert_error_string(
					X509_STORE_CTX_get_error(store));
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return why;
}

const char *tls_ctx_distrusts(struct tls_ctx *tls, const struct ssl_st *ssl)
{
	char node[PEER_TRUST_NODE];
	const struct peer *peer = peer_of(ssl);
	if (!peer)
		return NULL;
	SSL_CTX *ctx = tls_ctx_get(tls);
	const struct peer_trust *trust = SSL_CTX_get_ex_data(ctx, trust_index);
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	const char *why = "no certificate was shown";
	if (SSL_get_SSL_CTX(ssl) == ctx || !trust)
		why = NULL;
	else if (leaf)
		why = judge_chain(ctx, ssl, leaf);
	if (!why && trust && leaf)
		why = peer_trust_judge(trust, leaf, peer->expected, node);
	SSL_CTX_free(ctx);
	return why;
}

int64_t tls_ctx_expires_ms(struct tls_ctx *tls)
{
	pthread_mutex_lock(&tls->lock);
	int64_t expires_ms = tls->expires_ms;
	pthread_mutex_unlock(&tls->lock);
	return expires_ms;
}

int tls_ctx_is_marked(struct tls_ctx *tls)
{
	pthread_mutex_lock(&tls->lock);
	int is_marked = tls->is_marked;
	pthread_mutex_unlock(&tls->lock);
	return is_marked;
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
	SSL_CTX_free(tls->dialling);
	pthread_mutex_destroy(&tls->lock);
	free(tls->cert_file);
	free(tls->key_file);
	free(tls->ca_file);
	free(tls->revoked_file);
	free(tls);
	return NULL;
}
