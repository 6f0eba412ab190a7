#include "fake_gateway.h"

#include <event2/event.h>
#include <signal.h>

#include "e2e/identity.h"
#include "link/uplink.h"

#define GOOD_SAN "DNS:localhost,IP:127.0.0.1,IP:::1"
#define YEAR (86400 * 365L)

static struct fake_ca ca, other_ca;
static struct identity *identity;
static char dir[] = "/tmp/engawa-uplink-XXXXXX";

struct watch {
	struct event_base *base;
	struct uplink *uplink;
	int welcome, down, open, closed, data, rooms;
	size_t data_bytes;
	struct uplink_down why;
	struct message_welcome greeting;
	int stop_at_welcome, stop_at_open;
};

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct watch *watch = ctx;
	watch->welcome++;
	watch->greeting = *welcome;
	if (watch->stop_at_welcome)
		event_base_loopbreak(watch->base);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct watch *watch = ctx;
	watch->down++;
	watch->why = *down;
	event_base_loopbreak(watch->base);
}

static void on_open(void *ctx, const struct message_open *open)
{
	struct watch *watch = ctx;
	watch->open++;
	assert_int_equal(open->fence, 5);
	if (watch->stop_at_open)
		event_base_loopbreak(watch->base);
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct watch *watch = ctx;
	watch->data++;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(record[i], (uint8_t)(watch->data_bytes + i));
	memset(record, 0, len); /* it may be opened where it lies */
	watch->data_bytes += len;
	event_base_loopbreak(watch->base);
}

static void on_room(void *ctx)
{
	struct watch *watch = ctx;
	watch->rooms++;
	event_base_loopbreak(watch->base);
}

static const struct uplink_events EVENTS = {
	.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.room = on_room,
};

static const uint8_t SECRET[LICENSE_KEY_SECRET] = "0123456789";

static void give_up(int signal)
{
	(void)signal;
	static const char text[] = "the test hangs\n";
	(void)!write(2, text, sizeof(text) - 1);
	_exit(99);
}

static struct uplink_config config_of(const struct text_endpoint *gateways, size_t count)
{
	return (struct uplink_config){
		.gateways = gateways,
		.gateway_count = count,
		.ca_file = ca.file,
		.proxy = "",
		.side = HELLO_VIEWER,
		.license = "7K3QX09FA",
		.secret = SECRET,
		.identity = identity,
		.program = "test 1",
		.name = "laptop",
		.password = "password",
	};
}

static void begin(struct watch *watch, const struct uplink_config *config)
{
	*watch = (struct watch){.base = event_base_new()};
	watch->stop_at_welcome = 1;
	assert_int_equal(uplink_new(&watch->uplink, watch->base, config, &EVENTS, watch),
		0);
	assert_int_equal(uplink_start(watch->uplink), 0);
	assert_int_equal(watch->down, 0);
}

static void finish(struct watch *watch)
{
	watch->uplink = uplink_free(watch->uplink);
	event_base_loop(watch->base, EVLOOP_NONBLOCK);
	event_base_free(watch->base);
}

static struct text_endpoint endpoint(const char *host, uint16_t port)
{
	struct text_endpoint ret = {.port = port};
	strcpy(ret.host, host);
	return ret;
}

static void attempt(struct watch *watch, const struct uplink_config *config)
{
	begin(watch, config);
	event_base_dispatch(watch->base);
}

static void one(struct watch *watch, struct fake_gateway *gateway, const char *host)
{
	struct text_endpoint at = endpoint(host, gateway->port);
	struct uplink_config config = config_of(&at, 1);
	attempt(watch, &config);
}

static uint16_t unused_port(void)
{
	int fd;
	uint16_t port = fake_listen(AF_INET, &fd);
	close(fd);
	return port;
}

static void welcome_open_data_and_out(void **state UNUSED)
{
	struct fake_gateway gateway = {.echo = 1};
	struct watch watch;
	struct message_connect connect = {.purpose = 1, .psk_kind = 2};
	uint8_t *place;
	fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	one(&watch, &gateway, "127.0.0.1");
	assert_int_equal(watch.welcome, 1);
	assert_string_equal(watch.greeting.holder, "Sato");
	assert_int_equal(gateway.proofs_good, 1);
	assert_int_equal(uplink_carrier.reserve(watch.uplink, 16, &place),
		-REASON_LEG_CLOSED);
	watch.stop_at_open = 1;
	assert_int_equal(uplink_connect(watch.uplink, &connect), 0);
	assert_int_equal(uplink_connect(watch.uplink, &connect), -REASON_PROTOCOL);
	event_base_dispatch(watch.base);
	assert_int_equal(watch.open, 1);
	size_t sent = 0;
	for (size_t len = 16; len <= 65535; len = len * 3 + 1) {
		assert_int_equal(uplink_carrier.reserve(watch.uplink, len, &place), 0);
		for (size_t i = 0; i < len; i++)
			place[i] = (uint8_t)(sent + i);
		uplink_carrier.commit(watch.uplink, len);
		sent += len;
	}
	while (watch.data_bytes < sent && !watch.down)
		event_base_dispatch(watch.base);
	assert_int_equal(watch.data_bytes, sent);
	uplink_close(watch.uplink, REASON_VIEWER_LEFT, NULL);
	struct message_receipt receipt = {.fence = 5};
	assert_int_equal(uplink_receipt(watch.uplink, &receipt), 0);
	uplink_leave(watch.uplink, REASON_VIEWER_LEFT);
	event_base_dispatch(watch.base);
	assert_int_equal(watch.down, 1);
	assert_int_equal(watch.why.reason, REASON_VIEWER_LEFT);
	finish(&watch);
	for (int i = 0; i < 200 && gateway.closes < 2; i++)
		usleep(10000);
	fake_stop(&gateway);
	assert_int_equal(gateway.closes, 2);
	assert_int_equal(gateway.receipts, 1);
}

static void certificates_are_judged(void **state UNUSED)
{
	static const struct {
		const char *san, *host;
		long from_s, until_s;
		int64_t clock_ms;
		int wrong_ca, reason;
	} cases[] = {
		{GOOD_SAN, "127.0.0.1", -YEAR, YEAR, 0, 1, REASON_TLS_UNTRUSTED},
		{"DNS:other.example", "127.0.0.1", -YEAR, YEAR, 0, 0, REASON_TLS_NAME},
		{"DNS:other.example,IP:192.0.2.1", "localhost", -YEAR, YEAR, 0, 0,
			REASON_TLS_NAME},
		/* The node agrees with our clock: the certificate is what is old. */
		{GOOD_SAN, "127.0.0.1", -YEAR, -86400, 0, 0, REASON_TLS_UNTRUSTED},
		{GOOD_SAN, "127.0.0.1", 86400, YEAR, 0, 0, REASON_TLS_UNTRUSTED},
		/* The node's clock says otherwise: ours is off. */
		{GOOD_SAN, "127.0.0.1", -YEAR, -86400, -3 * 86400000L, 0,
			REASON_CLOCK_OFF},
		{GOOD_SAN, "127.0.0.1", 86400, YEAR, 3 * 86400000L, 0, REASON_CLOCK_OFF},
		/* A wrong name stays a wrong name, whatever the date. */
		{"DNS:other.example", "127.0.0.1", -YEAR, -86400, -3 * 86400000L, 0,
			REASON_TLS_NAME},
		{GOOD_SAN, "127.0.0.1", -YEAR, -86400, -3 * 86400000L, 1,
			REASON_TLS_UNTRUSTED},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_gateway gateway = {.clock_ms = cases[i].clock_ms};
		struct watch watch;
		fake_start(&gateway, cases[i].wrong_ca ? &other_ca : &ca, cases[i].san,
			cases[i].from_s, cases[i].until_s, AF_INET);
		one(&watch, &gateway, cases[i].host);
		fake_stop(&gateway);
		assert_int_equal(watch.down, 1);
		assert_string_equal(reason_symbol(watch.why.reason),
			reason_symbol(cases[i].reason));
		assert_int_equal(gateway.proves, 0); /* no secret was said */
		assert_true(strstr(watch.why.detail, cases[i].host) == watch.why.detail);
		finish(&watch);
	}
}

static void refusals_come_through(void **state UNUSED)
{
	const int reasons[] = {REASON_LICENSE_DISABLED, REASON_PASSWORD_WRONG,
		REASON_LOCKED_OUT, REASON_BUSY, REASON_STORE_UNAVAILABLE,
		REASON_TOTP_WRONG};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct fake_gateway gateway = {
			.mood = FAKE_REFUSES, .reason = reasons[i]};
		struct watch watch;
		gateway.clock_ms = reasons[i] == REASON_TOTP_WRONG ? 90000 : 0;
		fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
		one(&watch, &gateway, "localhost");
		fake_stop(&gateway);
		assert_int_equal(watch.why.reason, reasons[i]);
		assert_int_equal(watch.why.told, 1);
		assert_int_equal(watch.why.retry_ms, 1500);
		if (reasons[i] == REASON_TOTP_WRONG) {
			/* Whose clock is wrong nobody here knows: both are told. */
			assert_non_null(strstr(watch.why.detail,
				"this machine's clock says 20"));
			assert_non_null(strstr(watch.why.detail, ", the gateway's 20"));
			assert_non_null(strstr(watch.why.detail, ": it is 1 min behind"));
		} else {
			assert_string_equal(watch.why.detail, "as the test wants");
		}
		finish(&watch);
	}
}

static void a_dead_gateway_costs_little(void **state UNUSED)
{
	struct fake_gateway gateway = {0};
	struct watch watch;
	fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	struct text_endpoint at[] = {endpoint("127.0.0.1", unused_port()),
		endpoint("no-such-host.invalid", 7443),
		endpoint("127.0.0.1", gateway.port)};
	struct uplink_config config = config_of(at, 3);
	attempt(&watch, &config);
	assert_int_equal(watch.welcome, 1);
	assert_int_equal(uplink_gateway(watch.uplink, NULL), 2);
	finish(&watch);
	fake_stop(&gateway);
}

static void the_most_telling_reason_wins(void **state UNUSED)
{
	struct fake_gateway busy = {.mood = FAKE_REFUSES, .reason = REASON_BUSY};
	struct fake_gateway foreign = {0};
	struct watch watch;
	fake_start(&busy, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	fake_start(&foreign, &other_ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	struct text_endpoint at[] = {endpoint("127.0.0.1", unused_port()),
		endpoint("127.0.0.1", foreign.port), endpoint("127.0.0.1", busy.port)};
	struct uplink_config config = config_of(at, 3);
	attempt(&watch, &config);
	assert_int_equal(watch.why.reason, REASON_BUSY);
	assert_int_equal(watch.why.gateway, 2);
	finish(&watch);
	config.gateway_count = 2;
	attempt(&watch, &config);
	assert_int_equal(watch.why.reason, REASON_TLS_UNTRUSTED);
	finish(&watch);
	config.gateway_count = 1;
	attempt(&watch, &config);
	assert_int_equal(watch.why.reason, REASON_GATEWAY_UNREACHABLE);
	assert_non_null(strstr(watch.why.detail, "connection refused"));
	finish(&watch);
	struct text_endpoint nowhere = endpoint("no-such-host.invalid", 7443);
	config = config_of(&nowhere, 1);
	attempt(&watch, &config);
	assert_int_equal(watch.why.reason, REASON_GATEWAY_UNREACHABLE);
	assert_non_null(strstr(watch.why.detail, "no-such-host.invalid:7443: name"));
	finish(&watch);
	fake_stop(&busy);
	fake_stop(&foreign);
}

static void a_personal_refusal_ends_the_attempt(void **state UNUSED)
{
	struct fake_gateway refuses = {
		.mood = FAKE_REFUSES, .reason = REASON_PASSWORD_WRONG};
	struct fake_gateway good = {0};
	struct watch watch;
	fake_start(&refuses, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	fake_start(&good, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	struct text_endpoint at[] = {
		endpoint("127.0.0.1", refuses.port), endpoint("127.0.0.1", good.port)};
	struct uplink_config config = config_of(at, 2);
	attempt(&watch, &config);
	assert_int_equal(watch.why.reason, REASON_PASSWORD_WRONG);
	finish(&watch);
	/* But a full node is not the last word. */
	atomic_store(&refuses.reason, REASON_DRAINING);
	attempt(&watch, &config);
	assert_int_equal(watch.welcome, 1);
	finish(&watch);
	fake_stop(&refuses);
	fake_stop(&good);
	assert_int_equal(good.legs, 1);
}

static void a_redirect_is_followed(void **state UNUSED)
{
	struct fake_gateway first = {
		.mood = FAKE_REDIRECTS, .reason = REASON_HOST_OFFLINE};
	struct fake_gateway second = {0};
	struct watch watch;
	fake_start(&first, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	fake_start(&second, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	atomic_store(&first.redirect, second.port);
	one(&watch, &first, "127.0.0.1");
	const char *text;
	char expected[32];
	snprintf(expected, sizeof(expected), "localhost:%u", second.port);
	assert_int_equal(watch.welcome, 1);
	assert_int_equal(uplink_gateway(watch.uplink, &text), 0);
	assert_string_equal(text, expected);
	finish(&watch);
	/* In a circle: after three the refusal counts. */
	atomic_store(&first.redirect, first.port);
	one(&watch, &first, "127.0.0.1");
	assert_int_equal(watch.why.reason, REASON_HOST_OFFLINE);
	finish(&watch);
	fake_stop(&first);
	fake_stop(&second);
	assert_int_equal(first.legs, 5);
	assert_string_equal(second.join, "join-token");
}

/* What the last leg brought; it is forgotten then. */
static void assert_heard(struct fake_gateway *gateway, const char *unreached,
	const char *join)
{
	char heard[sizeof(gateway->unreached)], token[sizeof(gateway->join)];
	pthread_mutex_lock(&fake_words);
	strcpy(heard, gateway->unreached);
	strcpy(token, gateway->join);
	*gateway->unreached = *gateway->join = 0;
	pthread_mutex_unlock(&fake_words);
	assert_string_equal(heard, unreached);
	assert_string_equal(token, join);
}

/* The node that it was sent to is away or full: back to the first, which hears that and gets its token again;
 * what that one says then counts. */
static void a_redirect_in_vain_is_told_to_who_said_it(void **state UNUSED)
{
	struct fake_gateway first = {
		.mood = FAKE_REDIRECTS_ONCE, .reason = REASON_HOST_ELSEWHERE};
	struct fake_gateway second = {.mood = FAKE_REFUSES, .reason = REASON_DRAINING};
	struct watch watch;
	char expected[32];
	fake_start(&first, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	fake_start(&second, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	atomic_store(&first.redirect, second.port);
	snprintf(expected, sizeof(expected), "localhost:%u", second.port);
	one(&watch, &first, "127.0.0.1");
	assert_int_equal(watch.welcome, 1);
	assert_heard(&first, expected, "join-token");
	finish(&watch);
	/* Nobody listens there any more. */
	fake_stop(&second);
	one(&watch, &first, "127.0.0.1");
	assert_int_equal(watch.welcome, 1);
	assert_heard(&first, expected, "join-token");
	finish(&watch);
	fake_stop(&first);
	assert_int_equal(first.legs, 4);
	assert_int_equal(second.legs, 1);
}

static void what_is_no_gateway_is_named(void **state UNUSED)
{
	struct fake_gateway plain = {.mood = FAKE_NO_TLS};
	struct fake_gateway wrong = {.mood = FAKE_WRONG_STATE};
	struct watch watch;
	fake_start(&plain, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	fake_start(&wrong, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	one(&watch, &plain, "127.0.0.1");
	assert_int_equal(watch.why.reason, REASON_TLS_FAILED);
	finish(&watch);
	one(&watch, &wrong, "127.0.0.1");
	assert_int_equal(watch.why.reason, REASON_PROTOCOL);
	finish(&watch);
	fake_stop(&plain);
	fake_stop(&wrong);
}

static void cut_anywhere_is_told(void **state UNUSED)
{
	for (long cut = 0; cut < 420; cut += cut < 16 ? 1 : 37) {
		struct fake_gateway gateway = {.mood = FAKE_CUTS, .cut = cut};
		struct message_connect connect = {.purpose = 1, .psk_kind = 2};
		struct watch watch;
		fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
		one(&watch, &gateway, "127.0.0.1");
		watch.stop_at_open = 1;
		if (watch.welcome) {
			assert_int_equal(uplink_connect(watch.uplink, &connect), 0);
			while (!watch.down && !watch.open)
				event_base_dispatch(watch.base);
		}
		assert_true(watch.down || watch.open);
		if (watch.down)
			assert_int_equal(watch.why.reason, REASON_PEER_LOST);
		finish(&watch);
		fake_stop(&gateway);
	}
}

static void ipv6_works(void **state UNUSED)
{
	struct fake_gateway gateway = {0};
	struct watch watch;
	if (!fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET6))
		skip();
	one(&watch, &gateway, "::1");
	assert_int_equal(watch.welcome, 1);
	finish(&watch);
	fake_stop(&gateway);
}

static void keepalive_both_ways(void **state UNUSED)
{
	struct fake_gateway gateway = {.keepalive_ms = 60};
	struct watch watch;
	fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	one(&watch, &gateway, "127.0.0.1");
	for (int i = 0; i < 3000 && !uplink_rtt_us(watch.uplink) && !watch.down; i++)
		event_base_loop(watch.base, EVLOOP_ONCE);
	assert_int_equal(watch.down, 0);
	assert_true(uplink_rtt_us(watch.uplink) > 0);
	finish(&watch);
	fake_stop(&gateway);
	assert_true(gateway.pings > 0);
}

static void a_slow_line_says_when_there_is_room(void **state UNUSED)
{
	struct fake_gateway gateway = {.slow = 1};
	struct message_connect connect = {.purpose = 1, .psk_kind = 2};
	struct watch watch;
	uint8_t *place;
	fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	one(&watch, &gateway, "127.0.0.1");
	assert_int_equal(uplink_connect(watch.uplink, &connect), 0);
	watch.stop_at_open = 1;
	event_base_dispatch(watch.base);
	size_t sent = 0, frames = 0;
	while (uplink_carrier.queued(watch.uplink) < CARRIER_FULL) {
		assert_int_equal(uplink_carrier.reserve(watch.uplink, 16384, &place), 0);
		memset(place, 1, 16384);
		uplink_carrier.commit(watch.uplink, 16384);
		sent += 16384;
		frames++;
		event_base_loop(watch.base, EVLOOP_NONBLOCK);
	}
	while (!watch.rooms && !watch.down)
		event_base_dispatch(watch.base);
	assert_int_equal(watch.rooms, 1);
	assert_true(uplink_queued(watch.uplink) < CARRIER_LOW);
	for (int i = 0; i < 500 && gateway.data_frames < (int)frames; i++) {
		event_base_loop(watch.base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	finish(&watch);
	fake_stop(&gateway);
	assert_int_equal(gateway.data_bytes, sent);
}

/* A proxy that asks for a password and then passes bytes on. */
struct fake_proxy {
	int listener;
	uint16_t port;
	int status;
	char request[1024];
	pthread_t thread;
};

static void proxy_pass(int from, int to)
{
	struct pollfd fds[2] = {{from, POLLIN, 0}, {to, POLLIN, 0}};
	char bytes[4096];
	while (poll(fds, 2, 3000) > 0) {
		for (int i = 0; i < 2; i++) {
			if (!fds[i].revents)
				continue;
			ssize_t got = read(fds[i].fd, bytes, sizeof(bytes));
			if (got <= 0 || write(fds[!i].fd, bytes, (size_t)got) != got)
				return;
		}
	}
}

static void *proxy_run(void *arg)
{
	struct fake_proxy *proxy = arg;
	char answer[64];
	unsigned port = 0;
	int fd = accept(proxy->listener, NULL, NULL);
	ssize_t got = read(fd, proxy->request, sizeof(proxy->request) - 1);
	proxy->request[got > 0 ? got : 0] = 0;
	int len = snprintf(answer, sizeof(answer), "HTTP/1.1 %d Whatever\r\nX: y\r\n\r\n",
		proxy->status);
	/* In two pieces: an answer may be torn anywhere. */
	(void)!write(fd, answer, 9);
	usleep(20000);
	(void)!write(fd, answer + 9, (size_t)len - 9);
	if (proxy->status == 200 &&
		sscanf(proxy->request, "CONNECT localhost:%u ", &port) == 1) {
		struct sockaddr_in to = {
			.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		int out = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(out, (struct sockaddr *)&to, sizeof(to)))
			proxy_pass(fd, out);
		close(out);
	}
	close(fd);
	return NULL;
}

static void through_a_proxy(void **state UNUSED)
{
	const int statuses[] = {200, 407, 502};
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct fake_gateway gateway = {0};
		struct fake_proxy proxy = {.status = statuses[i]};
		struct watch watch;
		char url[100];
		fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
		proxy.port = fake_listen(AF_INET, &proxy.listener);
		pthread_create(&proxy.thread, NULL, proxy_run, &proxy);
		struct text_endpoint at = endpoint("localhost", gateway.port);
		struct uplink_config config = config_of(&at, 1);
		snprintf(url, sizeof(url), "http://user:p%%40ss@127.0.0.1:%u",
			proxy.port);
		if (i == 0) {
			setenv("https_proxy", url, 1);
			config.proxy = NULL;
		} else {
			config.proxy = url;
		}
		attempt(&watch, &config);
		unsetenv("https_proxy");
		assert_int_equal(watch.welcome, statuses[i] == 200);
		if (statuses[i] != 200)
			assert_int_equal(watch.why.reason, REASON_GATEWAY_UNREACHABLE);
		if (statuses[i] == 407)
			assert_non_null(strstr(watch.why.detail, "user name"));
		finish(&watch);
		pthread_join(proxy.thread, NULL);
		close(proxy.listener);
		fake_stop(&gateway);
		assert_non_null(strstr(proxy.request, "Basic dXNlcjpwQHNz\r\n"));
	}
}

static void free_in_the_middle(void **state UNUSED)
{
	struct fake_gateway gateway = {0};
	fake_start(&gateway, &ca, GOOD_SAN, -YEAR, YEAR, AF_INET);
	for (int turns = 0; turns < 12; turns++) {
		struct text_endpoint at =
			endpoint(turns % 2 ? "localhost" : "127.0.0.1", gateway.port);
		struct uplink_config config = config_of(&at, 1);
		struct watch watch;
		begin(&watch, &config);
		for (int i = 0; i < turns && !watch.welcome; i++)
			event_base_loop(watch.base, EVLOOP_ONCE);
		finish(&watch);
		assert_int_equal(watch.down, 0);
	}
	fake_stop(&gateway);
}

static void bad_configurations(void **state UNUSED)
{
	struct text_endpoint at = endpoint("localhost", 1);
	struct uplink_config config = config_of(&at, 1);
	struct event_base *base = event_base_new();
	struct uplink *uplink;
	config.license = "short";
	assert_int_equal(uplink_new(&uplink, base, &config, &EVENTS, NULL),
		-REASON_BAD_VALUE);
	config = config_of(&at, 1);
	config.ca_file = "/nonexistent/ca.pem";
	assert_int_equal(uplink_new(&uplink, base, &config, &EVENTS, NULL), 0);
	assert_int_equal(uplink_start(uplink), -REASON_FILE_UNREADABLE);
	uplink_free(uplink);
	config = config_of(&at, 1);
	config.proxy = "https://secure.example";
	assert_int_equal(uplink_new(&uplink, base, &config, &EVENTS, NULL), 0);
	assert_int_equal(uplink_start(uplink), -REASON_BAD_VALUE);
	uplink_free(uplink);
	event_base_free(base);
}

static int setup(void **state UNUSED)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, give_up);
	alarm(150);
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	fake_ca_init(&ca, "Test CA");
	fake_ca_init(&other_ca, "Another CA");
	assert_non_null(mkdtemp(dir));
	return identity_open(dir, &identity);
}

static int teardown(void **state UNUSED)
{
	char command[100];
	fake_ca_done(&ca);
	fake_ca_done(&other_ca);
	identity_free(identity);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(welcome_open_data_and_out),
		cmocka_unit_test(certificates_are_judged),
		cmocka_unit_test(refusals_come_through),
		cmocka_unit_test(a_dead_gateway_costs_little),
		cmocka_unit_test(the_most_telling_reason_wins),
		cmocka_unit_test(a_personal_refusal_ends_the_attempt),
		cmocka_unit_test(a_redirect_is_followed),
		cmocka_unit_test(a_redirect_in_vain_is_told_to_who_said_it),
		cmocka_unit_test(what_is_no_gateway_is_named),
		cmocka_unit_test(cut_anywhere_is_told),
		cmocka_unit_test(ipv6_works),
		cmocka_unit_test(keepalive_both_ways),
		cmocka_unit_test(a_slow_line_says_when_there_is_room),
		cmocka_unit_test(through_a_proxy),
		cmocka_unit_test(free_in_the_middle),
		cmocka_unit_test(bad_configurations),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
