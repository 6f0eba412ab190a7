/* source: what every source promises, kept by the pattern, an X server, and VNC servers with and
 * without a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <X11/Xlib.h>
#include <X11/keysym.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/reason.h"
#include "screen/pattern_source.h"
#include "screen/vnc_source.h"
#include "screen/x11_source.h"
#include "unit/host-agent/x_world.h"

#define PATIENCE_MS 60000
#define WIDTH 640
#define HEIGHT 480

struct subject {
	struct x_world world;
	Display *x; /* NULL: the pattern, which is changed by typing */
	struct source *source;
	uint16_t port;
	char password_file[64];
};

/* ---- the four of them ---- */

/* Below those that the kernel gives to outgoing connections: one of those could take it before the
 * program that is told it listens. */
static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int taken;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		uint16_t dice;
		assert_true(fd >= 0);
		assert_int_equal(getrandom(&dice, sizeof(dice), 0), sizeof(dice));
		address.sin_port = htons((uint16_t)(12000 + dice % 20000));
		taken = bind(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
	} while (taken);
	return ntohs(address.sin_port);
}

static void look(struct subject *subject)
{
	subject->x = XOpenDisplay(subject->world.display);
	assert_non_null(subject->x);
}

static void connect_vnc(struct subject *subject, const char *password_file)
{
	int r = -1;
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while ((r = vnc_source_new("127.0.0.1", subject->port, password_file,
			&subject->source)) == -REASON_VNC_UNREACHABLE &&
		clock_mono_ms() < until)
		usleep(100000);
	assert_int_equal(r, 0);
}

static int open_pattern(void **state)
{
	struct subject *subject = *state = calloc(1, sizeof(*subject));
	return pattern_source_new(WIDTH, HEIGHT, PATTERN_STILL, &subject->source);
}

static int open_x11(void **state)
{
	struct subject *subject = *state = calloc(1, sizeof(*subject));
	assert_true(x_world_start(&subject->world, "640x480x24"));
	look(subject);
	return x11_source_new(subject->world.display, &subject->source);
}

static int open_x11_16_bits(void **state)
{
	struct subject *subject = *state = calloc(1, sizeof(*subject));
	assert_true(x_world_start(&subject->world, "640x480x16"));
	look(subject);
	return x11_source_new(subject->world.display, &subject->source);
}

static int open_xvnc(void **state)
{
	struct subject *subject = *state = calloc(1, sizeof(*subject));
	char port[8];
	subject->port = free_port();
	snprintf(port, sizeof(port), "%u", subject->port);
	const char *const words[] = {"Xvnc", "-geometry", "640x480", "-depth", "24",
		"-SecurityTypes", "None", "-rfbport", port, "-localhost", "-nolisten",
		"tcp", NULL};
	assert_true(x_world_start_server(&subject->world, words));
	look(subject);
	connect_vnc(subject, NULL);
	return 0;
}

static int open_x11vnc(void **state)
{
	struct subject *subject = *state = calloc(1, sizeof(*subject));
	char command[256];
	assert_true(x_world_start(&subject->world, "640x480x24"));
	look(subject);
	subject->port = free_port();
	strcpy(subject->password_file, "/tmp/engawa-source-XXXXXX");
	int fd = mkstemp(subject->password_file);
	assert_int_equal(write(fd, "abendrot\n", 9), 9);
	close(fd);
	snprintf(command, sizeof(command),
		/* Killed, it would leave its shared memory segments on the machine. */
		"exec x11vnc -quiet -noshm -forever -shared -localhost -no6 "
		"-passwd abendrot -rfbport %u",
		subject->port);
	x_world_run(&subject->world, command);
	connect_vnc(subject, subject->password_file);
	return 0;
}

static int close_subject(void **state)
{
	struct subject *subject = *state;
	source_free(subject->source);
	if (subject->x)
		XCloseDisplay(subject->x);
	x_world_stop(&subject->world);
	if (subject->password_file[0])
		unlink(subject->password_file);
	free(subject);
	return 0;
}

/* ---- what they promise ---- */

#define CHANGED_X 4
#define CHANGED_Y 4

static void change(struct subject *subject, uint32_t colour)
{
	if (!subject->x) {
		/* Letters go on from cell to cell: once round the board, back to the first. */
		int cells = WIDTH / PATTERN_CELL * (HEIGHT / 2 / PATTERN_CELL);
		static int typed;
		do
			subject->source->ops->key(subject->source, colour, 1);
		while (++typed % cells != 1);
		return;
	}
	GC gc = XCreateGC(subject->x, DefaultRootWindow(subject->x), 0, NULL);
	unsigned long pixel = colour;
	if (DefaultDepth(subject->x, DefaultScreen(subject->x)) == 16)
		pixel = (colour >> 8 & 0xf800) | (colour >> 5 & 0x7e0) |
			(colour >> 3 & 0x1f);
	XSetForeground(subject->x, gc, pixel);
	XFillRectangle(subject->x, DefaultRootWindow(subject->x), gc, 0, 0, 16, 16);
	XFreeGC(subject->x, gc);
	XSync(subject->x, False);
}

static uint32_t await_news(struct source *source, uint32_t wanted)
{
	uint32_t news = 0;
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (!(news & wanted) && clock_mono_ms() < until) {
		news |= source->ops->news(source);
		struct pollfd one = {source->ops->fd(source), POLLIN, 0};
		if (!(news & wanted))
			poll(&one, 1, 50);
	}
	return news;
}

static int inside(const struct source_rect *rect, const struct source *source)
{
	return rect->x >= 0 && rect->y >= 0 && rect->w > 0 && rect->h > 0 &&
	       rect->x + rect->w <= source->width && rect->y + rect->h <= source->height;
}

/* Takes damage until it covers the place that was changed. */
static void await_damage(struct source *source)
{
	struct source_rect rects[SOURCE_RECTS_MAX];
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (clock_mono_ms() < until) {
		assert_true(await_news(source, SOURCE_DAMAGED) & SOURCE_DAMAGED);
		size_t count = source->ops->damage(source, rects);
		assert_in_range(count, 0, SOURCE_RECTS_MAX);
		for (size_t i = 0; i < count; i++) {
			assert_true(inside(&rects[i], source));
			if (rects[i].x <= CHANGED_X && rects[i].y <= CHANGED_Y)
				return;
		}
	}
	fail();
}

static uint32_t pixel_at(struct source *source, int x, int y)
{
	const struct source_rect rect = {x, y, 2, 2};
	int stride = 0;
	const uint32_t *pixels = source->ops->capture(source, &rect, &stride);
	assert_non_null(pixels);
	assert_true(stride >= 2);
	return pixels[stride + 1] & 0xffffff;
}

static void test_shape(void **state)
{
	struct source *source = ((struct subject *)*state)->source;
	assert_int_equal(source->width, WIDTH);
	assert_int_equal(source->height, HEIGHT);
	assert_in_range(source->monitor_count, 1, SOURCE_MONITORS_MAX);
	for (size_t i = 0; i < source->monitor_count; i++)
		assert_true(inside(&source->monitors[i], source));
	assert_true(source->ops->fd(source) >= 0);
}

static void test_changes_are_seen(void **state)
{
	static const uint32_t colours[] = {
		0xf80000, 0x00fc00, 0x0000f8, 0xf8fcf8, 0x000000};
	struct subject *subject = *state;
	struct source *source = subject->source;
	for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
		change(subject, colours[i]);
		uint32_t now;
		int64_t until = clock_mono_ms() + PATIENCE_MS;
		do { /* the first damage may still be that of the beginning */
			await_damage(source);
			now = pixel_at(source, CHANGED_X, CHANGED_Y);
		} while ((now & 0xf8fcf8) != colours[i] && clock_mono_ms() < until);
		assert_int_equal(now & 0xf8fcf8, colours[i]);
	}
}

static void test_damage_is_taken_once(void **state)
{
	struct subject *subject = *state;
	struct source *source = subject->source;
	struct source_rect rects[SOURCE_RECTS_MAX];
	change(subject, 0x00fc00);
	await_damage(source);
	usleep(300000);
	source->ops->news(source);
	source->ops->damage(source, rects);
	assert_int_equal(source->ops->damage(source, rects), 0);
}

static void test_captures_any_rectangle(void **state)
{
	struct source *source = ((struct subject *)*state)->source;
	static const struct source_rect rects[] = {{0, 0, WIDTH, HEIGHT}, {0, 0, 1, 1},
		{WIDTH - 1, HEIGHT - 1, 1, 1}, {13, 17, 301, 103}};
	uint32_t sum = 0;
	for (size_t i = 0; i < ARRAY_LEN(rects); i++) {
		int stride = 0;
		const uint32_t *pixels = source->ops->capture(source, &rects[i], &stride);
		assert_non_null(pixels);
		assert_true(stride >= rects[i].w);
		for (int y = 0; y < rects[i].h; y++)
			for (int x = 0; x < rects[i].w; x++)
				sum += pixels[y * stride + x];
	}
	assert_true(sum != 1); /* all of it was readable */
}

static void test_keys_reach_the_server(void **state)
{
	struct subject *subject = *state;
	struct source *source = subject->source;
	char keys[32] = {0};
	KeyCode code = XKeysymToKeycode(subject->x, XK_q);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	source->ops->key(source, XK_q, 1);
	while (!(keys[code / 8] & 1 << code % 8) && clock_mono_ms() < until) {
		usleep(10000);
		XQueryKeymap(subject->x, keys);
	}
	assert_true(keys[code / 8] & 1 << code % 8);
	source->ops->key(source, XK_q, 0);
	source->ops->pointer(source, 123, 45, 0);
	Window window;
	int x = 0, y = 0, unused;
	unsigned mask;
	while (x != 123 && clock_mono_ms() < until) {
		usleep(10000);
		XQueryPointer(subject->x, DefaultRootWindow(subject->x), &window, &window,
			&x, &y, &unused, &unused, &mask);
	}
	assert_int_equal(x, 123);
	assert_int_equal(y, 45);
}

static void test_follows_a_new_size(void **state)
{
	struct subject *subject = *state;
	struct source *source = subject->source;
	assert_int_equal(x_world_call(&subject->world, "xrandr -s 800x600"), 0);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (source->width != 800 && clock_mono_ms() < until)
		await_news(source, SOURCE_RESIZED);
	assert_int_equal(source->width, 800);
	assert_int_equal(source->height, 600);
	assert_true(inside(&source->monitors[0], source));
	change(subject, 0xf80000);
	while (pixel_at(source, CHANGED_X, CHANGED_Y) != 0xf80000 &&
		clock_mono_ms() < until)
		await_damage(source);
	assert_int_equal(pixel_at(source, CHANGED_X, CHANGED_Y), 0xf80000);
}

static void test_loss_is_told(void **state)
{
	struct subject *subject = *state;
	XCloseDisplay(subject->x);
	subject->x = NULL;
	x_world_kill_server(&subject->world);
	assert_true(await_news(subject->source, SOURCE_LOST) & SOURCE_LOST);
}

static void test_wrong_password(void **state)
{
	struct subject *subject = *state;
	struct source *source = NULL;
	FILE *file = fopen(subject->password_file, "w");
	assert_non_null(file);
	fputs("morgenrot\n", file);
	fclose(file);
	assert_int_equal(vnc_source_new("127.0.0.1", subject->port,
				 subject->password_file, &source),
		-REASON_VNC_UNREACHABLE);
	assert_int_equal(vnc_source_new("127.0.0.1", subject->port, "/nonexistent",
				 &source),
		-REASON_FILE_UNREADABLE);
	assert_null(source);
}

#define ON(test, open)                                                                   \
	{                                                                                \
#test " " #open, test, open, close_subject, NULL                         \
	}
#define PROMISES(open)                                                                   \
	ON(test_shape, open), ON(test_changes_are_seen, open),                           \
		ON(test_damage_is_taken_once, open),                                     \
		ON(test_captures_any_rectangle, open)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PROMISES(open_pattern),
		PROMISES(open_x11),
		PROMISES(open_x11_16_bits),
		PROMISES(open_xvnc),
		PROMISES(open_x11vnc),
		ON(test_keys_reach_the_server, open_xvnc),
		ON(test_keys_reach_the_server, open_x11vnc),
		ON(test_follows_a_new_size, open_xvnc),
		ON(test_loss_is_told, open_x11),
		ON(test_loss_is_told, open_xvnc),
		ON(test_wrong_password, open_x11vnc),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
