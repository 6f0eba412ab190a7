/* The sign and the question on a real X server: shown again and again, by a process that uses its memory for
 * other things in between. */
#include <X11/Xlib.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/reason.h"
#include "sign/x11_panel.h"
#include "unit/host-agent/x_world.h"

/* What is freed has to be given out again, or a library's use of freed memory stays unseen. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

static atomic_int words[X11_PANEL_FAILED + 1];

static void on_word(void *ctx UNUSED, enum x11_panel_word word)
{
	words[word]++;
}

/* Its window, once the server shows it; None when there is none. */
static Window find_panel(Display *x, XWindowAttributes *ret)
{
	Window root, parent, *children = NULL, found = None;
	unsigned count = 0;
	XQueryTree(x, DefaultRootWindow(x), &root, &parent, &children, &count);
	for (unsigned i = 0; i < count; i++) {
		char *name = NULL;
		if (XFetchName(x, children[i], &name) && name &&
			!strcmp(name, "engawa") &&
			XGetWindowAttributes(x, children[i], ret) &&
			ret->map_state == IsViewable)
			found = children[i];
		XFree(name);
	}
	if (children)
		XFree(children);
	return found;
}

static Window await_panel(Display *x, XWindowAttributes *ret, int shown)
{
	Window window = find_panel(x, ret);
	for (int i = 0; i < 1500 && (window != None) != shown; i++) {
		usleep(20000);
		window = find_panel(x, ret);
	}
	assert_true((window != None) == shown);
	return window;
}

static void reuse_memory(void)
{
	char *pieces[600];
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		size_t size = 16 + 8 * (i % 6);
		pieces[i] = malloc(size);
		assert_non_null(pieces[i]);
		memset(pieces[i], 0x6f, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		free(pieces[i]);
}

static const struct x11_panel_look bar = {
	.place = X11_PANEL_TOP, .lines = {"佐藤 is connected"}, .buttons = {"End"}};

static void test_shown_for_every_session(void **state)
{
	const struct x_world *world = *state;
	Display *x = XOpenDisplay(world->display);
	for (int i = 0; i < 12; i++) {
		struct x11_panel *panel = NULL;
		XWindowAttributes about;
		alarm(120); /* a reply that is lost is waited for without end */
		assert_int_equal(x11_panel_new(world->display, &bar, on_word, NULL,
					 &panel),
			0);
		await_panel(x, &about, 1);
		x11_panel_free(panel);
		await_panel(x, &about, 0);
		reuse_memory();
	}
	alarm(0);
	XCloseDisplay(x);
	assert_int_equal(words[X11_PANEL_FIRST], 0);
	assert_int_equal(words[X11_PANEL_FAILED], 0);
}

/* The news and the sign of a session come in the same moment, each with a thread of its own. */
static void test_several_at_once(void **state)
{
	const struct x_world *world = *state;
	static const struct x11_panel_look board = {.place = X11_PANEL_CENTRE,
		.lines = {"保守作業のお知らせ", "Maintenance"},
		.buttons = {"閉じる"}};
	Display *x = XOpenDisplay(world->display);
	for (int i = 0; i < 15; i++) {
		struct x11_panel *panels[4] = {0};
		XWindowAttributes about;
		alarm(120);
		for (size_t at = 0; at < ARRAY_LEN(panels); at++)
			assert_int_equal(x11_panel_new(world->display,
						 at % 2 ? &bar : &board, on_word, NULL,
						 &panels[at]),
				0);
		await_panel(x, &about, 1);
		for (size_t at = 0; at < ARRAY_LEN(panels); at++)
			x11_panel_free(panels[at]);
		await_panel(x, &about, 0);
	}
	alarm(0);
	XCloseDisplay(x);
	assert_int_equal(words[X11_PANEL_FAILED], 0);
}

/* Whoever shows it is not held up, and hears that nobody saw it. */
static void test_without_a_display(void **state UNUSED)
{
	struct x11_panel *panel = NULL;
	assert_int_equal(x11_panel_new(":4711", &bar, on_word, NULL, &panel), 0);
	for (int i = 0; i < 1500 && !words[X11_PANEL_FAILED]; i++)
		usleep(20000);
	assert_int_equal(words[X11_PANEL_FAILED], 1);
	assert_null(x11_panel_free(panel));
	assert_null(x11_panel_free(NULL));
}

static void click(struct x_world *world, int x, int y)
{
	char command[100];
	snprintf(command, sizeof(command), "xdotool mousemove %d %d click 1", x, y);
	assert_int_equal(x_world_call(world, command), 0);
}

static void await_word(enum x11_panel_word word, int count)
{
	for (int i = 0; i < 1500 && words[word] < count; i++)
		usleep(20000);
	assert_int_equal(words[word], count);
}

static void test_a_question_has_two_answers_and_a_time(void **state)
{
	struct x_world *world = *state;
	struct x11_panel *panel = NULL;
	XWindowAttributes about;
	struct x11_panel_look look = {.place = X11_PANEL_CENTRE,
		.lines = {"Allow this person to use this PC remotely?", "User: 佐藤",
			"Address: 192.0.2.7"},
		.buttons = {"Allow", "Refuse"},
		.time_ms = 60000,
		.count_before = "Refused in ",
		.count_after = " s"};
	Display *x = XOpenDisplay(world->display);
	assert_int_equal(x11_panel_new(world->display, &look, on_word, NULL, &panel), 0);
	await_panel(x, &about, 1);
	assert_in_range(about.x, 100, 400); /* of 800 x 600: in the middle */
	assert_in_range(about.y, 100, 400);
	int bottom = about.y + about.height - 5;
	click(world, about.x + about.width / 2, about.y + 5); /* the text is no button */
	click(world, about.x + about.width / 4, bottom);
	await_word(X11_PANEL_FIRST, 1);
	assert_int_equal(words[X11_PANEL_SECOND], 0);
	click(world, about.x + about.width * 3 / 4, bottom);
	await_word(X11_PANEL_SECOND, 1);
	assert_int_equal(words[X11_PANEL_FIRST], 1);
	panel = x11_panel_free(panel);
	await_panel(x, &about, 0);
	look.time_ms = 700;
	assert_int_equal(x11_panel_new(world->display, &look, on_word, NULL, &panel), 0);
	await_word(X11_PANEL_TIME_UP, 1);
	usleep(700000); /* once is enough */
	assert_int_equal(words[X11_PANEL_TIME_UP], 1);
	x11_panel_free(panel);
	XCloseDisplay(x);
}

static int count_threads(void)
{
	int count = 0;
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (const struct dirent *one = readdir(tasks); one; one = readdir(tasks))
		count += one->d_name[0] != '.';
	closedir(tasks);
	return count;
}

/* A server that stands still holds up nobody but the panel's own thread, and one that was freed meanwhile is
 * not shown for a moment either: the server is asked for every window that was ever made. */
static void test_a_server_that_hangs(void **state)
{
	struct x_world *world = *state;
	struct x11_panel *panel = NULL;
	Display *x = XOpenDisplay(world->display);
	XEvent event;
	XSelectInput(x, DefaultRootWindow(x), SubstructureNotifyMask);
	XSync(x, False);
	kill(world->server, SIGSTOP);
	alarm(60);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(x11_panel_new(world->display, &bar, on_word, NULL,
					 &panel),
			0);
		x11_panel_free(panel);
	}
	alarm(0);
	kill(world->server, SIGCONT);
	/* Their threads have looked. */
	for (int i = 0; i < 1500 && count_threads() > 1; i++)
		usleep(20000);
	assert_int_equal(count_threads(), 1);
	assert_int_equal(words[X11_PANEL_FAILED], 0);
	XSync(x, False);
	assert_int_equal(XCheckTypedWindowEvent(x, DefaultRootWindow(x), CreateNotify,
				 &event),
		0);
	XCloseDisplay(x);
}

/* Whoever shows it lives on and hears that nobody saw it. */
static void test_a_server_that_dies(void **state)
{
	struct x_world *world = *state;
	struct x11_panel *panels[3] = {NULL};
	kill(world->server, SIGSTOP);
	for (int i = 0; i < 3; i++)
		assert_int_equal(x11_panel_new(world->display, &bar, on_word, NULL,
					 &panels[i]),
			0);
	x_world_kill_server(world);
	await_word(X11_PANEL_FAILED, 3);
	for (int i = 0; i < 3; i++)
		x11_panel_free(panels[i]);
}

static int forget_words(void **state UNUSED)
{
	for (int i = 0; i <= X11_PANEL_FAILED; i++)
		words[i] = 0;
	return 0;
}

static int start_world(void **state)
{
	static struct x_world world;
	*state = &world;
	return x_world_start(&world, "800x600x24") ? 0 : -1;
}

static int end_world(void **state)
{
	x_world_stop(*state);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget_words)
	const struct CMUnitTest tests[] = {
		TEST(test_shown_for_every_session),
		TEST(test_several_at_once),
		TEST(test_without_a_display),
		TEST(test_a_question_has_two_answers_and_a_time),
		TEST(test_a_server_that_hangs),
		TEST(test_a_server_that_dies),
	};
	return cmocka_run_group_tests(tests, start_world, end_world);
}
