/* What is typed directly behind a paste comes to the program behind the text: on a real X server, with a program
 * that asks for the text as late as toolkits do. */
#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <setjmp.h>
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
#define TEXT_MOST 4096
/* The programs of a busy machine ask late. */
#define PASTE_WAIT_MS 20000
#define SHORT_WAIT_MS 200

struct office {
	struct x_world world;
	struct post_pump *pump;
	struct desktop *desktop;
	struct gate *gate;
	struct rfb_viewer viewer;
	Display *x; /* the program's */
	Window window;
	int late; /* turns for which it goes on reading keys before it asks */
	int deaf;
	char text[TEXT_MOST];
};

static void on_event(void *ctx, const struct desktop_event *event)
{
	(void)ctx;
	(void)event;
}

static void open_stream(struct office *office)
{
	int fd;
	assert_int_equal(gate_new(&office->gate), 0);
	gate_set(office->gate, WIDE_OPEN, 100000000);
	assert_int_equal(desktop_open_stream(office->desktop, ALL_RIGHTS, 0, office->gate,
				 &fd),
		0);
	assert_true(rfb_viewer_open(&office->viewer, fd, "raw", -1));
}

/* A window that has the keys; without a window manager the program takes them itself. */
static void open_window(struct office *office)
{
	XEvent event;
	office->window = XCreateSimpleWindow(office->x, DefaultRootWindow(office->x), 0,
		0, 300, 300, 0, 0, 0);
	XSelectInput(office->x, office->window,
		KeyPressMask | ButtonPressMask | ButtonReleaseMask | ExposureMask);
	XMapWindow(office->x, office->window);
	XWindowEvent(office->x, office->window, ExposureMask, &event);
	XSetInputFocus(office->x, office->window, RevertToParent, CurrentTime);
	XSync(office->x, False);
}

static int open_office_with(void **state, int64_t paste_wait_ms)
{
	struct office *office = calloc(1, sizeof(*office));
	*state = office;
	assert_true(x_world_start(&office->world, "640x480x24"));
	const struct desktop_config config = {.kind = DESKTOP_X11,
		.display = office->world.display,
		.name = "office",
		.paste_wait_ms = paste_wait_ms};
	office->x = XOpenDisplay(office->world.display);
	assert_non_null(office->x);
	assert_int_equal(post_pump_new(&office->pump), 0);
	const struct desktop_events events = {
		post_pump_box(office->pump), on_event, office};
	assert_int_equal(desktop_new(&config, &events, &office->desktop), 0);
	open_window(office);
	open_stream(office);
	return 0;
}

static int open_office(void **state)
{
	return open_office_with(state, PASTE_WAIT_MS);
}

/* For tests of what happens when nobody asks. */
static int open_hasty_office(void **state)
{
	return open_office_with(state, SHORT_WAIT_MS);
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

/* ---- the program ---- */

static void append(struct office *office, const char *text, size_t len)
{
	size_t used = strlen(office->text);
	assert_true(used + len < TEXT_MOST);
	memcpy(office->text + used, text, len);
	office->text[used + len] = 0;
}

static void ask(struct office *office, Atom selection, const char *target)
{
	XConvertSelection(office->x, selection, XInternAtom(office->x, target, False),
		XInternAtom(office->x, "ANSWER", False), office->window, CurrentTime);
}

static void paste(struct office *office, Atom selection)
{
	/* As toolkits do: first what there is, then the text. */
	ask(office, selection, "TARGETS");
}

static void on_answer(struct office *office, const XSelectionEvent *event)
{
	Atom kind;
	int format;
	unsigned long count, left;
	unsigned char *bytes = NULL;
	if (event->property == None)
		return;
	if (event->target == XInternAtom(office->x, "TARGETS", False))
		return ask(office, event->selection, "UTF8_STRING");
	XGetWindowProperty(office->x, office->window, event->property, 0, TEXT_MOST, True,
		AnyPropertyType, &kind, &format, &count, &left, &bytes);
	append(office, (const char *)bytes, count);
	XFree(bytes);
}

static void on_key(struct office *office, XKeyEvent *event)
{
	char text[8];
	KeySym keysym;
	int len = XLookupString(event, text, sizeof(text), &keysym, NULL);
	if (office->deaf && (event->state & ControlMask))
		return;
	if ((keysym == XK_v || keysym == XK_V) && (event->state & ControlMask)) {
		usleep((useconds_t)office->late);
		paste(office, XInternAtom(office->x, "CLIPBOARD", False));
	} else if (keysym == XK_Insert && (event->state & ShiftMask)) {
		usleep((useconds_t)office->late);
		paste(office, XA_PRIMARY);
	} else if (len == 1 && text[0] > ' ') {
		append(office, text, 1);
	}
}

static void run_program(struct office *office)
{
	while (XPending(office->x)) {
		XEvent event;
		XNextEvent(office->x, &event);
		if (event.type == KeyPress)
			on_key(office, &event.xkey);
		else if (event.type == ButtonRelease && event.xbutton.button == 2)
			paste(office, XA_PRIMARY);
		else if (event.type == SelectionNotify)
			on_answer(office, &event.xselection);
	}
}

static void await_text(struct office *office, const char *text)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	while (strlen(office->text) < strlen(text) && clock_mono_ms() < until) {
		run_program(office);
		rfb_viewer_run(&office->viewer, 1);
	}
	assert_string_equal(office->text, text);
}

/* ---- the viewer's hand ---- */

static void key(struct office *office, uint32_t keysym, int down)
{
	SendKeyEvent(office->viewer.client, keysym, down ? TRUE : FALSE);
}

static void tap(struct office *office, uint32_t keysym)
{
	key(office, keysym, 1);
	key(office, keysym, 0);
}

static void chord(struct office *office, uint32_t modifier, uint32_t keysym)
{
	key(office, modifier, 1);
	tap(office, keysym);
	key(office, modifier, 0);
}

static void middle_click(struct office *office)
{
	SendPointerEvent(office->viewer.client, 50, 50, 0);
	SendPointerEvent(office->viewer.client, 50, 50, 2);
	SendPointerEvent(office->viewer.client, 50, 50, 0);
}

static void offer(struct office *office, const char *text)
{
	assert_int_equal(desktop_clipboard_set(office->desktop, text, strlen(text)), 0);
}

static void await_keys_up(struct office *office)
{
	char keys[32], none[32] = {0};
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	do {
		run_program(office);
		rfb_viewer_run(&office->viewer, 5);
		XQueryKeymap(office->x, keys);
	} while (memcmp(keys, none, sizeof(keys)) != 0 && clock_mono_ms() < until);
	assert_memory_equal(keys, none, sizeof(keys));
}

/* Texts and keys come to the desktop by two ways: whoever asked for a picture behind the keys and has it knows that
 * they were read. */
static void await_heard(struct office *office)
{
	int before = office->viewer.updates;
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	assert_true(SendFramebufferUpdateRequest(office->viewer.client, 0, 0, 1, 1,
		FALSE));
	while (office->viewer.updates == before && clock_mono_ms() < until)
		rfb_viewer_run(&office->viewer, 1);
	assert_true(office->viewer.updates > before);
}

/* ---- tests ---- */

static void test_keys_come_behind_the_text(void **state)
{
	struct office *office = *state;
	char expected[TEXT_MOST] = "";
	for (int i = 0; i < 20; i++) {
		char text[32];
		snprintf(text, sizeof(text), "(paste%d)", i);
		office->late = i % 4 * 20000;
		/* A new text each time, and the keys in the same breath: never an older one either. */
		offer(office, text);
		tap(office, 'a');
		chord(office, XK_Control_L, 'v');
		tap(office, 'b');
		tap(office, 'c');
		strcat(strcat(strcat(expected, "a"), text), "bc");
		await_text(office, expected);
	}
	chord(office, XK_Shift_L, XK_Insert);
	tap(office, 'd');
	middle_click(office);
	tap(office, 'e');
	await_text(office, strcat(expected, "(paste19)d(paste19)e"));
	await_keys_up(office);
}

static void test_several_pastes_in_one_breath(void **state)
{
	struct office *office = *state;
	office->late = 20000;
	offer(office, "12");
	for (int i = 0; i < 5; i++) {
		chord(office, XK_Control_L, 'v');
		tap(office, 'x');
	}
	await_text(office, "12x12x12x12x12x");
	await_keys_up(office);
}

/* A text that is copied behind a paste is not what the paste brings. */
static void test_several_texts_in_one_breath(void **state)
{
	struct office *office = *state;
	char expected[TEXT_MOST] = "";
	office->late = 20000;
	for (int i = 0; i < 5; i++) {
		char text[32];
		snprintf(text, sizeof(text), "(paste%d)", i);
		offer(office, text);
		chord(office, XK_Control_L, 'v');
		tap(office, 'x');
		/* The program asks for it while the next is offered. */
		await_heard(office);
		strcat(strcat(expected, text), "x");
	}
	await_text(office, expected);
	await_keys_up(office);
}

/* A terminal takes Ctrl+V for a key like others. */
static void test_a_program_that_does_not_ask(void **state)
{
	struct office *office = *state;
	office->deaf = 1;
	offer(office, "text");
	for (int i = 0; i < 3; i++) {
		chord(office, XK_Control_L, 'v');
		tap(office, 'y');
	}
	await_text(office, "yyy");
	/* One that asks after all is waited for again. */
	office->deaf = 0;
	chord(office, XK_Control_L, 'v');
	await_text(office, "yyytext");
	await_keys_up(office);
}

/* What was typed is typed, also when the line breaks in the middle; and nothing stays down. */
static void test_the_line_breaks_behind_a_paste(void **state)
{
	struct office *office = *state;
	offer(office, "never asked for");
	key(office, XK_Control_L, 1);
	tap(office, 'v');
	key(office, XK_Control_L, 0);
	key(office, 'q', 1);
	rfb_viewer_run(&office->viewer, 20);
	desktop_let_go(office->desktop);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	XEvent event;
	KeySym keysym = NoSymbol;
	while (keysym != XK_q && clock_mono_ms() < until)
		if (XCheckTypedEvent(office->x, KeyPress, &event))
			keysym = XLookupKeysym(&event.xkey, 0);
		else
			usleep(5000);
	assert_int_equal(keysym, XK_q);
	await_keys_up(office);
}

/* Others ask for each text that is offered, too: a clipboard manager has not the keys. */
static void test_a_clipboard_manager(void **state)
{
	struct office *office = *state;
	Display *x = XOpenDisplay(office->world.display);
	assert_non_null(x);
	Window window = XCreateSimpleWindow(x, DefaultRootWindow(x), 0, 0, 1, 1, 0, 0, 0);
	Atom clipboard = XInternAtom(x, "CLIPBOARD", False);
	office->late = 80000;
	offer(office, "(text)");
	chord(office, XK_Control_L, 'v');
	tap(office, 'k');
	/* It is given the text while the program has not even seen the key. */
	XEvent event;
	rfb_viewer_run(&office->viewer, 20);
	XConvertSelection(x, clipboard, XInternAtom(x, "UTF8_STRING", False),
		XInternAtom(x, "ANSWER", False), window, CurrentTime);
	XSync(x, False);
	do
		XNextEvent(x, &event);
	while (event.type != SelectionNotify);
	await_text(office, "(text)k");
	XCloseDisplay(x);
}

#define IN_OFFICE(test) cmocka_unit_test_setup_teardown(test, open_office, close_office)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(test_keys_come_behind_the_text),
		IN_OFFICE(test_several_pastes_in_one_breath),
		IN_OFFICE(test_several_texts_in_one_breath),
		cmocka_unit_test_setup_teardown(test_a_program_that_does_not_ask,
			open_hasty_office, close_office),
		IN_OFFICE(test_the_line_breaks_behind_a_paste),
		IN_OFFICE(test_a_clipboard_manager),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
