#include "tunnel_pair.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "link/bridge.h"
#include "link/gate.h"

/* A pair of tunnels with a bridge at each end; the test is both VNC libraries. */
struct side {
	struct pair_end *end;
	struct bridge *bridge;
	struct gate *gate;
	int library; /* our end of the stream */
	int wanted, opened, closed, reason;
	int refuse, later;
};

struct desk {
	struct pair *pair;
	struct side host, viewer;
};

static struct desk *desk;

static struct side *side_of(struct pair_end *end)
{
	return end->side == SEAL_HOST ? &desk->host : &desk->viewer;
}

static void bridge_on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes,
	size_t len)
{
	bridge_bytes(side_of(ctx)->bridge, lane, bytes, len);
}

static void bridge_on_room(void *ctx, enum seal_lane lane)
{
	bridge_room(side_of(ctx)->bridge, lane);
}

static void bridge_on_message(void *ctx, const struct inner_message *message)
{
	assert_true(bridge_message(side_of(ctx)->bridge, message));
}

static int stream(struct side *side)
{
	int fds[2];
	if (side->library >= 0)
		close(side->library);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	side->library = fds[0];
	return fds[1];
}

static void on_wanted(void *ctx)
{
	struct side *side = ctx;
	side->wanted++;
	if (side->refuse)
		bridge_stop(side->bridge);
	else if (!side->later)
		assert_int_equal(bridge_start(side->bridge, stream(side), side->gate), 0);
}

static void on_opened(void *ctx)
{
	((struct side *)ctx)->opened++;
}

static void on_closed(void *ctx, int reason)
{
	struct side *side = ctx;
	side->closed++;
	side->reason = reason;
}

static const struct bridge_events BRIDGE_EVENTS = {on_wanted, on_opened, on_closed};
static struct tunnel_events events;

static void side_new(struct side *side, struct pair_end *end)
{
	struct pair *pair = end->pair;
	side->end = end;
	side->library = -1;
	tunnel_free(end->tunnel);
	struct tunnel_config config = {
		.side = end->side,
		.identity = end->identity,
		.license = PAIR_LICENSE,
		.purpose = PROLOGUE_SESSION,
		.device = "laptop",
		.wanted = INNER_RIGHTS_ALL,
	};
	memcpy(config.psk, end->psk, sizeof(config.psk));
	assert_int_equal(tunnel_new(&end->tunnel, pair->base, &config, &events, end), 0);
	assert_int_equal(bridge_new(&side->bridge, pair->base, end->tunnel, end->side,
				 &BRIDGE_EVENTS, side),
		0);
	assert_int_equal(gate_new(&side->gate), 0);
}

static void desk_new(void)
{
	events = PAIR_EVENTS;
	events.bytes = bridge_on_bytes;
	events.room = bridge_on_room;
	events.message = bridge_on_message;
	desk = calloc(1, sizeof(*desk));
	desk->pair = pair_new(PROLOGUE_SESSION);
	side_new(&desk->host, &desk->pair->host);
	side_new(&desk->viewer, &desk->pair->viewer);
	pair_up(desk->pair);
}

static void side_free(struct side *side)
{
	bridge_free(side->bridge);
	gate_unref(side->gate);
	if (side->library >= 0)
		close(side->library);
}

static void desk_free(void)
{
	side_free(&desk->host);
	side_free(&desk->viewer);
	pair_free(desk->pair);
	free(desk);
}

static void start(void)
{
	assert_int_equal(bridge_start(desk->viewer.bridge, stream(&desk->viewer), NULL),
		0);
	pair_run(desk->pair);
}

static void say(struct side *side, const char *text)
{
	assert_int_equal(write(side->library, text, strlen(text)), strlen(text));
	pair_run(desk->pair);
}

static void hears(struct side *side, const char *text)
{
	char bytes[256];
	ssize_t got = read(side->library, bytes, sizeof(bytes) - 1);
	bytes[got > 0 ? got : 0] = 0;
	assert_string_equal(bytes, text);
}

static void both_ways(void **state UNUSED)
{
	desk_new();
	start();
	assert_int_equal(desk->host.wanted, 1);
	assert_int_equal(desk->viewer.opened, 1);
	assert_true(bridge_running(desk->host.bridge) &&
		    bridge_running(desk->viewer.bridge));
	say(&desk->host, "RFB 003.008\n");
	hears(&desk->viewer, "RFB 003.008\n");
	say(&desk->viewer, "key");
	hears(&desk->host, "key");
	desk_free();
}

static void a_new_stream_hears_nothing_old(void **state UNUSED)
{
	desk_new();
	start();
	say(&desk->host, "old picture");
	/* Old bytes are on their way in both directions when the viewer starts anew. */
	assert_int_equal(write(desk->host.library, "stale", 5), 5);
	assert_int_equal(write(desk->viewer.library, "stale", 5), 5);
	event_base_loop(desk->pair->base, EVLOOP_NONBLOCK);
	start();
	assert_int_equal(desk->host.wanted, 2);
	assert_int_equal(desk->viewer.opened, 2);
	say(&desk->host, "RFB");
	say(&desk->viewer, "new");
	hears(&desk->viewer, "RFB");
	hears(&desk->host, "new");
	assert_int_equal(desk->viewer.closed, 0); /* one's own restart is no end */
	struct tunnel_stats stats;
	tunnel_stats(desk->pair->host.tunnel, &stats);
	assert_int_equal(stats.in_flight, 0); /* the old bytes count as consumed */
	desk_free();
}

static void streams_outlive_a_cut(void **state UNUSED)
{
	desk_new();
	start();
	for (int i = 0; i < 20; i++) {
		char text[16];
		snprintf(text, sizeof(text), "<%d>", i);
		assert_true(write(desk->host.library, text, strlen(text)) > 0);
		assert_true(write(desk->viewer.library, text, strlen(text)) > 0);
		desk->pair->cut_after = i % 7;
		pair_run(desk->pair);
		pair_cut(desk->pair);
		desk->pair->cut_after = -1;
		pair_up(desk->pair);
	}
	const char *all =
		"<0><1><2><3><4><5><6><7><8><9><10><11><12><13><14><15><16><17><18><19>";
	hears(&desk->viewer, all);
	hears(&desk->host, all);
	assert_int_equal(desk->host.wanted, 1);
	desk_free();
}

/* Sent on the lost leg and sent again on the next one, behind the news of a fresh stream. */
static void resent_bytes_of_an_old_stream_are_skipped(void **state UNUSED)
{
	desk_new();
	start();
	assert_int_equal(write(desk->viewer.library, "stale", 5), 5);
	assert_int_equal(write(desk->host.library, "stale", 5), 5);
	event_base_loop(desk->pair->base, EVLOOP_NONBLOCK);
	assert_true(desk->pair->viewer.count > 0 && desk->pair->host.count > 0);
	pair_cut(desk->pair);
	assert_int_equal(bridge_start(desk->viewer.bridge, stream(&desk->viewer), NULL),
		0);
	assert_int_equal(write(desk->viewer.library, "new", 3), 3);
	pair_up(desk->pair);
	hears(&desk->host, "new");
	say(&desk->host, "RFB");
	hears(&desk->viewer, "RFB");
	desk_free();
}

static void started_while_cut(void **state UNUSED)
{
	desk_new();
	pair_cut(desk->pair);
	assert_int_equal(bridge_start(desk->viewer.bridge, stream(&desk->viewer), NULL),
		0);
	assert_int_equal(write(desk->viewer.library, "early", 5), 5);
	pair_up(desk->pair);
	assert_int_equal(desk->viewer.opened, 1);
	hears(&desk->host, "early");
	desk_free();
}

static void ends_are_told(void **state UNUSED)
{
	desk_new();
	start();
	close(desk->host.library);
	desk->host.library = -1;
	pair_run(desk->pair);
	assert_int_equal(desk->host.closed, 1);
	assert_int_equal(desk->host.reason, REASON_LEG_CLOSED);
	assert_int_equal(desk->viewer.closed, 1);
	assert_int_equal(desk->viewer.reason, REASON_HOST_ENDED);
	hears(&desk->viewer, "");
	start();
	bridge_stop(desk->viewer.bridge);
	bridge_stop(desk->viewer.bridge);
	pair_run(desk->pair);
	assert_int_equal(desk->viewer.closed, 1);
	assert_int_equal(desk->host.closed, 2);
	assert_int_equal(desk->host.reason, REASON_VIEWER_LEFT);
	desk->host.refuse = 1;
	start();
	assert_int_equal(desk->viewer.closed, 2);
	assert_false(bridge_running(desk->viewer.bridge));
	desk_free();
}

static void an_fd_may_come_later(void **state UNUSED)
{
	desk_new();
	desk->host.later = 1;
	start();
	say(&desk->viewer, "waits");
	assert_int_equal(bridge_backlog(desk->host.bridge), 5);
	assert_int_equal(bridge_start(desk->host.bridge, stream(&desk->host),
				 desk->host.gate),
		0);
	pair_run(desk->pair);
	hears(&desk->host, "waits");
	assert_int_equal(desk->viewer.opened, 1);
	int fd = stream(&desk->host);
	assert_int_equal(bridge_start(desk->host.bridge, fd, NULL), -REASON_CONFLICT);
	desk_free();
}

static void a_library_that_does_not_read(void **state UNUSED)
{
	static char block[65536];
	desk_new();
	start();
	size_t written = 0, idle = 0;
	while (idle < 5) {
		ssize_t put = write(desk->host.library, block, sizeof(block));
		written += put > 0 ? (size_t)put : 0;
		idle = put > 0 ? 0 : idle + 1;
		pair_run(desk->pair);
	}
	/* Credit (however fast this line of memory seems), read-ahead and the kernel's buffers of
	 * both streams; nothing grows beyond. */
	assert_true(written < 5 * 1024 * 1024);
	assert_true(bridge_backlog(desk->viewer.bridge) <= 4 * 1024 * 1024);
	gate_level(desk->host.gate, 0); /* what the desktop would have counted */
	assert_true(gate_room(desk->host.gate) <= 0);
	/* The library wakes up: all of it arrives. */
	size_t got = 0;
	for (int quiet = 0; quiet < 5;) {
		ssize_t part = read(desk->viewer.library, block, sizeof(block));
		got += part > 0 ? (size_t)part : 0;
		quiet = part > 0 ? 0 : quiet + 1;
		pair_run(desk->pair);
	}
	assert_int_equal(got, written);
	gate_level(desk->host.gate, 0);
	assert_true(gate_room(desk->host.gate) > 0);
	desk_free();
}

static void the_gate_follows(void **state UNUSED)
{
	desk_new();
	assert_true(gate_room(desk->host.gate) <= 0);
	start();
	assert_true(gate_room(desk->host.gate) >= 16 * 1024);
	pair_cut(desk->pair);
	assert_true(gate_room(desk->host.gate) <= 0);
	pair_up(desk->pair);
	assert_true(gate_room(desk->host.gate) >= 16 * 1024);
	desk_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(a_new_stream_hears_nothing_old),
		cmocka_unit_test(streams_outlive_a_cut),
		cmocka_unit_test(resent_bytes_of_an_old_stream_are_skipped),
		cmocka_unit_test(started_while_cut),
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(an_fd_may_come_later),
		cmocka_unit_test(a_library_that_does_not_read),
		cmocka_unit_test(the_gate_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
