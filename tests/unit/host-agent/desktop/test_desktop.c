/* A real X server on one side, libvncclient on the other, the whole desktop half between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/host-agent/rfb_viewer.h"
#include "unit/host-agent/x_world.h"

#include <X11/XKBlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <dirent.h>
#include <sys/stat.h>

#include "base/post.h"
#include "base/reason.h"
#include "desktop/desktop.h"
#include "link/gate.h"

#define ALL_RIGHTS                                                                       \
	(DESKTOP_VIEW | DESKTOP_CONTROL | DESKTOP_CLIP_TO_HOST | DESKTOP_CLIP_TO_VIEWER)
#define WIDE_OPEN (1ll << 40)
#define PATIENCE_MS 60000
#define LOSSLESS (-1)

/* When the X server dies, what Xft and fontconfig hold for its display cannot be freed without talking
 * to it, and Xlib itself unlocks a mutex twice. */
#define SANITIZER_READS __attribute__((visibility("default")))
SANITIZER_READS const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:x11_panel\nleak:desktop_sign\nleak:XftDrawCreate\nleak:"
	       "libfontconfig\n";
}

SANITIZER_READS const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "mutex:libX11.so\nmutex:libXfixes.so\nmutex:libXext.so\n";
}

struct office {
	struct x_world world;
	struct post_pump *pump;
	struct desktop *desktop;
	struct gate *gate;
	struct rfb_viewer viewer;
	Display *x; /* the test's own look at the screen */
	int events[8], reason;
	char clipboard[2 * 1024 * 1024];
	size_t clipboard_len;
	char dir[64];
};

static void on_event(void *ctx, const struct desktop_event *event)
{
	struct office *office = ctx;
	office->events[event->kind]++;
	if (event->reason)
		office->reason = event->reason;
	if (event->kind == DESKTOP_EV_CLIPBOARD &&
		event->len < sizeof(office->clipboard)) {
		memcpy(office->clipboard, event->text, event->len + 1);
		office->clipboard_len = event->len;
	}
}

static void open_stream(struct office *office, uint32_t rights, uint32_t flags,
	const char *encodings, int quality)
{
	int fd;
	if (office->viewer.client)
		rfb_viewer_close(&office->viewer);
	office->gate = gate_unref(office->gate);
	assert_int_equal(gate_new(&office->gate), 0);
	gate_set(office->gate, WIDE_OPEN, 100000000);
	assert_int_equal(desktop_open_stream(office->desktop, rights, flags, office->gate,
				 &fd),
		0);
	assert_true(rfb_viewer_open(&office->viewer, fd, encodings, quality));
}

static int furnish(struct office *office)
{
	const struct desktop_config config = {
		.kind = DESKTOP_X11, .display = office->world.display, .name = "事務所"};
	strcpy(office->dir, "/tmp/engawa-desktop-XXXXXX");
	assert_non_null(mkdtemp(office->dir));
	office->x = XOpenDisplay(office->world.display);
	assert_non_null(office->x);
	assert_int_equal(post_pump_new(&office->pump), 0);
	const struct desktop_events events = {
		post_pump_box(office->pump), on_event, office};
	assert_int_equal(desktop_new(&config, &events, &office->desktop), 0);
	return 0;
}

static int open_office(void **state)
{
	struct office *office = calloc(1, sizeof(*office));
	*state = office;
	assert_true(x_world_start(&office->world, "800x600x24"));
	return furnish(office);
}

static int close_office(void **state)
{
	struct office *office = *state;
	char command[128];
	rfb_viewer_close(&office->viewer);
	desktop_free(office->desktop);
	post_pump_run(office->pump, 0);
	post_pump_free(office->pump);
	gate_unref(office->gate);
	if (office->x)
		XCloseDisplay(office->x);
	x_world_stop(&office->world);
	snprintf(command, sizeof(command), "rm -rf %s", office->dir);
	assert_int_equal(system(command), 0);
	free(office);
	return 0;
}

/* Pixels that differ between the screen and the viewer's picture. */
static int differences(struct office *office)
{
	Window root;
	int x, y, count = 0;
	unsigned w, h, border, depth;
	const uint32_t *frame = office->viewer.frame;
	XGetGeometry(office->x, DefaultRootWindow(office->x), &root, &x, &y, &w, &h,
		&border, &depth);
	if ((int)w != office->viewer.client->width ||
		(int)h != office->viewer.client->height)
		return -1;
	XImage *image = XGetImage(office->x, root, 0, 0, w, h, AllPlanes, ZPixmap);
	assert_non_null(image);
	for (int row = 0; row < (int)h; row++)
		for (int column = 0; column < (int)w; column++)
			count += (XGetPixel(image, column, row) & 0xffffff) !=
				 (frame[row * (int)w + column] & 0xffffff);
	XDestroyImage(image);
	return count;
}

static void assert_same_picture(struct office *office)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	int different;
	do {
		assert_true(rfb_viewer_run(&office->viewer, 30));
		different = differences(office);
	} while (different && clock_mono_ms() < until);
	assert_int_equal(different, 0);
}

static void run_until_event(struct office *office, enum desktop_event_kind kind)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (!office->events[kind] && clock_mono_ms() < until) {
		if (office->viewer.client && office->viewer.client->sock >= 0)
			rfb_viewer_run(&office->viewer, 10);
		post_pump_run(office->pump, 10);
	}
	assert_true(office->events[kind] > 0);
}

/* ---- pixels ---- */

static void draw_random(struct office *office, Drawable on, GC gc, int times)
{
	for (int i = 0; i < times; i++) {
		XSetForeground(office->x, gc, (unsigned long)(rand() & 0xffffff));
		if (i % 3)
			XFillRectangle(office->x, on, gc, rand() % 700, rand() % 500,
				(unsigned)rand() % 200 + 1, (unsigned)rand() % 100 + 1);
		else
			XDrawLine(office->x, on, gc, rand() % 800, rand() % 600,
				rand() % 800, rand() % 600);
	}
	XSync(office->x, False);
}

static GC make_gc(struct office *office)
{
	XGCValues values = {.subwindow_mode = IncludeInferiors};
	return XCreateGC(office->x, DefaultRootWindow(office->x), GCSubwindowMode,
		&values);
}

static void shows_what_is_drawn(struct office *office, const char *encodings, int quality)
{
	GC gc = make_gc(office);
	draw_random(office, DefaultRootWindow(office->x), gc, 60);
	open_stream(office, ALL_RIGHTS, 0, encodings, quality);
	assert_string_equal(office->viewer.client->desktopName, "事務所");
	assert_same_picture(office);
	for (int round = 0; round < 5; round++) {
		draw_random(office, DefaultRootWindow(office->x), gc, 20);
		rfb_viewer_run(&office->viewer, 20);
	}
	assert_same_picture(office);
	XFreeGC(office->x, gc);
}

static void test_tight(void **state)
{
	shows_what_is_drawn(*state, "copyrect tight", LOSSLESS);
}

static void test_zrle(void **state)
{
	shows_what_is_drawn(*state, "copyrect zrle", LOSSLESS);
}

static void test_raw_without_copies(void **state)
{
	shows_what_is_drawn(*state, "raw", LOSSLESS);
}

/* With JPEG the picture mends to the exact one as soon as it rests. */
static void test_jpeg_mends(void **state)
{
	shows_what_is_drawn(*state, "copyrect tight", 3);
}

static void test_scrolls_and_moves_are_copies(void **state)
{
	struct office *office = *state;
	Window root = DefaultRootWindow(office->x);
	GC gc = make_gc(office);
	draw_random(office, root, gc, 800);
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	assert_same_picture(office);
	for (int round = 0; round < 30; round++) {
		int dx = round % 3 ? 0 : rand() % 60 - 30, dy = rand() % 80 - 40;
		XCopyArea(office->x, root, root, gc, 100, 100, 500, 350, 100 + dx,
			100 + dy);
		if (round % 4 == 0)
			draw_random(office, root, gc, 2);
		XSync(office->x, False);
		rfb_viewer_run(&office->viewer, round % 2 ? 5 : 40);
	}
	assert_same_picture(office);
	assert_true(office->viewer.copies > 500 * 350);
	XFreeGC(office->x, gc);
}

static void test_nothing_changes_nothing_sent(void **state)
{
	struct office *office = *state;
	GC gc = make_gc(office);
	Window root = DefaultRootWindow(office->x);
	open_stream(office, ALL_RIGHTS, 0, "tight", LOSSLESS);
	XSetForeground(office->x, gc, 0x123456);
	XFillRectangle(office->x, root, gc, 0, 0, 300, 300);
	XSync(office->x, False);
	assert_same_picture(office);
	rfb_viewer_run(&office->viewer, 300);
	int before = office->viewer.updates;
	for (int i = 0; i < 5; i++) { /* damage, but the same pixels */
		XFillRectangle(office->x, root, gc, 0, 0, 300, 300);
		XSync(office->x, False);
		rfb_viewer_run(&office->viewer, 30);
	}
	assert_in_range(office->viewer.updates - before, 0, 5);
	assert_int_equal(differences(office), 0);
	XFreeGC(office->x, gc);
}

/* Xvfb has one size only; Xvnc lets its clients choose. */
static int open_resizable_office(void **state)
{
	static const char *const words[] = {"Xvnc", "-geometry", "800x600", "-depth",
		"24", "-SecurityTypes", "None", "-rfbport", "-1", "-nolisten", "tcp",
		NULL};
	struct office *office = calloc(1, sizeof(*office));
	*state = office;
	assert_true(x_world_start_server(&office->world, words));
	return furnish(office);
}

static void resize_screen(struct office *office, const char *size)
{
	char command[64];
	snprintf(command, sizeof(command), "xrandr -s %s", size);
	assert_int_equal(x_world_call(&office->world, command), 0);
}

static void test_screen_resizes(void **state)
{
	struct office *office = *state;
	int width, height;
	GC gc = make_gc(office);
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	assert_same_picture(office);
	resize_screen(office, "640x480");
	draw_random(office, DefaultRootWindow(office->x), gc, 30);
	assert_same_picture(office);
	run_until_event(office, DESKTOP_EV_RESIZED);
	desktop_size(office->desktop, &width, &height);
	assert_int_equal(width, 640);
	assert_int_equal(height, 480);
	resize_screen(office, "1024x768");
	draw_random(office, DefaultRootWindow(office->x), gc, 30);
	assert_same_picture(office);
	XFreeGC(office->x, gc);
}

static void change_monitors(struct office *office, const char *change)
{
	char command[128];
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	int before = office->events[DESKTOP_EV_RESIZED];
	snprintf(command, sizeof(command), "xrandr %s", change);
	assert_int_equal(x_world_call(&office->world, command), 0);
	while (office->events[DESKTOP_EV_RESIZED] == before && clock_mono_ms() < until) {
		rfb_viewer_run(&office->viewer, 10);
		post_pump_run(office->pump, 10);
	}
	assert_true(office->events[DESKTOP_EV_RESIZED] > before);
	assert_same_picture(office);
}

/* The size of the screen stays, so that the server tells nobody. */
static void test_monitors_come_and_go(void **state)
{
	struct office *office = *state;
	int width, height;
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	assert_same_picture(office);
	change_monitors(office, "--setmonitor left 400/100x600/150+0+0 screen");
	change_monitors(office, "--setmonitor right 400/100x600/150+400+0 none");
	struct desktop_monitor monitors[DESKTOP_MONITORS_MAX];
	assert_int_equal(desktop_monitors(office->desktop, monitors), 2);
	int right = monitors[0].x ? 0 : 1;
	assert_int_equal(monitors[right].x, 400);
	assert_int_equal(monitors[right].width, 400);
	assert_int_equal(monitors[right].height, 600);
	change_monitors(office, "--delmonitor right");
	assert_int_equal(desktop_monitors(office->desktop, monitors), 1);
	/* A viewer that cannot be told of sizes has lost nothing. */
	desktop_size(office->desktop, &width, &height);
	assert_int_equal(width, 800);
	assert_int_equal(height, 600);
	assert_int_equal(office->events[DESKTOP_EV_STREAM_ENDED], 0);
}

static int keys_down(struct office *office)
{
	char keys[32];
	int count = 0;
	XQueryKeymap(office->x, keys);
	for (int i = 0; i < 32; i++)
		count += __builtin_popcount((unsigned char)keys[i]);
	return count;
}

static unsigned buttons_down(struct office *office)
{
	Window window;
	int at;
	unsigned mask;
	XQueryPointer(office->x, DefaultRootWindow(office->x), &window, &window, &at, &at,
		&at, &at, &mask);
	return mask & (Button1Mask | Button2Mask | Button3Mask);
}

static void await_keys_down(struct office *office, int count, int buttons)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while ((keys_down(office) != count || !buttons_down(office) != !buttons) &&
		clock_mono_ms() < until)
		usleep(10000);
	assert_int_equal(keys_down(office), count);
	assert_int_equal(!buttons_down(office), !buttons);
}

static void await_paste(struct office *office, const char *text)
{
	char path[96], command[256];
	snprintf(path, sizeof(path), "%s/pasted", office->dir);
	snprintf(command, sizeof(command),
		"timeout 20 xclip -selection clipboard -o > %s", path);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	char *now = NULL;
	do {
		free(now);
		x_world_call(&office->world, command);
		now = x_world_file(path);
	} while ((!now || strcmp(now, text) != 0) && clock_mono_ms() < until);
	assert_non_null(now);
	assert_true(!strcmp(now, text));
	free(now);
}

/* Window managers grab the server while a button is down, and let it go when the button goes up: by us. */
static void test_a_grabbed_server_locks_nobody_out(void **state)
{
	struct office *office = *state;
	char text[] = "pasted meanwhile";
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	assert_same_picture(office);
	XGrabServer(office->x);
	XSync(office->x, False);
	assert_int_equal(desktop_clipboard_set(office->desktop, text, sizeof(text) - 1),
		0);
	GC gc = make_gc(office);
	draw_random(office, DefaultRootWindow(office->x), gc, 30);
	SendKeyEvent(office->viewer.client, XK_a, TRUE);
	SendPointerEvent(office->viewer.client, 50, 60, 1);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while ((keys_down(office) != 1 || !buttons_down(office)) &&
		clock_mono_ms() < until)
		rfb_viewer_run(&office->viewer, 10);
	assert_int_equal(keys_down(office), 1);
	assert_same_picture(office);
	XUngrabServer(office->x);
	XSync(office->x, False);
	XFreeGC(office->x, gc);
	await_paste(office, text);
}

/* ---- the gate ---- */

static void test_closed_gate_holds_pictures_not_keys(void **state)
{
	struct office *office = *state;
	GC gc = make_gc(office);
	char keys[32];
	open_stream(office, ALL_RIGHTS, 0, "tight", LOSSLESS);
	assert_same_picture(office);
	gate_set(office->gate, 0, 1000000);
	rfb_viewer_run(&office->viewer, 50);
	int before = office->viewer.updates;
	draw_random(office, DefaultRootWindow(office->x), gc, 30);
	SendKeyEvent(office->viewer.client, XK_a, TRUE);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	KeyCode code = XKeysymToKeycode(office->x, XK_a);
	do {
		rfb_viewer_run(&office->viewer, 10);
		XQueryKeymap(office->x, keys);
	} while (!(keys[code / 8] & 1 << code % 8) && clock_mono_ms() < until);
	assert_true(keys[code / 8] & 1 << code % 8);
	assert_int_equal(office->viewer.updates, before);
	gate_set(office->gate, WIDE_OPEN, 1000000);
	assert_same_picture(office);
	XFreeGC(office->x, gc);
}

/* A viewer that reads nothing, and a gate that is wide open: what fits the stream is sent, the rest waits
 * without holding the desktop thread. */
static void test_a_viewer_that_does_not_read(void **state)
{
	struct office *office = *state;
	GC gc = make_gc(office);
	draw_random(office, DefaultRootWindow(office->x), gc, 200);
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	for (int round = 0; round < 5; round++) {
		usleep(50000);
		draw_random(office, DefaultRootWindow(office->x), gc, 50);
	}
	SendKeyEvent(office->viewer.client, XK_a, TRUE);
	await_keys_down(office, 1, 0);
	assert_same_picture(office);
	XFreeGC(office->x, gc);
}

/* ---- keys ---- */

static void type_keysym(struct office *office, uint32_t keysym)
{
	SendKeyEvent(office->viewer.client, keysym, TRUE);
	SendKeyEvent(office->viewer.client, keysym, FALSE);
}

/* As viewers do it: Latin-1 as it is, everything else by the Unicode rule. */
static void type_text(struct office *office, const char *utf8)
{
	const unsigned char *at = (const unsigned char *)utf8;
	while (*at) {
		uint32_t c = *at++;
		int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
		if (more)
			c &= 0x3fu >> more;
		while (more--)
			c = c << 6 | (*at++ & 0x3f);
		type_keysym(office, c == '\n'   ? XK_Return
				    : c < 0x100 ? c
						: 0x01000000 + c);
		rfb_viewer_run(&office->viewer, 1);
	}
}

static void await_file(struct office *office, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", office->dir, name);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	char *now = NULL;
	do {
		free(now);
		rfb_viewer_run(&office->viewer, 50);
		now = x_world_file(path);
	} while ((!now || strlen(now) < strlen(text)) && clock_mono_ms() < until);
	assert_non_null(now);
	assert_string_equal(now, text);
	free(now);
}

static void start_terminal(struct office *office)
{
	char command[256], path[96];
	struct stat about;
	snprintf(command, sizeof(command),
		"cd %s && LC_ALL=C.UTF-8 exec xterm -u8 -e sh -c 'touch ready; cat > "
		"typed'",
		office->dir);
	snprintf(path, sizeof(path), "%s/ready", office->dir);
	x_world_run(&office->world, command);
	for (int i = 0; i < X_WORLD_TRIES && stat(path, &about) < 0; i++)
		rfb_viewer_run(&office->viewer, 20);
	/* Without a window manager the keys go where the pointer is. */
	SendPointerEvent(office->viewer.client, 100, 100, 0);
	rfb_viewer_run(&office->viewer, 500);
}

static void test_every_character_arrives(void **state)
{
	static const char text[] =
		"The quick (brown) FOX: {jumps} ~over~ \"it\" & <100%> #_^|\\@`';=+*?!/\n"
		"すもももももももものうち、東京都千代田区。カタカナ「ー」漢字混じり\n"
		"àéîõü ÄÖÜß ñ ç €¥£ Ωλπ Привет 한국어 🍣🏯\n";
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	start_terminal(office);
	type_text(office, text);
	await_file(office, "typed", text);
}

/* GTK looks keys up in its own way: typed into an editor, saved with Ctrl+S. */
static void test_text_in_a_gtk_editor(void **state)
{
	static const char text[] =
		"Hello, World! \"quoted\" {x}\n日本語の文章、カタカナ。é ß €\n";
	struct office *office = *state;
	char command[400];
	snprintf(command, sizeof(command),
		"cd %s && touch typed && HOME=%s LC_ALL=C.UTF-8 GSETTINGS_BACKEND=memory "
		"NO_AT_BRIDGE=1 "
		"exec dbus-run-session mousepad --disable-server typed",
		office->dir, office->dir);
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	x_world_run(&office->world, "exec openbox");
	x_world_run(&office->world, command);
	assert_int_equal(
		x_world_call(&office->world,
			"timeout 60 xdotool search --sync --onlyvisible --class mousepad "
			"windowfocus --sync"),
		0);
	rfb_viewer_run(&office->viewer, 1500);
	type_text(office, text);
	rfb_viewer_run(&office->viewer, 1000);
	SendKeyEvent(office->viewer.client, XK_Control_L, TRUE);
	type_keysym(office, XK_s);
	SendKeyEvent(office->viewer.client, XK_Control_L, FALSE);
	await_file(office, "typed", text);
}

/* Hundreds of different characters, many more than there are spare keycodes. */
static void test_long_japanese_text_arrives(void **state)
{
	char text[2048], *at = text;
	struct office *office = *state;
	for (unsigned c = 0x4e00; c < 0x4e00 + 250; c++) {
		*at++ = (char)(0xe0 | c >> 12);
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
		*at++ = (char)(0x80 | (c & 0x3f));
	}
	*at++ = '\n';
	*at = 0;
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	start_terminal(office);
	type_text(office, text);
	await_file(office, "typed", text);
}

static void test_japanese_layout(void **state)
{
	static const char text[] = "\"&'()=~|`{+*}<>?_ @[;:],./\\^-¥ aZ あ\n";
	struct office *office = *state;
	assert_int_equal(x_world_call(&office->world,
				 "setxkbmap -model jp106 -layout jp || setxkbmap jp"),
		0);
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	start_terminal(office);
	type_text(office, text);
	await_file(office, "typed", text);
}

/* The viewer's Shift is really held while the character needs none here, and the other way round. */
static void test_shift_and_caps_of_the_viewer(void **state)
{
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	start_terminal(office);
	SendKeyEvent(office->viewer.client, XK_Shift_L, TRUE);
	type_text(office, "a2Ab@");
	SendKeyEvent(office->viewer.client, XK_Shift_L, FALSE);
	type_text(office, "aB");
	type_keysym(office, XK_Caps_Lock);
	type_text(office, "cD2\"");
	type_keysym(office, XK_Caps_Lock);
	type_text(office, "eF\n");
	await_file(office, "typed", "a2Ab@aBcD2\"eF\n");
}

/* The network may hang between "down" and "up"; only the viewer's own repeats count. */
static void test_a_held_key_types_once(void **state)
{
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "copyrect tight", LOSSLESS);
	start_terminal(office);
	SendKeyEvent(office->viewer.client, XK_a, TRUE);
	rfb_viewer_run(&office->viewer, 1500);
	SendKeyEvent(office->viewer.client, XK_a, FALSE);
	SendKeyEvent(office->viewer.client, XK_b, TRUE);
	SendKeyEvent(office->viewer.client, XK_b, TRUE);
	SendKeyEvent(office->viewer.client, XK_b, TRUE);
	SendKeyEvent(office->viewer.client, XK_b, FALSE);
	type_text(office, "\n");
	await_file(office, "typed", "abbb\n");
}

static void hold_things(struct office *office)
{
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	SendKeyEvent(office->viewer.client, XK_Control_L, TRUE);
	SendKeyEvent(office->viewer.client, XK_x, TRUE);
	SendKeyEvent(office->viewer.client, 0x01000000 + 0x732b, TRUE); /* 猫 */
	SendPointerEvent(office->viewer.client, 50, 60, 1);
	await_keys_down(office, 3, 1);
}

static void test_held_keys_go_up(void **state)
{
	struct office *office = *state;
	hold_things(office);
	desktop_close_stream(office->desktop);
	await_keys_down(office, 0, 0);
	hold_things(office);
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS); /* replaces the stream */
	await_keys_down(office, 0, 0);
	hold_things(office);
	shutdown(office->viewer.client->sock, SHUT_RDWR); /* breaks off */
	await_keys_down(office, 0, 0);
	hold_things(office);
	desktop_rights(office->desktop, DESKTOP_VIEW); /* narrowed */
	await_keys_down(office, 0, 0);
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	hold_things(office);
	desktop_free(office->desktop);
	office->desktop = NULL;
	await_keys_down(office, 0, 0);
}

static void test_looking_is_not_touching(void **state)
{
	struct office *office = *state;
	open_stream(office, DESKTOP_VIEW, 0, "raw", LOSSLESS);
	SendKeyEvent(office->viewer.client, XK_x, TRUE);
	SendPointerEvent(office->viewer.client, 50, 60, 1);
	assert_same_picture(office);
	await_keys_down(office, 0, 0);
}

static void test_no_view_no_pixels(void **state)
{
	struct office *office = *state;
	open_stream(office, DESKTOP_CONTROL, 0, "raw", LOSSLESS);
	rfb_viewer_run(&office->viewer, 300);
	assert_int_equal(office->viewer.updates, 0);
}

/* ---- clipboard ---- */

static void copy_in_office(struct office *office, const char *text)
{
	char path[96], command[256];
	snprintf(path, sizeof(path), "%s/copied", office->dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
	snprintf(command, sizeof(command), "exec xclip -quiet -selection clipboard -i %s",
		path);
	x_world_run(&office->world, command);
}

static void test_clipboard_both_ways(void **state)
{
	static const char here[] = "自宅でコピー\nline two\n",
			  there[] = "会社でコピー 🍣\n";
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_int_equal(desktop_clipboard_set(office->desktop, here, sizeof(here) - 1),
		0);
	await_paste(office, here);
	copy_in_office(office, there);
	run_until_event(office, DESKTOP_EV_CLIPBOARD);
	assert_string_equal(office->clipboard, there);
	/* What came from the viewer never goes back to it. */
	assert_int_equal(office->events[DESKTOP_EV_CLIPBOARD], 1);
	assert_int_equal(desktop_clipboard_set(office->desktop, here, sizeof(here) - 1),
		0);
	await_paste(office, here);
	post_pump_run(office->pump, 200);
	assert_int_equal(office->events[DESKTOP_EV_CLIPBOARD], 1);
}

static void test_large_clipboard(void **state)
{
	struct office *office = *state;
	size_t len = DESKTOP_CLIPBOARD_MAX - 1;
	char *text = malloc(len + 2);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i * 7 % 26);
	text[len] = 0;
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_int_equal(desktop_clipboard_set(office->desktop, text, len), 0);
	await_paste(office, text);
	text[0] = 'X';
	copy_in_office(office, text);
	run_until_event(office, DESKTOP_EV_CLIPBOARD);
	assert_int_equal(office->clipboard_len, len);
	assert_true(!strcmp(office->clipboard, text));
	assert_int_equal(desktop_clipboard_set(office->desktop, text,
				 DESKTOP_CLIPBOARD_MAX + 1),
		-REASON_LIMIT);
	free(text);
}

static void test_clipboard_rights(void **state)
{
	struct office *office = *state;
	open_stream(office, DESKTOP_VIEW, DESKTOP_RFB_CLIPBOARD, "raw", LOSSLESS);
	assert_int_equal(desktop_clipboard_set(office->desktop, "x", 1), -REASON_VETO);
	copy_in_office(office, "geheim");
	await_paste(office, "geheim");
	char text[] = "from the viewer";
	SendClientCutText(office->viewer.client, text, (int)strlen(text));
	rfb_viewer_run(&office->viewer, 200);
	post_pump_run(office->pump, 100);
	await_paste(office, "geheim");
	assert_int_equal(office->events[DESKTOP_EV_CLIPBOARD], 0);
	assert_null(office->viewer.cut_text);
}

static void test_rfb_clipboard(void **state)
{
	struct office *office = *state;
	char text[] = "caf\xe9"; /* cut text is Latin-1 */
	open_stream(office, ALL_RIGHTS, DESKTOP_RFB_CLIPBOARD, "raw", LOSSLESS);
	rfb_viewer_run(&office->viewer, 100);
	SendClientCutText(office->viewer.client, text, (int)strlen(text));
	await_paste(office, "café");
	copy_in_office(office, "thé");
	run_until_event(office, DESKTOP_EV_CLIPBOARD);
	for (int i = 0; i < 200 && !office->viewer.cut_text; i++)
		rfb_viewer_run(&office->viewer, 20);
	assert_non_null(office->viewer.cut_text);
	assert_string_equal(office->viewer.cut_text, "th\xe9");
}

/* ---- the sign ---- */

static Window find_sign(struct office *office, XWindowAttributes *ret)
{
	Window root, parent, *children = NULL, found = None;
	unsigned count = 0;
	XQueryTree(office->x, DefaultRootWindow(office->x), &root, &parent, &children,
		&count);
	for (unsigned i = 0; i < count; i++) {
		char *name = NULL;
		if (XFetchName(office->x, children[i], &name) && name &&
			!strcmp(name, "engawa") &&
			XGetWindowAttributes(office->x, children[i], ret))
			found = children[i];
		if (name)
			XFree(name);
	}
	if (children)
		XFree(children);
	return found;
}

static void test_sign_ends_the_session(void **state)
{
	struct office *office = *state;
	XWindowAttributes about = {0};
	Window focus, still;
	int revert;
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	XGetInputFocus(office->x, &focus, &revert);
	assert_int_equal(desktop_sign(office->desktop, "遠隔操作中: 山田太郎", "終了"),
		0);
	/* The sign has a thread and a connection of its own. */
	for (int tries = 0; tries < 400 && !(find_sign(office, &about) != None &&
						   about.map_state == IsViewable);
		tries++)
		usleep(100000);
	assert_true(find_sign(office, &about) != None);
	assert_int_equal(about.override_redirect, True);
	assert_int_equal(about.map_state, IsViewable);
	assert_in_range(about.height, 10, 60);
	XGetInputFocus(office->x, &still, &revert);
	assert_true(focus == still);
	int x = about.x + about.width - 5, y = about.y + about.height / 2;
	SendPointerEvent(office->viewer.client, x, y, 0);
	SendPointerEvent(office->viewer.client, x, y, 1);
	SendPointerEvent(office->viewer.client, x, y, 0);
	run_until_event(office, DESKTOP_EV_ENDED_BY_PERSON);
	assert_int_equal(desktop_sign(office->desktop, NULL, NULL), 0);
	for (int tries = 0; tries < 400 && find_sign(office, &about) != None; tries++)
		usleep(100000);
	assert_true(find_sign(office, &about) == None);
}

static void test_lock_runs_the_command(void **state)
{
	struct office *office = *state;
	char command[160], wanted[32];
	desktop_free(office->desktop);
	snprintf(command, sizeof(command), "echo $DISPLAY > %s/locked", office->dir);
	const struct desktop_config config = {.kind = DESKTOP_X11,
		.display = office->world.display,
		.lock_command = command};
	const struct desktop_events events = {
		post_pump_box(office->pump), on_event, office};
	assert_int_equal(desktop_new(&config, &events, &office->desktop), 0);
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	desktop_lock(office->desktop);
	snprintf(wanted, sizeof(wanted), "%s\n", office->world.display);
	await_file(office, "locked", wanted);
}

/* ---- safety ---- */

static void test_shared_memory_is_private(void **state)
{
	(void)state;
	FILE *file = fopen("/proc/sysvipc/shm", "r");
	char line[512];
	int ours = 0;
	if (!file)
		skip();
	while (fgets(line, sizeof(line), file)) {
		unsigned key, perms;
		long id, size, creator;
		if (sscanf(line, "%u %ld %o %ld %ld", &key, &id, &perms, &size,
			    &creator) != 5 ||
			creator != getpid())
			continue;
		ours++;
		assert_int_equal(perms & 0777, 0600);
		assert_true(perms &
			    01000); /* marked for destruction: no name, no leftover */
	}
	fclose(file);
	assert_true(ours > 0);
}

/* 1: one of our descriptors is this socket. */
static int is_ours(unsigned long inode)
{
	char wanted[64], path[300], target[64];
	struct dirent *entry;
	int found = 0;
	DIR *dir = opendir("/proc/self/fd");
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		ssize_t len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = 0;
		found |= !strcmp(target, wanted);
	}
	closedir(dir);
	return found;
}

static void assert_none_listening(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		unsigned status;
		unsigned long inode;
		if (sscanf(line, "%*d: %*s %*s %x %*s %*s %*s %*s %*s %lu", &status,
			    &inode) == 2 &&
			status == 0x0a)
			assert_false(is_ours(inode));
	}
	fclose(file);
}

static void test_nothing_listens(void **state)
{
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_same_picture(office);
	assert_none_listening("/proc/self/net/tcp");
	assert_none_listening("/proc/self/net/tcp6");
}

static void test_file_transfer_ends_the_stream(void **state)
{
	struct office *office = *state;
	static const char file_transfer[12] = {7, 1, 0, 0};
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_same_picture(office);
	assert_int_equal(write(office->viewer.client->sock, file_transfer,
				 sizeof(file_transfer)),
		sizeof(file_transfer));
	run_until_event(office, DESKTOP_EV_STREAM_ENDED);
	assert_int_equal(office->reason, REASON_PROTOCOL);
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_same_picture(office);
}

static void test_x_server_dies(void **state)
{
	struct office *office = *state;
	open_stream(office, ALL_RIGHTS, 0, "raw", LOSSLESS);
	assert_same_picture(office);
	assert_int_equal(desktop_sign(office->desktop, "sign", NULL), 0);
	XCloseDisplay(office->x);
	office->x = NULL;
	x_world_kill_server(&office->world);
	run_until_event(office, DESKTOP_EV_SOURCE_LOST);
	assert_int_equal(office->reason, REASON_NO_DISPLAY);
}

static void test_no_display(void **state)
{
	(void)state;
	struct desktop *desktop = NULL;
	struct post_pump *pump;
	assert_int_equal(post_pump_new(&pump), 0);
	const struct desktop_events events = {post_pump_box(pump), on_event, NULL};
	const struct desktop_config x11 = {.kind = DESKTOP_X11, .display = ":9999"};
	assert_int_equal(desktop_new(&x11, &events, &desktop), -REASON_NO_DISPLAY);
	const struct desktop_config vnc = {
		.kind = DESKTOP_VNC, .vnc_host = "127.0.0.1", .vnc_port = 1};
	assert_int_equal(desktop_new(&vnc, &events, &desktop), -REASON_VNC_UNREACHABLE);
	assert_null(desktop);
	post_pump_free(pump);
}

#define IN_OFFICE(test) cmocka_unit_test_setup_teardown(test, open_office, close_office)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(test_tight),
		IN_OFFICE(test_zrle),
		IN_OFFICE(test_raw_without_copies),
		IN_OFFICE(test_jpeg_mends),
		IN_OFFICE(test_scrolls_and_moves_are_copies),
		IN_OFFICE(test_nothing_changes_nothing_sent),
		cmocka_unit_test_setup_teardown(test_screen_resizes,
			open_resizable_office, close_office),
		IN_OFFICE(test_monitors_come_and_go),
		IN_OFFICE(test_a_grabbed_server_locks_nobody_out),
		IN_OFFICE(test_closed_gate_holds_pictures_not_keys),
		IN_OFFICE(test_a_viewer_that_does_not_read),
		IN_OFFICE(test_every_character_arrives),
		IN_OFFICE(test_text_in_a_gtk_editor),
		IN_OFFICE(test_long_japanese_text_arrives),
		IN_OFFICE(test_japanese_layout),
		IN_OFFICE(test_shift_and_caps_of_the_viewer),
		IN_OFFICE(test_a_held_key_types_once),
		IN_OFFICE(test_held_keys_go_up),
		IN_OFFICE(test_looking_is_not_touching),
		IN_OFFICE(test_no_view_no_pixels),
		IN_OFFICE(test_clipboard_both_ways),
		IN_OFFICE(test_large_clipboard),
		IN_OFFICE(test_clipboard_rights),
		IN_OFFICE(test_rfb_clipboard),
		IN_OFFICE(test_sign_ends_the_session),
		IN_OFFICE(test_lock_runs_the_command),
		IN_OFFICE(test_shared_memory_is_private),
		IN_OFFICE(test_nothing_listens),
		IN_OFFICE(test_file_transfer_ends_the_stream),
		IN_OFFICE(test_x_server_dies),
		cmocka_unit_test(test_no_display),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
