/* relay_load: what it costs to carry sealed bytes from hosts to viewers.
 *
 *   relay_load [--pairs N] [--seconds S] [--record BYTES] [--rate BYTES/S] [--workers N]
 *       starts the relay in a child process (memory store, everybody admitted), joins N pairs, lets
 *       every host send as fast as it can (or at --rate), and prints the child's CPU seconds per GB,
 *       the throughput, the round trip of 64 bytes on one more pair beside it, and the memory.
 *   relay_load --proxy PORT --backend PORT --pid PID [the same]
 *       the same bytes through another TLS-to-TLS proxy, for comparison: hosts connect to PORT, where
 *       PID listens; it connects by TLS to 127.0.0.1:BACKEND, where relay_load accepts for it. The
 *       round trip is that of the proxy then, with plain 64-byte messages instead of frames.
 *       HAProxy: global nbthread 1; defaults mode tcp, timeouts 1m; frontend: bind 127.0.0.1:PORT ssl
 *       crt FILE ssl-min-ver TLSv1.3; backend: server b 127.0.0.1:BACKEND ssl verify none. FILE is
 *       printed by relay_load at its start (RELAY_LOAD_PEM).
 *   relay_load --idle N
 *       N welcome hosts that do nothing: memory of the relay per host.
 *
 * CPU is that of the process that carries, all threads, user and system, from /proc/PID/stat. Compare
 * ratios, from runs beside each other on one machine, and take medians.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "fakes/fake_admission.h"
#include "fakes/fake_end.h"
#include "fakes/test_cert.h"
#include "relay/relay.h"
#include "store/store_open.h"
#include "wire/frame.h"

#define PAIRS_MAX 256
#define ROUND_TRIPS_MAX 200000

struct options {
	long pairs, seconds, record, rate, workers, proxy, backend, pid, idle;
};

static const struct args_option table[] = {
	{"--pairs", "N", ARGS_LONG, offsetof(struct options, pairs),
		"pairs that carry (1)"},
	{"--seconds", "S", ARGS_LONG, offsetof(struct options, seconds), "how long (5)"},
	{"--record", "BYTES", ARGS_LONG, offsetof(struct options, record),
		"payload of a DATA frame (16380)"},
	{"--rate", "BYTES", ARGS_LONG, offsetof(struct options, rate),
		"per pair and second, 0: as fast as it goes"},
	{"--workers", "N", ARGS_LONG, offsetof(struct options, workers),
		"of the relay (1)"},
	{"--proxy", "PORT", ARGS_LONG, offsetof(struct options, proxy), "another proxy"},
	{"--backend", "PORT", ARGS_LONG, offsetof(struct options, backend),
		"where it connects"},
	{"--pid", "PID", ARGS_LONG, offsetof(struct options, pid), "its process"},
	{"--idle", "N", ARGS_LONG, offsetof(struct options, idle),
		"hosts that do nothing"},
	{0}};

struct pair {
	struct fake_end host, viewer; /* until they are joined */
	SSL *from, *to;               /* then blocking, by threads */
	uint64_t carried;
	pthread_t reader, writer;
	struct options *options;
};

static atomic_int over;
static struct test_cert cert;

/* ---- the relay, in a child --------------------------------------------------------------- */

static pid_t start_relay(const struct options *options, uint16_t *ret_port)
{
	int pipes[2];
	CHECK(!pipe(pipes));
	pid_t pid = fork();
	if (pid) {
		close(pipes[1]);
		CHECK(read(pipes[0], ret_port, sizeof(*ret_port)) == sizeof(*ret_port));
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	static const char *const listen[] = {"127.0.0.1:0"};
	char error[RELAY_ERROR];
	struct relay_settings settings;
	struct store *store;
	struct relay *relay;
	relay_settings_default(&settings);
	settings.strangers_per_address = settings.strangers = 100000;
	settings.accepts_per_address = 1000000;
	log_open("relay", 2, LOG_TEXT, LOG_WARN);
	fake_admission_reset();
	CHECK(!store_open("memory:", "n1", &store, error));
	struct relay_parts parts = {.store = store,
		.node = "n1",
		.cert_file = cert.cert,
		.key_file = cert.key,
		.listen = listen,
		.listen_count = 1,
		.workers = (size_t)options->workers,
		.settings = &settings};
	CHECK(!relay_new(&parts, &relay, error) && !relay_start(relay));
	uint16_t port = (uint16_t)atoi(strrchr(relay_endpoint(relay, 0), ':') + 1);
	CHECK(write(pipes[1], &port, sizeof(port)) == sizeof(port));
	for (;;)
		pause();
}

static double cpu_seconds(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	CHECK(file);
	CHECK(fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		      &user, &system) == 2);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long resident_kib(pid_t pid)
{
	char path[64];
	long pages = 0, resident = 0;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *file = fopen(path, "r");
	CHECK(file && fscanf(file, "%ld %ld", &pages, &resident) == 2);
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- joining ----------------------------------------------------------------------------- */

static void sign_in(struct fake_end *end, enum hello_side side, long number,
	uint16_t port)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char license[17] = "lic_000000000";
	for (int i = 12; i >= 4; i--, number /= 32)
		license[i] = digits[number % 32];
	fake_end_init(end, side, license, side == HELLO_HOST ? 1 : 2);
	fake_end_on_tls(end, port);
	fake_end_hello(end);
	while (!end->challenged)
		fake_end_pump(end);
	fake_end_prove(end, "x");
	while (!end->welcomed)
		fake_end_pump(end);
}

static void make_blocking(struct fake_end *end)
{
	int flags = fcntl(end->tls.fd, F_GETFL);
	fcntl(end->tls.fd, F_SETFL, flags & ~O_NONBLOCK);
	SSL_clear_mode(end->tls.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
}

static void join(struct pair *pair, long number, uint16_t port)
{
	sign_in(&pair->host, HELLO_HOST, number, port);
	sign_in(&pair->viewer, HELLO_VIEWER, number, port);
	fake_end_connect(&pair->viewer, NULL);
	while (!pair->viewer.opens || !pair->host.opens) {
		fake_end_pump(&pair->viewer);
		fake_end_pump(&pair->host);
	}
	make_blocking(&pair->host);
	make_blocking(&pair->viewer);
	pair->from = pair->host.tls.ssl;
	pair->to = pair->viewer.tls.ssl;
}

static int listen_at(long port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 64));
	return fd;
}

/* Through the other proxy: one connection in, the one that it makes for it out. */
static void join_proxy(struct pair *pair, const struct options *options, int listening)
{
	static SSL_CTX *ctx;
	int one = 1;
	if (!ctx) {
		ctx = SSL_CTX_new(TLS_server_method());
		CHECK(SSL_CTX_use_certificate_chain_file(ctx, cert.cert) == 1);
		CHECK(SSL_CTX_use_PrivateKey_file(ctx, cert.key, SSL_FILETYPE_PEM) == 1);
	}
	fake_end_init(&pair->host, HELLO_HOST, "lic_000000000", 1);
	tls_end_dial(&pair->host.tls, (uint16_t)options->proxy, NULL);
	int fd = -1;
	pair->to = NULL;
	while (!pair->host.tls.ready || !pair->to) {
		tls_end_pump(&pair->host.tls);
		if (!pair->host.tls.ready || pair->to)
			continue;
		fd = accept(listening, NULL, NULL);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pair->to = SSL_new(ctx);
		SSL_set_fd(pair->to, fd);
		CHECK(SSL_accept(pair->to) == 1);
	}
	make_blocking(&pair->host);
	pair->from = pair->host.tls.ssl;
}

/* ---- carrying ---------------------------------------------------------------------------- */

static void *write_on(void *ctx)
{
	struct pair *pair = ctx;
	size_t size = FRAME_HEADER + (size_t)pair->options->record;
	uint8_t *frame = calloc(1, size);
	int64_t begin_us = clock_mono_us();
	uint64_t sent = 0;
	frame_header(frame, FRAME_DATA, (uint32_t)pair->options->record);
	while (!atomic_load(&over) && SSL_write(pair->from, frame, (int)size) > 0) {
		sent += size;
		if (!pair->options->rate)
			continue;
		int64_t ahead_us =
			(int64_t)(sent * 1000000 / (uint64_t)pair->options->rate) -
			(clock_mono_us() - begin_us);
		if (ahead_us > 0)
			usleep((useconds_t)ahead_us);
	}
	free(frame);
	return NULL;
}

static void *read_on(void *ctx)
{
	struct pair *pair = ctx;
	uint8_t bytes[16384];
	int got;
	while ((got = SSL_read(pair->to, bytes, sizeof(bytes))) > 0)
		__atomic_fetch_add(&pair->carried, (uint64_t)got, __ATOMIC_RELAXED);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

static int read_exactly(SSL *ssl, uint8_t *bytes, int len)
{
	for (int got, at = 0; at < len; at += got)
		if ((got = SSL_read(ssl, bytes + at, len - at)) <= 0)
			return 0;
	return 1;
}

/* 64 bytes there and back, one after the other, beside the bulk. */
static void ping_pong(struct pair *pair, int64_t until_ms)
{
	static int64_t times[ROUND_TRIPS_MAX];
	uint8_t frame[FRAME_HEADER + 64] = {0}, back[FRAME_HEADER + 64];
	int count = 0, size = (int)sizeof(frame);
	frame_header(frame, FRAME_DATA, 64);
	while (clock_mono_ms() < until_ms && count < ROUND_TRIPS_MAX) {
		int64_t begin_us = clock_mono_us();
		if (SSL_write(pair->from, frame, size) != size ||
			!read_exactly(pair->to, back, size) ||
			SSL_write(pair->to, back, size) != size ||
			!read_exactly(pair->from, back, size))
			break;
		times[count++] = clock_mono_us() - begin_us;
		usleep(2000);
	}
	CHECK(count > 0);
	qsort(times, (size_t)count, sizeof(times[0]), compare);
	printf("round trip of 64 bytes: p50 %lld us, p99 %lld us (%d)\n",
		(long long)times[count / 2], (long long)times[count * 99 / 100], count);
}

static uint64_t carried(const struct pair *pairs, long count)
{
	uint64_t sum = 0;
	for (long i = 0; i < count; i++)
		sum += __atomic_load_n(&pairs[i].carried, __ATOMIC_RELAXED);
	return sum;
}

static void carry(struct options *options, struct pair *pairs, pid_t pid)
{
	struct pair *small = &pairs[options->pairs];
	for (long i = 0; i < options->pairs; i++) {
		pairs[i].options = options;
		CHECK(!pthread_create(&pairs[i].reader, NULL, read_on, &pairs[i]));
		CHECK(!pthread_create(&pairs[i].writer, NULL, write_on, &pairs[i]));
	}
	sleep(1); /* windows grow */
	double cpu = cpu_seconds(pid);
	uint64_t bytes = carried(pairs, options->pairs);
	int64_t begin_ms = clock_mono_ms();
	ping_pong(small, begin_ms + options->seconds * 1000);
	cpu = cpu_seconds(pid) - cpu;
	bytes = carried(pairs, options->pairs) - bytes;
	double seconds = (double)(clock_mono_ms() - begin_ms) / 1000;
	printf("%ld pairs: %.2f GB in %.1f s, %.0f MB/s, CPU %.2f s: %.2f s/GB, resident "
	       "%ld KiB\n",
		options->pairs, (double)bytes / 1e9, seconds,
		(double)bytes / 1e6 / seconds, cpu,
		bytes ? cpu / ((double)bytes / 1e9) : 0, resident_kib(pid));
	if (options->rate)
		printf("CPU us per session-second: %.0f\n",
			cpu * 1e6 / seconds / (double)options->pairs);
	atomic_store(&over, 1);
}

static void rest(const struct options *options, pid_t pid, uint16_t port)
{
	struct fake_end *ends = calloc((size_t)options->idle, sizeof(*ends));
	sleep(1);
	long before = resident_kib(pid);
	double cpu = cpu_seconds(pid);
	for (long i = 0; i < options->idle; i++)
		sign_in(&ends[i], HELLO_HOST, i, port);
	cpu = cpu_seconds(pid) - cpu;
	sleep(1);
	printf("%ld idle hosts: %.1f KiB each, sign-in CPU %.2f ms each\n", options->idle,
		(double)(resident_kib(pid) - before) / (double)options->idle,
		cpu * 1000 / (double)options->idle);
}

static void write_pem(char *ret, size_t size)
{
	char text[8192];
	snprintf(ret, size, "%s/both.pem", cert.directory);
	FILE *out = fopen(ret, "w");
	const char *parts[] = {cert.cert, cert.key};
	CHECK(out);
	for (int i = 0; i < 2; i++) {
		FILE *in = fopen(parts[i], "r");
		CHECK(in);
		fwrite(text, 1, fread(text, 1, sizeof(text), in), out);
		fclose(in);
	}
	fclose(out);
}

int main(int argc, char **argv)
{
	static struct pair pairs[PAIRS_MAX + 1];
	struct options options = {1, 5, 16380, 0, 1, 0, 0, 0, 0};
	char error[ARGS_ERROR], pem[128];
	int left;
	if (args_parse(table, &options, argc, argv, 0, &left, error) ||
		options.pairs > PAIRS_MAX) {
		fprintf(stderr, "%s\n", error);
		args_help(table, stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files = {65536, 65536};
	setrlimit(RLIMIT_NOFILE, &files);
	test_cert_new(&cert, 1);
	write_pem(pem, sizeof(pem));
	uint16_t port = 0;
	pid_t pid = (pid_t)options.pid;
	if (options.proxy) {
		int listening = listen_at(options.backend);
		printf("RELAY_LOAD_PEM %s\n", pem);
		fflush(stdout);
		CHECK(options.pid ||
			scanf("%d", &pid) == 1); /* started after we listen */
		for (long i = 0; i <= options.pairs; i++)
			join_proxy(&pairs[i], &options, listening);
	} else {
		pid = start_relay(&options, &port);
		for (long i = 0; !options.idle && i <= options.pairs; i++)
			join(&pairs[i], i, port);
	}
	if (options.idle)
		rest(&options, pid, port);
	else
		carry(&options, pairs, pid);
	if (!options.proxy)
		kill(pid, SIGKILL);
	unlink(pem);
	test_cert_done(&cert);
	fflush(stdout);
	_exit(0); /* the threads block in their connections */
}
