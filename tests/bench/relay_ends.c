#include "relay_ends.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/license_key.h"
#include "wire/hello.h"
#include "wire/message.h"
#include "wire/proof.h"

struct licensed {
	struct license_key key;
	char id[LICENSE_KEY_ID_SIZE], password[64];
};

static SSL_CTX *dialling, *dialled;

_Thread_local jmp_buf *relay_ends_way_out;

void relay_ends_fail(const char *what, ...)
{
	va_list words;

	if (relay_ends_way_out)
		longjmp(*relay_ends_way_out, 1);
	va_start(words, what);
	fputs("relay_bench: ", stderr);
	vfprintf(stderr, what, words);
	fputc('\n', stderr);
	va_end(words);
	exit(69);
}

static void prepare(void)
{
	if (dialling)
		return;
	dialling = SSL_CTX_new(TLS_client_method());
	dialled = SSL_CTX_new(TLS_server_method());
	if (!dialling || !dialled)
		relay_ends_fail("OpenSSL does not start");
	SSL_CTX_set_verify(dialling, SSL_VERIFY_NONE, NULL);
	for (int i = 0; i < 2; i++) {
		SSL_CTX *ctx = i ? dialled : dialling;
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
		SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384");
		SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
					      SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	SSL_CTX_set_num_tickets(dialled, 0);
}

void relay_ends_listen(struct relay_ends *ends, const char *cert, const char *key)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;

	prepare();
	if (SSL_CTX_use_certificate_chain_file(dialled, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(dialled, key, SSL_FILETYPE_PEM) != 1)
		relay_ends_fail("%s, %s: not a certificate and its key", cert, key);
	at.sin_port = htons(ends->port);
	ends->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(ends->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(ends->listen_fd, (struct sockaddr *)&at, sizeof(at)) ||
		listen(ends->listen_fd, 4096))
		relay_ends_fail("port %u is not free", ends->port);
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int dial(struct relay_ends *ends, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	unsigned number = ends->connections++;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		relay_ends_fail("no descriptor is left");
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(0x7F010001u + (number % 60000 << 4));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
		connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		relay_ends_fail("nothing answers at port %u", port);
	}
	no_delay(fd);
	return fd;
}

/* Both ends of a direct connection wait for each other: one gets a thread. */
static void *shake(void *end_of)
{
	struct relay_end *end = end_of;

	if (SSL_do_handshake(end->ssl) != 1)
		relay_ends_fail("TLS: %s", ERR_reason_error_string(ERR_get_error()));
	return NULL;
}

static void begin(struct relay_end *end, int fd, SSL_CTX *ctx)
{
	static const unsigned char alpn[] = "\x08" HELLO_ALPN;

	*end = (struct relay_end){.fd = fd, .ssl = SSL_new(ctx)};
	SSL_set_fd(end->ssl, fd);
	if (ctx == dialled) {
		SSL_set_accept_state(end->ssl);
		return;
	}
	SSL_set_connect_state(end->ssl);
	SSL_set_alpn_protos(end->ssl, alpn, sizeof(alpn) - 1);
}

static void dial_tls(struct relay_ends *ends, struct relay_end *ret)
{
	prepare();
	begin(ret, dial(ends, ends->port), dialling);
	shake(ret);
}

static void dial_viewer(struct relay_ends *ends, struct relay_end *ret)
{
	prepare();
	begin(ret, dial(ends, ends->viewer_port ? ends->viewer_port : ends->port),
		dialling);
	shake(ret);
}

static void pair_dialled(struct relay_ends *ends, struct relay_pair *ret)
{
	pthread_t thread;

	prepare();
	begin(&ret->viewer, dial(ends, ends->port), dialling);
	pthread_create(&thread, NULL, shake, &ret->viewer);
	int fd = accept(ends->listen_fd, NULL, NULL);
	if (fd < 0)
		relay_ends_fail("the relay does not dial on");
	no_delay(fd);
	begin(&ret->host, fd, dialled);
	shake(&ret->host);
	pthread_join(thread, NULL);
}

static void write_all(struct relay_end *end, struct buf *out)
{
	if (SSL_write(end->ssl, buf_head(out), (int)buf_len(out)) != (int)buf_len(out))
		relay_ends_fail("the relay closed");
	buf_done(out);
}

static void read_all(struct relay_end *end, uint8_t *bytes, size_t len)
{
	for (size_t have = 0; have < len;) {
		int got = SSL_read(end->ssl, bytes + have, (int)(len - have));
		if (got <= 0)
			relay_ends_fail("the relay closed while an answer was due");
		have += (size_t)got;
	}
}

/* The next frame of this type; what else a node says meanwhile is passed over. */
static size_t expect(struct relay_end *end, uint8_t type, uint8_t *payload)
{
	for (;;) {
		uint8_t head[FRAME_HEADER];
		read_all(end, head, sizeof(head));
		size_t len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
		if (len > FRAME_DATA_MAX)
			relay_ends_fail("not a frame");
		read_all(end, payload, len);
		if (head[0] == type)
			return len;
		if (head[0] == FRAME_REFUSED || head[0] == FRAME_CLOSE)
			relay_ends_fail("%s: %.*s", frame_type_name(head[0]), (int)len,
				payload);
	}
}

static void must(int status)
{
	if (status)
		relay_ends_fail("a message cannot be made (%d)", status);
}

static void sign(struct relay_end *end, EVP_PKEY *device,
	const struct message_challenge *asked, const struct licensed *license,
	enum hello_side side, uint8_t *ret)
{
	uint8_t exporter[PROOF_EXPORTER], bytes[PROOF_BYTES_MAX];
	size_t len = 0, signature = 64;
	struct proof proof = {
		.nonce = asked->nonce,
		.side = side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.license = license->key.public_id,
		.node = asked->node,
		.exporter = exporter,
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	SSL_export_keying_material(end->ssl, exporter, sizeof(exporter),
		HELLO_EXPORTER_LABEL, strlen(HELLO_EXPORTER_LABEL), NULL, 0, 0);
	must(proof_bytes(&proof, bytes, &len));
	if (EVP_DigestSignInit(md, NULL, NULL, NULL, device) != 1 ||
		EVP_DigestSign(md, ret, &signature, bytes, len) != 1)
		relay_ends_fail("Ed25519 does not sign");
	EVP_MD_CTX_free(md);
}

/* The same device for the same license at every start: a host binds to its license. */
static EVP_PKEY *device_of(const struct licensed *license, enum hello_side side)
{
	uint8_t seed[32] = {(uint8_t)side};

	memcpy(seed + 1, license->key.secret, sizeof(license->key.secret));
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
}

static void come_in(struct relay_end *end, const struct licensed *license,
	enum hello_side side)
{
	uint8_t payload[FRAME_DATA_MAX];
	struct message_challenge asked;
	struct message_hello hello = {.gen_min = HELLO_GEN_MIN,
		.gen_max = HELLO_GEN,
		.kind = "native",
		.program = "relay_bench",
		.app_min = HELLO_APP_MIN,
		.app_max = HELLO_APP};
	struct message_prove prove = {.enrol = side == HELLO_HOST};
	EVP_PKEY *device = device_of(license, side);
	size_t key_len = sizeof(hello.device);
	struct buf out;

	snprintf(hello.side, sizeof(hello.side), "%s", hello_side_name(side));
	snprintf(hello.license, sizeof(hello.license), "%s", license->id);
	EVP_PKEY_get_raw_public_key(device, hello.device, &key_len);
	buf_init(&out, FRAME_MAX);
	must(message_hello_write(&hello, &out));
	write_all(end, &out);
	must(message_challenge_parse(payload, expect(end, FRAME_CHALLENGE, payload),
		&asked));
	sign(end, device, &asked, license, side, prove.signature);
	memcpy(prove.secret, license->key.secret, sizeof(prove.secret));
	if (side == HELLO_VIEWER)
		snprintf(prove.password, sizeof(prove.password), "%s", license->password);
	buf_init(&out, FRAME_MAX);
	must(message_prove_write(&prove, &out));
	write_all(end, &out);
	expect(end, FRAME_WELCOME, payload);
	EVP_PKEY_free(device);
}

static int read_license(const char *line, struct licensed *ret)
{
	char text[64];

	return sscanf(line, "%13[^,],%63[^,],%63[^,\n]", ret->id, text, ret->password) ==
		       3 &&
	       !license_key_parse(text, &ret->key);
}

void relay_ends_line(struct relay_ends *ends, char ret[static RELAY_ENDS_LINE])
{
	struct licensed license;

	do {
		if (!fgets(ret, RELAY_ENDS_LINE, ends->licenses))
			relay_ends_fail("more licenses are needed");
	} while (!read_license(ret, &license)); /* its head */
}

static struct licensed next_license(struct relay_ends *ends)
{
	struct licensed license = {0};
	char line[RELAY_ENDS_LINE];

	relay_ends_line(ends, line);
	read_license(line, &license);
	return license;
}

static void pair_engawa(struct relay_ends *ends, struct relay_pair *ret)
{
	uint8_t payload[FRAME_DATA_MAX];
	struct message_connect connect_to = {.purpose = 1, .psk_kind = 2};
	struct licensed license = next_license(ends);
	struct buf out;

	dial_tls(ends, &ret->host);
	come_in(&ret->host, &license, HELLO_HOST);
	dial_viewer(ends, &ret->viewer);
	come_in(&ret->viewer, &license, HELLO_VIEWER);
	buf_init(&out, FRAME_MAX);
	must(message_connect_write(&connect_to, &out));
	write_all(&ret->viewer, &out);
	expect(&ret->viewer, FRAME_OPEN, payload);
	expect(&ret->host, FRAME_OPEN, payload);
}

void relay_ends_pair(struct relay_ends *ends, struct relay_pair *ret)
{
	if (ends->kind == RELAY_ENGAWA)
		pair_engawa(ends, ret);
	else
		pair_dialled(ends, ret);
}

void relay_ends_host_of(struct relay_ends *ends, const char *line, struct relay_end *ret)
{
	struct licensed license = {0};

	read_license(line, &license);
	dial_tls(ends, ret);
	come_in(ret, &license, HELLO_HOST);
}

void relay_ends_host(struct relay_ends *ends, struct relay_end *ret)
{
	char line[RELAY_ENDS_LINE];

	relay_ends_line(ends, line);
	relay_ends_host_of(ends, line, ret);
}

void relay_ends_close(struct relay_end *end)
{
	SSL_free(end->ssl);
	close(end->fd);
}

void relay_ends_handshake(struct relay_ends *ends)
{
	struct relay_pair pair;

	if (ends->kind == RELAY_ENGAWA) {
		dial_tls(ends, &pair.host);
		dial_tls(ends, &pair.viewer);
	} else {
		pair_dialled(ends, &pair);
	}
	relay_ends_close(&pair.host);
	relay_ends_close(&pair.viewer);
}

void relay_ends_head(const struct relay_ends *ends, uint8_t *bytes, size_t len)
{
	if (ends->kind == RELAY_ENGAWA)
		frame_header(bytes, FRAME_DATA, (uint32_t)(len - FRAME_HEADER));
}
