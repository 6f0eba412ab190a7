/* Servers that die while a connection to them is made: the process lives and hears of it. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/reason.h"
#include "screen/x11_display.h"
#include "unit/host-agent/x_world.h"

#define X_TCP_PORT 6000

/* Stands before a server and hangs up after so many pieces of what a client says; the first is its
 * greeting, which is answered. */
struct door {
	char name[32], behind[64];
	int fd, pieces;
	pthread_t thread;
};

static int join(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Moves what is there, at least one byte; 0 at the end. */
static int move(int from, int to)
{
	char bytes[65536];
	ssize_t len = read(from, bytes, sizeof(bytes));
	return len > 0 && send(to, bytes, (size_t)len, MSG_NOSIGNAL) == len;
}

static void *serve(void *arg)
{
	struct door *door = arg;
	int client = accept(door->fd, NULL, NULL);
	int server = join(door->behind);
	struct pollfd fds[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
	for (int heard = 0; poll(fds, 2, -1) > 0;) {
		if (fds[1].revents && !move(server, client))
			break;
		if (fds[0].revents && heard++ == door->pieces)
			break;
		if (fds[0].revents && !move(client, server))
			break;
	}
	close(client);
	close(server);
	return NULL;
}

/* A display of this number is a port of this machine. */
static int listen_as(int number)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)(X_TCP_PORT + number))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void door_open(struct door *door, const struct x_world *world, int pieces)
{
	snprintf(door->behind, sizeof(door->behind), "/tmp/.X11-unix/X%s",
		world->display + 1);
	door->pieces = pieces;
	door->fd = -1;
	for (int number = 5000; number < 9000 && door->fd < 0; number++) {
		door->fd = listen_as(number);
		snprintf(door->name, sizeof(door->name), "127.0.0.1:%d", number);
	}
	assert_true(door->fd >= 0);
	assert_int_equal(pthread_create(&door->thread, NULL, serve, door), 0);
}

static void door_close(struct door *door)
{
	pthread_join(door->thread, NULL);
	close(door->fd);
}

static void test_it_dies_while_a_connection_is_made(void **state)
{
	const struct x_world *world = *state;
	int failed = 0, opened = 0;
	/* Nothing answered, only the greeting, and so on until Xlib has all that it wants. */
	for (int pieces = 0; pieces < 40 && !opened; pieces++) {
		struct door door;
		struct x11_display *display = NULL;
		door_open(&door, world, pieces);
		int r = x11_display_open(door.name, &display);
		if (r == 0)
			opened++;
		else
			failed++;
		assert_true(r == 0 || r == -REASON_NO_DISPLAY);
		x11_display_close(display);
		door_close(&door);
	}
	/* Of these only the first failed before Xlib had a connection of its own. */
	assert_in_range(failed, 2, 40);
	assert_int_equal(opened, 1);
}

static void test_it_dies_afterwards(void **state)
{
	struct x_world *world = *state;
	struct x11_display *display = NULL;
	assert_int_equal(x11_display_open(world->display, &display), 0);
	assert_int_equal(x11_display_failed(display, display->errors), 0);
	x_world_kill_server(world);
	assert_int_equal(x11_display_failed(display, display->errors), 1);
	assert_int_equal(display->lost, 1);
	assert_int_equal(x11_display_pending(display), 0);
	x11_display_close(display);
	assert_int_equal(x11_display_open(world->display, &display), -REASON_NO_DISPLAY);
}

static int start_world(void **state)
{
	static struct x_world world;
	*state = &world;
	return x_world_start(&world, "320x200x24") ? 0 : -1;
}

static int end_world(void **state)
{
	x_world_stop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_dies_while_a_connection_is_made),
		cmocka_unit_test(test_it_dies_afterwards),
	};
	return cmocka_run_group_tests(tests, start_world, end_world);
}
