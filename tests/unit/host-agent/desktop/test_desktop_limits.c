/* What a desktop keeps to on behalf of a session: the watermark, how large a text may be, how long ago somebody
 * did something, and the question to the person who sits there. On a real X server. */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/post.h"
#include "base/reason.h"
#include "desktop/desktop.h"
#include "link/gate.h"
#include "unit/host-agent/rfb_viewer.h"
#include "unit/host-agent/x_world.h"

#define ALL_RIGHTS                                                                       \
	(DESKTOP_VIEW | DESKTOP_CONTROL | DESKTOP_CLIP_TO_HOST | DESKTOP_CLIP_TO_VIEWER)
#define WIDE_OPEN (1ll << 40)
#define PATIENCE_MS 60000
#define WIDTH 800
#define HEIGHT 600
/* By so much a pixel may differ from the local screen at most. */
#define FAINT 26

/* Fontconfig keeps its configuration until the process ends. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:x11_panel\n";
}

struct office {
	struct x_world world;
	struct post_pump *pump;
	struct desktop *desktop;
	struct gate *gate;
	struct rfb_viewer viewer;
	Display *x;
	int events[8];
	struct desktop_event answer;
	char clipboard[64];
};

static void on_event(void *ctx, const struct desktop_event *event)
{
	struct office *office = ctx;
	office->events[event->kind]++;
	if (event->kind == DESKTOP_EV_ANSWERED)
		office->answer = *event;
	if (event->kind == DESKTOP_EV_CLIPBOARD)
		snprintf(office->clipboard, sizeof(office->clipboard), "%s", event->text);
}

static void open_stream(struct office *office, uint32_t flags)
{
	int fd;
	if (office->viewer.client)
		rfb_viewer_close(&office->viewer);
	office->gate = gate_unref(office->gate);
	assert_int_equal(gate_new(&office->gate), 0);
	gate_set(office->gate, WIDE_OPEN, 100000000);
	assert_int_equal(desktop_open_stream(office->desktop, ALL_RIGHTS, flags,
				 office->gate, &fd),
		0);
	assert_true(rfb_viewer_open(&office->viewer, fd, "raw", -1));
}

static int open_office(void **state)
{
	struct office *office = calloc(1, sizeof(*office));
	*state = office;
	assert_true(x_world_start(&office->world, "800x600x24"));
	const struct desktop_config config = {
		.kind = DESKTOP_X11, .display = office->world.display, .name = "office"};
	office->x = XOpenDisplay(office->world.display);
	assert_non_null(office->x);
	assert_int_equal(post_pump_new(&office->pump), 0);
	const struct desktop_events events = {
		post_pump_box(office->pump), on_event, office};
	assert_int_equal(desktop_new(&config, &events, &office->desktop), 0);
	return 0;
}

static int close_office(void **state)
{
	struct office *office = *state;
	rfb_viewer_close(&office->viewer);
	desktop_free(office->desktop);
	post_pump_run(office->pump, 0);
	post_pump_free(office->pump);
	gate_unref(office->gate);
	XCloseDisplay(office->x);
	x_world_stop(&office->world);
	free(office);
	return 0;
}

static void run(struct office *office, int ms)
{
	if (office->viewer.client)
		rfb_viewer_run(&office->viewer, ms);
	post_pump_run(office->pump, ms);
}

static void await_event(struct office *office, enum desktop_event_kind kind, int count)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (office->events[kind] < count && clock_mono_ms() < until)
		run(office, 10);
	assert_int_equal(office->events[kind], count);
}

/* ---- the watermark ------------------------------------------------------------------------- */

/* How many pixels of the viewer's picture are not those of the screen, and by how much at most. */
static int differences(struct office *office, int *ret_most)
{
	const uint32_t *frame = office->viewer.frame;
	int count = 0;
	*ret_most = 0;
	XImage *image = XGetImage(office->x, DefaultRootWindow(office->x), 0, 0, WIDTH,
		HEIGHT, AllPlanes, ZPixmap);
	for (int i = 0; i < WIDTH * HEIGHT; i++) {
		unsigned long real = XGetPixel(image, i % WIDTH, i / WIDTH);
		count += (real & 0xffffff) != (frame[i] & 0xffffff);
		for (int at = 0; at < 24; at += 8) {
			int by = abs((int)(real >> at & 0xff) -
				     (int)(frame[i] >> at & 0xff));
			*ret_most = by > *ret_most ? by : *ret_most;
		}
	}
	XDestroyImage(image);
	return count;
}

/* Waits for a picture that is whole, with or without a watermark. */
static void await_marked(struct office *office, int marked)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	int most = 0, count = 0;
	do {
		run(office, 30);
		count = differences(office, &most);
	} while (((marked ? count < 10000 : count > 0) || most > FAINT) &&
		 clock_mono_ms() < until);
	assert_true(marked ? count >= 10000 : count == 0);
	assert_true(most <= FAINT);
	/* Faint: most of the screen is as it was. */
	assert_true(count < WIDTH * HEIGHT / 3);
}

static void draw(struct office *office)
{
	GC gc = XCreateGC(office->x, DefaultRootWindow(office->x), 0, NULL);
	for (int i = 0; i < 16; i++) {
		XSetForeground(office->x, gc, (unsigned long)(i * 0x111111));
		XFillRectangle(office->x, DefaultRootWindow(office->x), gc, i * 50, 0, 50,
			HEIGHT);
	}
	XFreeGC(office->x, gc);
	XSync(office->x, False);
}

/* For eyes: the picture as the viewer has it. */
static void keep_picture(const struct office *office, const char *path)
{
	const uint32_t *frame = office->viewer.frame;
	FILE *file = path ? fopen(path, "w") : NULL;
	if (!file)
		return;
	fprintf(file, "P6 %d %d 255\n", WIDTH, HEIGHT);
	for (int i = 0; i < WIDTH * HEIGHT; i++) {
		const uint8_t rgb[3] = {(uint8_t)(frame[i] >> 16),
			(uint8_t)(frame[i] >> 8), (uint8_t)frame[i]};
		fwrite(rgb, 1, sizeof(rgb), file);
	}
	fclose(file);
}

static void test_watermark_is_in_the_picture_alone(void **state)
{
	struct office *office = *state;
	draw(office);
	open_stream(office, 0);
	await_marked(office, 0);
	assert_int_equal(desktop_watermark(office->desktop,
				 "佐藤花子@laptop  lic_7k3qx09fa  2026-11-22T10:00"),
		0);
	await_marked(office, 1);
	keep_picture(office, getenv("KEEP_PICTURE"));
	/* A stream that begins has it from its first picture on. */
	open_stream(office, 0);
	await_marked(office, 1);
	assert_int_equal(desktop_watermark(office->desktop, NULL), 0);
	await_marked(office, 0);
}

/* ---- the clipboard ------------------------------------------------------------------------- */

static void copy_in_office(struct office *office, const char *text)
{
	char command[200];
	snprintf(command, sizeof(command),
		"printf %%s '%s' | exec xclip -quiet -selection clipboard -i", text);
	x_world_run(&office->world, command);
}

static void test_large_texts_stay_where_they_are(void **state)
{
	struct office *office = *state;
	open_stream(office, DESKTOP_RFB_CLIPBOARD);
	desktop_clip_limit(office->desktop, 9);
	assert_int_equal(desktop_clipboard_set(office->desktop, "ten bytes!", 10), 0);
	await_event(office, DESKTOP_EV_CLIP_TOO_LARGE, 1);
	char large[] = "more than ten bytes";
	SendClientCutText(office->viewer.client, large, (int)strlen(large));
	await_event(office, DESKTOP_EV_CLIP_TOO_LARGE, 2);
	copy_in_office(office, "secret as a whole");
	await_event(office, DESKTOP_EV_CLIP_TOO_LARGE, 3);
	copy_in_office(office, "nine byte");
	await_event(office, DESKTOP_EV_CLIPBOARD, 1);
	assert_string_equal(office->clipboard, "nine byte");
	for (int i = 0; i < 500 && !office->viewer.cut_text; i++)
		run(office, 20);
	assert_string_equal(office->viewer.cut_text, "nine byte");
	desktop_clip_limit(office->desktop, 0);
	copy_in_office(office, "as long as it likes");
	await_event(office, DESKTOP_EV_CLIPBOARD, 2);
}

/* ---- input --------------------------------------------------------------------------------- */

static void test_input_is_noted(void **state)
{
	struct office *office = *state;
	assert_int_equal(desktop_input_ms(office->desktop), 0);
	open_stream(office, 0);
	run(office, 300);
	assert_int_equal(desktop_input_ms(office->desktop), 0); /* pictures are none */
	int64_t before = clock_mono_ms();
	SendPointerEvent(office->viewer.client, 50, 60, 0);
	for (int i = 0; i < 500 && !desktop_input_ms(office->desktop); i++)
		run(office, 20);
	assert_true(desktop_input_ms(office->desktop) >= before);
	/* Somebody who may only look is there all the same when keys come. */
	desktop_rights(office->desktop, DESKTOP_VIEW);
	int64_t last = desktop_input_ms(office->desktop);
	usleep(5000);
	SendKeyEvent(office->viewer.client, 'x', TRUE);
	for (int i = 0; i < 500 && desktop_input_ms(office->desktop) == last; i++)
		run(office, 20);
	assert_true(desktop_input_ms(office->desktop) > last);
}

/* ---- the question -------------------------------------------------------------------------- */

static void test_question_and_answer(void **state)
{
	struct office *office = *state;
	const char *const lines[DESKTOP_ASK_LINES] = {"May she?", "User: 佐藤"};
	unsigned first, second;
	assert_int_equal(desktop_ask(office->desktop, lines, 60000, &first), 0);
	/* The button on the left permits. */
	char command[] =
		"for i in $(seq 100); do w=$(xdotool search --onlyvisible --name "
		"^engawa$) && break; sleep 0.1; done; sleep 0.3; eval $(xdotool "
		"getwindowgeometry --shell $w); xdotool mousemove $((X + 30)) "
		"$((Y + HEIGHT - 5)) click 1";
	x_world_call(&office->world, command);
	await_event(office, DESKTOP_EV_ANSWERED, 1);
	assert_int_equal(office->answer.question, first);
	assert_int_equal(office->answer.yes, 1);
	assert_int_equal(desktop_ask(office->desktop, lines, 300, &second), 0);
	assert_int_not_equal(first, second);
	await_event(office, DESKTOP_EV_ANSWERED, 2);
	assert_int_equal(office->answer.question, second);
	assert_int_equal(office->answer.yes, 0);
	desktop_ask_no_more(office->desktop);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_office, close_office)
	const struct CMUnitTest tests[] = {
		TEST(test_watermark_is_in_the_picture_alone),
		TEST(test_large_texts_stay_where_they_are),
		TEST(test_input_is_noted),
		TEST(test_question_and_answer),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
