/* relay_bench KIND TASK [NAME=VALUE…]: loads one relay and prints what that cost it as one line of JSON.
 *
 *   KIND  engawa | tls | direct   TASK  load | idle | pairs | handshakes | return
 *   limit                         what opening and sealing 16 KiB with one read and one write costs
 *
 *   load        `pairs` pairs stream 16 KiB writes (at most `rate` MB/s in all; 0: as fast as it goes) while one
 *               further pair plays ping-pong with 64 bytes (ping=1). The receiving ends throw away what
 *               comes without opening it, so that the load is cheaper than the relay.
 *   idle        `pairs` connections that say nothing (tls: pairs of them): memory of the relay for each
 *   pairs       the same with joined pairs
 *   return      (engawa) `pairs` hosts come in; a line "ready"; when their node is gone they come back, all at
 *               once and then as hosts do (link/backoff); how long that took each, from its cut
 *   handshakes  both legs' handshakes, then the end, again and again
 *
 * Names: port, pid (of the relay), viewer-port and via-pid (of the node where the viewers come in, when it is another), listen-cert, listen-key, licenses, pairs, seconds, rate, ping, line (ms that
 * the ping-pong's far end thinks: how far away it is).
 */

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "link/backoff.h"
#include "relay_ends.h"
#include "wire/frame.h"

#define PAIRS_MAX 24576
#define WRITE 16384
#define WRITES_PER_TURN 4
#define PING 64
#define PINGS_MAX 1000000

struct wish {
	struct relay_ends ends;
	const char *task, *cert, *key;
	unsigned via_pid; /* of the node that carries the viewers, or 0 */
	unsigned listen_port, pid, pairs, ping, line;
	double seconds, rate;
};

struct ping {
	struct relay_pair pair;
	const struct relay_ends *ends;
	atomic_int over, noting;
	unsigned line;
	int32_t *took_us;
	size_t count;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* CPU seconds of all threads of the relay so far. */
static double cpu_of(unsigned pid)
{
	char path[64], text[1024];
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *stat = fopen(path, "r");
	if (!stat || !fgets(text, sizeof(text), stat))
		relay_ends_fail("the relay is gone");
	fclose(stat);
	const char *rest = strrchr(text, ')');
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			     &user, &system) != 2)
		relay_ends_fail("/proc reads otherwise");
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long anon_kib(unsigned pid)
{
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	FILE *status = fopen(path, "r");
	if (!status)
		relay_ends_fail("the relay is gone");
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	}
	fclose(status);
	return kib;
}

/* The player must not wait for the load's CPU: it is the relay that is measured. */
static void go_first(void)
{
	struct sched_param first = {.sched_priority = 10};

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

static int read_whole(SSL *ssl, uint8_t *bytes, int len)
{
	for (int have = 0; have < len;) {
		int got = SSL_read(ssl, bytes + have, len - have);
		if (got <= 0)
			return 0;
		have += got;
	}
	return 1;
}

/* The next DATA frame; what else a node says meanwhile (PING, NOTICES) is passed over. */
static int read_ping(const struct relay_ends *ends, SSL *ssl, uint8_t *bytes)
{
	static _Thread_local uint8_t skipped[65536];

	if (ends->kind != RELAY_ENGAWA)
		return read_whole(ssl, bytes, PING);
	while (read_whole(ssl, bytes, RELAY_ENDS_HEADER)) {
		int len = bytes[1] << 16 | bytes[2] << 8 | bytes[3];
		int is_ping = bytes[0] == FRAME_DATA && len == PING - RELAY_ENDS_HEADER;
		if (len > (int)sizeof(skipped) ||
			!read_whole(ssl, is_ping ? bytes + RELAY_ENDS_HEADER : skipped,
				len))
			return 0;
		if (is_ping)
			return 1;
	}
	return 0;
}

static void *echo(void *ping_of)
{
	struct ping *ping = ping_of;
	uint8_t bytes[PING];

	go_first();
	while (read_ping(ping->ends, ping->pair.host.ssl, bytes)) {
		if (ping->line)
			usleep(ping->line * 1000);
		if (SSL_write(ping->pair.host.ssl, bytes, PING) != PING)
			break;
	}
	return NULL;
}

static void *play(void *ping_of)
{
	struct ping *ping = ping_of;
	uint8_t bytes[PING] = {0};

	go_first();
	relay_ends_head(ping->ends, bytes, PING);
	while (!ping->over && ping->count < PINGS_MAX) {
		double began = now();
		if (SSL_write(ping->pair.viewer.ssl, bytes, PING) != PING ||
			!read_ping(ping->ends, ping->pair.viewer.ssl, bytes))
			relay_ends_fail("the ping-pong pair was cut");
		if (ping->noting)
			ping->took_us[ping->count++] = (int32_t)((now() - began) * 1e6);
	}
	shutdown(ping->pair.viewer.fd, SHUT_RDWR);
	return NULL;
}

struct stream {
	struct relay_pair *pairs;
	struct pollfd *ready; /* pair i: [2i] its sender, [2i + 1] its receiver */
	unsigned count;
	uint8_t bytes[WRITE];
	double began, sent, received, rate;
};

static int may_send(const struct stream *stream)
{
	return stream->rate <= 0 ||
	       stream->sent < (now() - stream->began) * stream->rate * 1e6;
}

static void send_some(struct stream *stream, struct relay_end *end)
{
	for (int i = 0; i < WRITES_PER_TURN && may_send(stream); i++) {
		int sent = SSL_write(end->ssl, stream->bytes, WRITE);
		if (sent != WRITE) {
			if (SSL_get_error(end->ssl, sent) != SSL_ERROR_WANT_WRITE)
				relay_ends_fail("a stream was cut");
			return;
		}
		stream->sent += WRITE;
	}
}

static void take_some(struct stream *stream, const struct relay_end *end)
{
	ssize_t got = recv(end->fd, NULL, 4 << 20, MSG_TRUNC | MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN))
		relay_ends_fail("a stream was cut");
	if (got > 0)
		stream->received += (double)got * WRITE / (WRITE + 22);
}

static void turn(struct stream *stream)
{
	int sending = may_send(stream);

	for (unsigned i = 0; i < stream->count; i++)
		stream->ready[2 * i].events = sending ? POLLOUT : 0;
	poll(stream->ready, 2 * stream->count, 1);
	for (unsigned i = 0; i < stream->count; i++) {
		if (stream->ready[2 * i].revents & POLLOUT)
			send_some(stream, &stream->pairs[i].host);
		if (stream->ready[2 * i + 1].revents)
			take_some(stream, &stream->pairs[i].viewer);
	}
}

static void stream_for(struct stream *stream, double seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		if (stream->count)
			turn(stream);
		else
			usleep(20000);
	}
}

static void stream_open(struct stream *stream, struct wish *wish)
{
	RAND_bytes(stream->bytes, WRITE);
	relay_ends_head(&wish->ends, stream->bytes, WRITE);
	stream->rate = wish->rate;
	stream->count = wish->pairs;
	stream->pairs = calloc(wish->pairs + 1, sizeof(*stream->pairs));
	stream->ready = calloc(wish->pairs + 1, 2 * sizeof(*stream->ready));
	for (unsigned i = 0; i < wish->pairs; i++) {
		relay_ends_pair(&wish->ends, &stream->pairs[i]);
		fcntl(stream->pairs[i].host.fd, F_SETFL, O_NONBLOCK);
		stream->ready[2 * i] = (struct pollfd){.fd = stream->pairs[i].host.fd};
		stream->ready[2 * i + 1] = (struct pollfd){
			.fd = stream->pairs[i].viewer.fd, .events = POLLIN};
	}
	stream->began = now();
}

static int by_size(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static void print_pings(struct ping *ping)
{
	if (!ping->count)
		relay_ends_fail("no ping came back");
	qsort(ping->took_us, ping->count, sizeof(*ping->took_us), by_size);
	printf(", \"pings\": %zu, \"p50_us\": %d, \"p95_us\": %d, \"p99_us\": %d",
		ping->count, ping->took_us[ping->count / 2],
		ping->took_us[ping->count * 95 / 100],
		ping->took_us[ping->count * 99 / 100]);
}

static void load(struct wish *wish)
{
	static struct stream stream;
	struct ping ping = {.ends = &wish->ends, .line = wish->line};
	pthread_t players[2];

	stream_open(&stream, wish);
	if (wish->ping) {
		ping.took_us = calloc(PINGS_MAX, sizeof(*ping.took_us));
		relay_ends_pair(&wish->ends, &ping.pair);
		pthread_create(&players[0], NULL, echo, &ping);
		pthread_create(&players[1], NULL, play, &ping);
	}
	stream.began = now();
	stream.sent = 0;
	stream_for(&stream, 1);
	double cpu = cpu_of(wish->pid), began = now(), received = stream.received;
	double via_cpu = wish->via_pid ? cpu_of(wish->via_pid) : 0;
	ping.noting = 1;
	stream_for(&stream, wish->seconds);
	ping.noting = 0;
	double took = now() - began, gb = (stream.received - received) / 1e9;
	cpu = cpu_of(wish->pid) - cpu;
	printf("{\"seconds\": %.2f, \"gb\": %.4f, \"cpu_s\": %.3f", took, gb, cpu);
	if (wish->via_pid)
		printf(", \"via_cpu_s\": %.3f", cpu_of(wish->via_pid) - via_cpu);
	if (wish->ping) {
		ping.over = 1;
		stream_for(&stream, 0.3);
		print_pings(&ping);
	}
	printf("}\n");
}

static void quiet(struct wish *wish, int joined)
{
	static struct relay_pair pairs[PAIRS_MAX];
	unsigned before = wish->pairs / 10;
	long kib = 0;
	double cpu = 0;

	for (unsigned i = 0; i < wish->pairs + before; i++) {
		if (i == before) {
			sleep(1);
			kib = anon_kib(wish->pid);
			cpu = cpu_of(wish->pid);
		}
		if (wish->ends.kind == RELAY_ENGAWA && !joined)
			relay_ends_host(&wish->ends, &pairs[i].host);
		else
			relay_ends_pair(&wish->ends, &pairs[i]);
	}
	cpu = cpu_of(wish->pid) - cpu;
	sleep(2);
	kib = anon_kib(wish->pid) - kib;
	printf("{\"count\": %u, \"kib_each\": %.2f, \"cpu_ms_each\": %.3f}\n",
		wish->pairs, (double)kib / wish->pairs, cpu * 1000 / wish->pairs);
}

static void handshakes(struct wish *wish)
{
	unsigned count = 0;
	double end = now() + wish->seconds, cpu = cpu_of(wish->pid);

	for (; now() < end; count++)
		relay_ends_handshake(&wish->ends);
	usleep(200000);
	cpu = cpu_of(wish->pid) - cpu;
	printf("{\"count\": %u, \"cpu_ms_each\": %.3f, \"per_cpu_s\": %.0f}\n", count,
		cpu * 1000 / count, count / cpu);
}

struct guest {
	struct relay_ends ends;
	struct relay_end end;
	struct backoff backoff;
	pthread_t thread;
	double took;
	int tries;
	char line[RELAY_ENDS_LINE];
};

static double cut_at;
static pthread_mutex_t cut_lock = PTHREAD_MUTEX_INITIALIZER;

static int try_again(struct guest *guest)
{
	jmp_buf way_out;

	guest->end = (struct relay_end){.fd = -1};
	guest->tries++;
	if (setjmp(way_out)) {
		relay_ends_way_out = NULL;
		if (guest->end.ssl)
			relay_ends_close(&guest->end);
		return 0;
	}
	relay_ends_way_out = &way_out;
	relay_ends_host_of(&guest->ends, guest->line, &guest->end);
	relay_ends_way_out = NULL;
	return 1;
}

/* Answers PING, as a host that waits does, until it is cut. */
static void wait_for_cut(SSL *ssl)
{
	uint8_t head[RELAY_ENDS_HEADER], payload[16384];

	while (read_whole(ssl, head, sizeof(head))) {
		int len = head[1] << 16 | head[2] << 8 | head[3];
		if (len > (int)sizeof(payload) || !read_whole(ssl, payload, len))
			return;
		if (head[0] != FRAME_PING)
			continue;
		frame_header(head, FRAME_PONG, (uint32_t)len);
		if (SSL_write(ssl, head, sizeof(head)) <= 0 ||
			SSL_write(ssl, payload, len) <= 0)
			return;
	}
}

static void *come_back(void *guest_of)
{
	struct guest *guest = guest_of;

	wait_for_cut(guest->end.ssl);
	pthread_mutex_lock(&cut_lock);
	if (cut_at == 0)
		cut_at = now();
	pthread_mutex_unlock(&cut_lock);
	relay_ends_close(&guest->end);
	while (!try_again(guest))
		usleep((useconds_t)backoff_next_ms(&guest->backoff, BACKOFF_IDLE, 0) *
			1000);
	guest->took = now() - cut_at;
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	double left = ((const struct guest *)a)->took,
	       right = ((const struct guest *)b)->took;

	return (left > right) - (left < right);
}

static void come_and_go(struct wish *wish)
{
	struct guest *guests = calloc(wish->pairs, sizeof(*guests));
	pthread_attr_t small;
	unsigned tries = 0;

	signal(SIGPIPE, SIG_IGN); /* a node that goes while it is written to */
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 512 * 1024);
	for (unsigned i = 0; i < wish->pairs; i++) {
		guests[i].ends = wish->ends;
		guests[i].ends.connections = i;
		relay_ends_line(&wish->ends, guests[i].line);
		backoff_init(&guests[i].backoff, i + 1);
		relay_ends_host_of(&guests[i].ends, guests[i].line, &guests[i].end);
	}
	for (unsigned i = 0; i < wish->pairs; i++)
		if (pthread_create(&guests[i].thread, &small, come_back, &guests[i]))
			relay_ends_fail("no more threads");
	printf("ready\n");
	fflush(stdout);
	for (unsigned i = 0; i < wish->pairs; i++) {
		pthread_join(guests[i].thread, NULL);
		tries += (unsigned)guests[i].tries;
	}
	qsort(guests, wish->pairs, sizeof(*guests), by_time);
	printf("{\"count\": %u, \"p50_s\": %.2f, \"p95_s\": %.2f, \"all_s\": %.2f, "
	       "\"tries\": %u}\n",
		wish->pairs, guests[wish->pairs / 2].took,
		guests[wish->pairs * 95 / 100].took, guests[wish->pairs - 1].took, tries);
}

static void *drain(void *fd)
{
	while (recv(*(int *)fd, NULL, 4 << 20, MSG_TRUNC) > 0) {
	}
	return NULL;
}

static void *fill(void *fd)
{
	static uint8_t bytes[WRITE + 22];

	while (send(*(int *)fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0) {
	}
	return NULL;
}

static void tcp_pair(int ret[2])
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &len))
		relay_ends_fail("no loopback");
	ret[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(ret[0], (struct sockaddr *)&at, len))
		relay_ends_fail("no loopback");
	ret[1] = accept(listener, NULL, NULL);
	close(listener);
}

static void work_on(EVP_CIPHER_CTX *ctx, uint8_t *bytes, int seal)
{
	static const uint8_t nonce[12];
	uint8_t tag[16] = {0};
	int len = 0;

	EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, seal);
	EVP_CipherUpdate(ctx, NULL, &len, bytes, 5);
	EVP_CipherUpdate(ctx, bytes + 5, &len, bytes + 5, WRITE + 1);
	/* Opening checks a tag that is wrong here: the work is the same. */
	if (!seal)
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag);
	EVP_CipherFinal_ex(ctx, tag, &len);
	if (seal)
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag);
}

/* What no relay that opens and seals can go below. */
static void limit(double seconds)
{
	static uint8_t bytes[WRITE + 22], key[32];
	EVP_CIPHER_CTX *ctx[2] = {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new()};
	struct timespec cpu;
	int in[2], out[2];
	pthread_t threads[2];
	double gb = 0, end = now() + seconds;

	for (int i = 0; i < 2; i++)
		EVP_CipherInit_ex(ctx[i], EVP_aes_256_gcm(), NULL, key, NULL, i);
	tcp_pair(in);
	tcp_pair(out);
	pthread_create(&threads[0], NULL, fill, &in[0]);
	pthread_create(&threads[1], NULL, drain, &out[1]);
	while (now() < end) {
		if (recv(in[1], bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
			relay_ends_fail("no loopback");
		work_on(ctx[0], bytes, 0);
		work_on(ctx[1], bytes, 1);
		if (send(out[0], bytes, sizeof(bytes), 0) != sizeof(bytes))
			relay_ends_fail("no loopback");
		gb += WRITE / 1e9;
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	printf("{\"gb\": %.3f, \"cpu_s\": %.3f}\n", gb,
		(double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
}

static void take_word(struct wish *wish, const char *word)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value++ - word) : 0;

	if (!value)
		relay_ends_fail("%s: NAME=VALUE was expected", word);
#define NAME(name, action)                                                               \
	if (len == strlen(name) && !strncmp(word, name, len)) {                          \
		action;                                                                  \
		return;                                                                  \
	}
	NAME("port", wish->ends.port = (uint16_t)atoi(value))
	NAME("viewer-port", wish->ends.viewer_port = (uint16_t)atoi(value))
	NAME("via-pid", wish->via_pid = (unsigned)atoi(value))
	NAME("listen", wish->listen_port = (unsigned)atoi(value))
	NAME("listen-cert", wish->cert = value)
	NAME("listen-key", wish->key = value)
	NAME("licenses", wish->ends.licenses = fopen(value, "r"))
	NAME("pid", wish->pid = (unsigned)atoi(value))
	NAME("pairs", wish->pairs = (unsigned)atoi(value))
	NAME("line", wish->line = (unsigned)atoi(value))
	NAME("ping", wish->ping = (unsigned)atoi(value))
	NAME("seconds", wish->seconds = atof(value))
	NAME("rate", wish->rate = atof(value))
#undef NAME
	relay_ends_fail("%s: unknown", word);
}

static void listen_at(struct wish *wish)
{
	uint16_t port = wish->ends.port;

	wish->ends.port = (uint16_t)wish->listen_port;
	relay_ends_listen(&wish->ends, wish->cert, wish->key);
	wish->ends.port =
		wish->ends.kind == RELAY_DIRECT ? (uint16_t)wish->listen_port : port;
}

int main(int argc, char **argv)
{
	struct wish wish = {.seconds = 5, .pid = (unsigned)getpid()};

	if (argc < 3)
		return 64;
	for (int i = 3; i < argc; i++)
		take_word(&wish, argv[i]);
	if (wish.pairs > PAIRS_MAX / 2)
		relay_ends_fail("at most %d pairs", PAIRS_MAX / 2);
	wish.task = argv[2];
	if (!strcmp(argv[1], "limit")) {
		limit(wish.seconds);
		return 0;
	}
	wish.ends.kind = !strcmp(argv[1], "engawa") ? RELAY_ENGAWA
			 : !strcmp(argv[1], "tls")  ? RELAY_TLS
						    : RELAY_DIRECT;
	if (wish.ends.kind != RELAY_ENGAWA)
		listen_at(&wish);
	if (!strcmp(wish.task, "load"))
		load(&wish);
	else if (!strcmp(wish.task, "return"))
		come_and_go(&wish);
	else if (!strcmp(wish.task, "handshakes"))
		handshakes(&wish);
	else
		quiet(&wish, !strcmp(wish.task, "pairs"));
	return 0;
}
