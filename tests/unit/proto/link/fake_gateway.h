/* fake_gateway: a gateway on a thread of the test, honest or not, and the certificates it needs. Speaks
 * TLS and frames; what it answers is the test's choice. */
#ifndef TEST_FAKE_GATEWAY_H
#define TEST_FAKE_GATEWAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "wire/frame.h"
#include "wire/hello.h"
#include "wire/message.h"
#include "wire/proof.h"
#include "wire/session_id.h"

struct fake_ca {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64];
};

static EVP_PKEY *fake_key(void)
{
	return EVP_EC_gen("P-256");
}

static X509 *fake_certificate(EVP_PKEY *key, const char *name, const char *san,
	const struct fake_ca *issuer, long from_s, long until_s)
{
	static long serial;
	X509 *certificate = X509_new();
	X509V3_CTX ctx;
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
	X509_set_pubkey(certificate, key);
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate,
		issuer ? X509_get_subject_name(issuer->certificate) : subject);
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer ? issuer->certificate : certificate, certificate,
		NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx,
		issuer ? NID_subject_alt_name : NID_basic_constraints,
		issuer ? san : "critical,CA:TRUE");
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256()) > 0);
	return certificate;
}

static void fake_ca_init(struct fake_ca *ca, const char *name)
{
	ca->key = fake_key();
	ca->certificate =
		fake_certificate(ca->key, name, NULL, NULL, -86400 * 400L, 86400 * 400L);
	strcpy(ca->file, "/tmp/engawa-ca-XXXXXX");
	int fd = mkstemp(ca->file);
	FILE *file = fdopen(fd, "w");
	assert_int_equal(PEM_write_X509(file, ca->certificate), 1);
	fclose(file);
}

static void fake_ca_done(struct fake_ca *ca)
{
	unlink(ca->file);
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
}

enum fake_mood {
	FAKE_HONEST,
	FAKE_REFUSES,        /* with `reason` */
	FAKE_CUTS,           /* after `cut` bytes of what it would send */
	FAKE_SILENT,         /* accepts, says nothing */
	FAKE_NO_TLS,         /* answers in plain text */
	FAKE_WRONG_STATE,    /* OPEN before WELCOME */
	FAKE_REDIRECTS,      /* to localhost:redirect */
	FAKE_REDIRECTS_ONCE, /* not who could not go there */
};

struct fake_gateway {
	enum fake_mood mood;
	atomic_int reason, redirect;
	long cut;
	int64_t clock_ms; /* added to the true time in CHALLENGE */
	int keepalive_ms;
	SSL_CTX *tls;
	int listener;
	uint16_t port;
	pthread_t thread;
	atomic_int stop, legs, proofs_good, proves, connects, data_frames, closes,
		receipts, pings;
	char join[129], unreached[301]; /* of the last leg, under fake_words */
	uint64_t data_bytes;
	long sent;
	int echo; /* DATA comes back */
	int slow; /* reads nothing for a while after OPEN */
};

static pthread_mutex_t fake_words = PTHREAD_MUTEX_INITIALIZER;

static int fake_send(struct fake_gateway *gateway, SSL *ssl, const void *bytes,
	size_t len)
{
	if (gateway->mood == FAKE_CUTS && gateway->sent + (long)len > gateway->cut) {
		size_t part = (size_t)(gateway->cut - gateway->sent);
		if (part)
			SSL_write(ssl, bytes, (int)part);
		return -1;
	}
	gateway->sent += (long)len;
	return SSL_write(ssl, bytes, (int)len) == (int)len ? 0 : -1;
}

static int fake_read(struct fake_gateway *gateway, SSL *ssl, uint8_t *bytes, size_t len)
{
	size_t got = 0;
	while (got < len) {
		struct pollfd poll_fd = {SSL_get_fd(ssl), POLLIN, 0};
		if (atomic_load(&gateway->stop))
			return -1;
		if (!SSL_has_pending(ssl) && poll(&poll_fd, 1, 20) == 0)
			continue;
		int rc = SSL_read(ssl, bytes + got, (int)(len - got));
		if (rc <= 0)
			return -1;
		got += (size_t)rc;
	}
	return 0;
}

static int fake_frame(struct fake_gateway *gateway, SSL *ssl, uint8_t *bytes,
	struct frame *ret)
{
	if (fake_read(gateway, ssl, bytes, FRAME_HEADER))
		return -1;
	size_t len = (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	if (len > FRAME_DATA_MAX || fake_read(gateway, ssl, bytes + FRAME_HEADER, len))
		return -1;
	return frame_parse(bytes, FRAME_HEADER + len, ret) == 1 ? 0 : -1;
}

#define FAKE_SAY(gateway, ssl, name, message)                                            \
	({                                                                               \
		struct buf out CLEANUP(buf_done);                                        \
		buf_init(&out, FRAME_HEADER + FRAME_CONTROL_MAX);                        \
		assert_int_equal(message_##name##_write((message), &out), 0);            \
		fake_send((gateway), (ssl), buf_head(&out), buf_len(&out));              \
	})

static int fake_proof_is_good(SSL *ssl, const struct message_hello *hello,
	const struct message_challenge *challenge, const struct message_prove *prove)
{
	uint8_t exporter[32], bytes[PROOF_BYTES_MAX];
	size_t len;
	char license[LICENSE_KEY_PUBLIC_SIZE];
	enum hello_side side;
	if (SSL_export_keying_material(ssl, exporter, 32, HELLO_EXPORTER_LABEL,
		    strlen(HELLO_EXPORTER_LABEL), NULL, 0, 0) != 1 ||
		license_key_id_parse(hello->license, license) ||
		hello_side_parse(hello->side, &side))
		return 0;
	struct proof proof = {challenge->nonce,
		side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER, license, challenge->node,
		exporter};
	if (proof_bytes(&proof, bytes, &len))
		return 0;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, hello->device,
		sizeof(hello->device));
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int good = EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		   EVP_DigestVerify(md, prove->signature, sizeof(prove->signature), bytes,
			   len) == 1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return good;
}

static int fake_greet(struct fake_gateway *gateway, SSL *ssl, uint8_t *bytes)
{
	struct frame frame;
	struct message_hello hello;
	struct message_prove prove;
	if (fake_frame(gateway, ssl, bytes, &frame) || frame.type != FRAME_HELLO ||
		message_hello_parse(frame.payload, frame.len, &hello))
		return -1;
	struct message_challenge challenge = {.gen = HELLO_GEN, .node = "node-1"};
	challenge.time_ms = (uint64_t)(clock_wall_ms() + gateway->clock_ms);
	memset(challenge.nonce, 0x77, sizeof(challenge.nonce));
	if (FAKE_SAY(gateway, ssl, challenge, &challenge) ||
		fake_frame(gateway, ssl, bytes, &frame) || frame.type != FRAME_PROVE ||
		message_prove_parse(frame.payload, frame.len, &prove))
		return -1;
	atomic_fetch_add(&gateway->proves, 1);
	pthread_mutex_lock(&fake_words);
	strcpy(gateway->join, prove.join);
	strcpy(gateway->unreached, hello.unreached);
	pthread_mutex_unlock(&fake_words);
	if (fake_proof_is_good(ssl, &hello, &challenge, &prove))
		atomic_fetch_add(&gateway->proofs_good, 1);
	bool redirects = gateway->mood == FAKE_REDIRECTS ||
			 (gateway->mood == FAKE_REDIRECTS_ONCE && !*hello.unreached);
	if (gateway->mood == FAKE_REFUSES || redirects) {
		struct message_refused refused = {
			.retry_ms = 1500, .detail = "as the test wants"};
		int reason = atomic_load(&gateway->reason);
		refused.reason = (uint64_t)reason;
		strcpy(refused.symbol, reason_symbol(reason));
		if (redirects) {
			snprintf(refused.redirect, sizeof(refused.redirect),
				"localhost:%d", atomic_load(&gateway->redirect));
			strcpy(refused.join, "join-token");
		}
		FAKE_SAY(gateway, ssl, refused, &refused);
		return -1;
	}
	if (gateway->mood == FAKE_WRONG_STATE) {
		uint8_t data[] = {FRAME_DATA, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2,
			3, 4, 5, 6, 7};
		return fake_send(gateway, ssl, data, sizeof(data));
	}
	struct message_welcome welcome = {
		.leg = "leg_1", .holder = "Sato", .host_online = 1};
	welcome.keepalive_ms =
		(uint64_t)(gateway->keepalive_ms ? gateway->keepalive_ms : 15000);
	return FAKE_SAY(gateway, ssl, welcome, &welcome);
}

static int fake_answer(struct fake_gateway *gateway, SSL *ssl, const struct frame *frame)
{
	struct message_open open = {.fence = 5,
		.purpose = 1,
		.psk_kind = 2,
		.viewer_min = 1,
		.viewer_max = 1,
		.host_min = 1,
		.host_max = 1};
	uint8_t header[FRAME_HEADER];
	switch (frame->type) {
	case FRAME_CONNECT:
		atomic_fetch_add(&gateway->connects, 1);
		memset(open.session, 0x22, sizeof(open.session));
		if (FAKE_SAY(gateway, ssl, open, &open))
			return -1;
		if (gateway->slow)
			usleep(300000);
		return 0;
	case FRAME_DATA:
		atomic_fetch_add(&gateway->data_frames, 1);
		gateway->data_bytes += frame->len;
		if (!gateway->echo)
			return 0;
		frame_header(header, FRAME_DATA, frame->len);
		return fake_send(gateway, ssl, header, sizeof(header)) ||
				       fake_send(gateway, ssl, frame->payload, frame->len)
			       ? -1
			       : 0;
	case FRAME_CLOSE:
		atomic_fetch_add(&gateway->closes, 1);
		return 0;
	case FRAME_RECEIPT:
		atomic_fetch_add(&gateway->receipts, 1);
		return 0;
	case FRAME_PING:
		atomic_fetch_add(&gateway->pings, 1);
		frame_header(header, FRAME_PONG, 8);
		return fake_send(gateway, ssl, header, sizeof(header)) ||
				       fake_send(gateway, ssl, frame->payload, 8)
			       ? -1
			       : 0;
	default:
		return 0;
	}
}

static void fake_serve(struct fake_gateway *gateway, int fd)
{
	static const char PLAIN[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	uint8_t *bytes = malloc(FRAME_MAX);
	SSL *ssl = SSL_new(gateway->tls);
	SSL_set_fd(ssl, fd);
	atomic_fetch_add(&gateway->legs, 1);
	gateway->sent = 0;
	if (gateway->mood == FAKE_NO_TLS) {
		assert_true(send(fd, PLAIN, sizeof(PLAIN) - 1, MSG_NOSIGNAL) > 0);
	} else if (gateway->mood == FAKE_SILENT) {
		while (!atomic_load(&gateway->stop))
			usleep(5000);
	} else if (SSL_accept(ssl) == 1 && !fake_greet(gateway, ssl, bytes)) {
		struct frame frame;
		while (!fake_frame(gateway, ssl, bytes, &frame) &&
			!fake_answer(gateway, ssl, &frame))
			;
	}
	if (gateway->mood != FAKE_CUTS)
		SSL_shutdown(ssl);
	SSL_free(ssl);
	/* The client's last bytes must not turn the close into a reset. */
	shutdown(fd, SHUT_WR);
	struct pollfd poll_fd = {fd, POLLIN, 0};
	while (gateway->mood != FAKE_CUTS && poll(&poll_fd, 1, 200) > 0 &&
		recv(fd, bytes, FRAME_MAX, 0) > 0)
		;
	close(fd);
	free(bytes);
}

static void *fake_run(void *arg)
{
	struct fake_gateway *gateway = arg;
	while (!atomic_load(&gateway->stop)) {
		struct pollfd poll_fd = {gateway->listener, POLLIN, 0};
		if (poll(&poll_fd, 1, 20) <= 0)
			continue;
		int fd = accept(gateway->listener, NULL, NULL);
		if (fd >= 0)
			fake_serve(gateway, fd);
	}
	return NULL;
}

static int fake_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *arg)
{
	(void)ssl;
	(void)arg;
	static const unsigned char WANTED[] = "\x08" HELLO_ALPN;
	return SSL_select_next_proto((unsigned char **)out, out_len, WANTED,
		       sizeof(WANTED) - 1, in, in_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static uint16_t fake_listen(int family, int *ret_fd)
{
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET};
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = family == AF_INET6 ? sizeof(six) : sizeof(four);
	struct sockaddr *at =
		family == AF_INET6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, at, len) || listen(fd, 16)) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	getsockname(fd, at, &len);
	*ret_fd = fd;
	return ntohs(family == AF_INET6 ? six.sin6_port : four.sin_port);
}

/* 0: this machine has no such family. */
static uint16_t fake_start(struct fake_gateway *gateway, const struct fake_ca *ca,
	const char *san, long from_s, long until_s, int family)
{
	EVP_PKEY *key = fake_key();
	X509 *certificate = fake_certificate(key, "gateway", san, ca, from_s, until_s);
	gateway->port = fake_listen(family, &gateway->listener);
	gateway->tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_alpn_select_cb(gateway->tls, fake_alpn, NULL);
	assert_int_equal(SSL_CTX_use_certificate(gateway->tls, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(gateway->tls, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	if (!gateway->port) {
		SSL_CTX_free(gateway->tls);
		return 0;
	}
	assert_int_equal(pthread_create(&gateway->thread, NULL, fake_run, gateway), 0);
	return gateway->port;
}

static void fake_stop(struct fake_gateway *gateway)
{
	atomic_store(&gateway->stop, 1);
	pthread_join(gateway->thread, NULL);
	close(gateway->listener);
	SSL_CTX_free(gateway->tls);
}

#endif
