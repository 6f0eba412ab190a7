#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/dial.h"

struct call {
	struct event_base *base;
	struct dial *dial;
	int done, fd, free_inside;
	size_t target;
};

static void on_done(void *ctx, int fd, size_t target)
{
	struct call *call = ctx;
	call->done++;
	call->fd = fd;
	call->target = target;
	if (call->free_inside)
		call->dial = dial_free(call->dial);
	event_base_loopbreak(call->base);
}

static int listener(int backlog, struct text_endpoint *ret)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*ret = (struct text_endpoint){.port = ntohs(at.sin_port)};
	strcpy(ret->host, "127.0.0.1");
	return fd;
}

static void closed_port(struct text_endpoint *ret)
{
	close(listener(1, ret));
}

static struct call dial_all(const struct text_endpoint *targets, size_t count,
	int free_inside)
{
	struct call call = {
		.base = event_base_new(), .fd = -2, .free_inside = free_inside};
	assert_int_equal(dial_new(&call.dial, call.base, targets, count, on_done, &call),
		0);
	assert_int_equal(call.done, 0);
	event_base_dispatch(call.base);
	assert_int_equal(call.done, 1);
	return call;
}

static void hang_up(struct call *call)
{
	if (call->fd >= 0)
		close(call->fd);
	dial_free(call->dial);
	event_base_free(call->base);
}

static void the_first_that_answers(void **state UNUSED)
{
	struct text_endpoint targets[4];
	closed_port(&targets[0]);
	strcpy(targets[1].host, "no-such-host.invalid");
	targets[1].port = 1;
	int fd = listener(4, &targets[2]);
	closed_port(&targets[3]);
	struct call call = dial_all(targets, 4, 0);
	assert_true(call.fd >= 0);
	assert_int_equal(call.target, 2);
	assert_string_equal(dial_detail(call.dial, 0), "connection refused");
	hang_up(&call);
	close(fd);
}

static void names_are_resolved(void **state UNUSED)
{
	struct text_endpoint target;
	int fd = listener(4, &target);
	strcpy(target.host, "localhost");
	struct call call = dial_all(&target, 1, 1);
	assert_true(call.fd >= 0);
	hang_up(&call);
	close(fd);
}

static void none_answers(void **state UNUSED)
{
	struct text_endpoint targets[2];
	closed_port(&targets[0]);
	strcpy(targets[1].host, "no-such-host.invalid");
	targets[1].port = 1;
	struct call call = dial_all(targets, 2, 0);
	assert_int_equal(call.fd, -1);
	assert_string_equal(dial_detail(call.dial, 0), "connection refused");
	assert_int_equal(strncmp(dial_detail(call.dial, 1), "name", 4), 0);
	hang_up(&call);
}

/* A listener whose queue is full lets connections hang, as a vanished machine does. */
static void a_silent_one_costs_a_quarter_second(void **state UNUSED)
{
	struct text_endpoint targets[2];
	int full = listener(0, &targets[0]), good = listener(4, &targets[1]), fillers[8];
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(targets[0].port)};
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&at, sizeof(at));
	}
	usleep(50000);
	int64_t begun = clock_mono_ms();
	struct call call = dial_all(targets, 2, 0);
	assert_int_equal(call.target, 1);
	assert_in_range(clock_mono_ms() - begun, DIAL_STAGGER_MS - 5, 5000);
	hang_up(&call);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
		close(fillers[i]);
	close(full);
	close(good);
}

static void freed_at_any_time(void **state UNUSED)
{
	struct text_endpoint targets[2] = {{.port = 1}, {.port = 1}};
	strcpy(targets[0].host, "localhost");
	strcpy(targets[1].host, "no-such-host.invalid");
	for (int turns = 0; turns < 6; turns++) {
		struct call call = {.base = event_base_new()};
		assert_int_equal(dial_new(&call.dial, call.base, targets, 2, on_done,
					 &call),
			0);
		for (int i = 0; i < turns && !call.done; i++)
			event_base_loop(call.base, EVLOOP_ONCE);
		dial_free(call.dial);
		event_base_loop(call.base, EVLOOP_NONBLOCK);
		event_base_free(call.base);
	}
	usleep(200000); /* the resolvers end by themselves */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_answers),
		cmocka_unit_test(names_are_resolved),
		cmocka_unit_test(none_answers),
		cmocka_unit_test(a_silent_one_costs_a_quarter_second),
		cmocka_unit_test(freed_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
