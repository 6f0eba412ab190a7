#include "sign/x11_panel.h"

#include <X11/Xft/Xft.h>
#include <X11/Xutil.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "screen/x11_display.h"
#include "screen/x11_layout.h"
#include "screen/x11_turn.h"

#define FONT "sans-serif:size=10:lang=ja"
#define PADDING 8
#define RAISE_EVERY_US                                                                   \
	500000 /* two programs that both want to be on top must not fight */
#define BACK 0x263238
#define INK 0xffff

/* The button that ends or refuses is red, the one that permits is green. */
static const unsigned long button_backs[][X11_PANEL_BUTTONS] = {
	{0xb71c1c, 0}, {0x2e7d32, 0xb71c1c}};

struct x11_panel {
	/* shared */
	atomic_int holders; /* the owner and the thread */
	pthread_mutex_t lock;
	int stopped; /* under the lock, which is held while `fn` runs */
	int stop_fd;

	/* the thread's */
	x11_panel_fn fn;
	void *ctx;
	char *display_name;
	enum x11_panel_place place;
	char lines[X11_PANEL_LINES][X11_PANEL_TEXT];
	char buttons[X11_PANEL_BUTTONS][X11_PANEL_TEXT];
	char count_before[X11_PANEL_TEXT], count_after[X11_PANEL_TEXT];
	size_t line_count, button_count;
	int64_t until_ms, seconds; /* monotonic; what is shown */
	struct x11_display *display;
	Window window;
	XftFont *font;
	XftDraw *draw;
	XftColor ink;
	GC gc;
	int x, y, width, height, row, button_x[X11_PANEL_BUTTONS + 1], button_y;
	int dragging, drag_x, drag_y, pressed; /* 1 + the button that is down */
	int told;
	int64_t raised_us;
};

/* ---- what it says -------------------------------------------------------------------------- */

static void tell(struct x11_panel *panel, enum x11_panel_word word)
{
	pthread_mutex_lock(&panel->lock);
	int last = word == X11_PANEL_TIME_UP || word == X11_PANEL_FAILED;
	if (!panel->stopped && !(last && panel->told))
		panel->fn(panel->ctx, word);
	panel->told |= last;
	pthread_mutex_unlock(&panel->lock);
}

/* ---- how it looks -------------------------------------------------------------------------- */

static int text_width(const struct x11_panel *panel, const char *text)
{
	XGlyphInfo extents;
	XftTextExtentsUtf8(panel->display->x, panel->font, (const FcChar8 *)text,
		(int)strlen(text), &extents);
	return extents.xOff;
}

static void count_text(const struct x11_panel *panel, int64_t seconds,
	char ret[static 2 * X11_PANEL_TEXT + 24])
{
	snprintf(ret, 2 * X11_PANEL_TEXT + 24, "%s%lld%s", panel->count_before,
		(long long)seconds, panel->count_after);
}

static int counts(const struct x11_panel *panel)
{
	return *panel->count_before || *panel->count_after;
}

static int is_bar(const struct x11_panel *panel)
{
	return panel->line_count == 1 && !counts(panel);
}

static void draw_text(struct x11_panel *panel, int x, int top, const char *text)
{
	int y = top + (panel->row + panel->font->ascent - panel->font->descent) / 2;
	XftDrawStringUtf8(panel->draw, &panel->ink, panel->font, x, y,
		(const FcChar8 *)text, (int)strlen(text));
}

static void paint_buttons(struct x11_panel *panel)
{
	Display *x = panel->display->x;
	for (size_t i = 0; i < panel->button_count; i++) {
		int left = panel->button_x[i], right = panel->button_x[i + 1];
		XSetForeground(x, panel->gc, button_backs[panel->button_count - 1][i]);
		XFillRectangle(x, panel->window, panel->gc, left, panel->button_y,
			(unsigned)(right - left), (unsigned)panel->row);
		int middle = (right - left - text_width(panel, panel->buttons[i])) / 2;
		draw_text(panel, left + middle, panel->button_y, panel->buttons[i]);
	}
}

static void paint(struct x11_panel *panel)
{
	Display *x = panel->display->x;
	char count[2 * X11_PANEL_TEXT + 24];
	int mine = x11_turn_take();
	XSetForeground(x, panel->gc, BACK);
	XFillRectangle(x, panel->window, panel->gc, 0, 0, (unsigned)panel->width,
		(unsigned)panel->height);
	for (size_t i = 0; i < panel->line_count; i++)
		draw_text(panel, PADDING, (int)i * panel->row, panel->lines[i]);
	if (counts(panel)) {
		count_text(panel, panel->seconds, count);
		draw_text(panel, PADDING, (int)panel->line_count * panel->row, count);
	}
	paint_buttons(panel);
	x11_turn_give(mine);
}

/* ---- what people do with it ---------------------------------------------------------------- */

/* 1 + the button at this place, or 0. */
static int button_at(const struct x11_panel *panel, int x, int y)
{
	if (y < panel->button_y || y >= panel->button_y + panel->row)
		return 0;
	for (size_t i = 0; i < panel->button_count; i++)
		if (x >= panel->button_x[i] && x < panel->button_x[i + 1])
			return (int)i + 1;
	return 0;
}

static void on_press(struct x11_panel *panel, const XButtonEvent *event)
{
	panel->pressed = button_at(panel, event->x, event->y);
	panel->dragging = !panel->pressed;
	panel->drag_x = event->x_root - panel->x;
	panel->drag_y = event->y_root - panel->y;
}

static void on_release(struct x11_panel *panel, const XButtonEvent *event)
{
	int pressed = panel->pressed;
	panel->pressed = panel->dragging = 0;
	if (pressed && pressed == button_at(panel, event->x, event->y))
		tell(panel, pressed == 1 ? X11_PANEL_FIRST : X11_PANEL_SECOND);
}

static void on_motion(struct x11_panel *panel, const XMotionEvent *event)
{
	if (!panel->dragging)
		return;
	panel->x = event->x_root - panel->drag_x;
	panel->y = event->y_root - panel->drag_y;
	XMoveWindow(panel->display->x, panel->window, panel->x, panel->y);
}

static void on_covered(struct x11_panel *panel)
{
	int64_t now = clock_mono_us();
	if (now - panel->raised_us < RAISE_EVERY_US)
		return;
	panel->raised_us = now;
	XRaiseWindow(panel->display->x, panel->window);
}

static void on_event(struct x11_panel *panel, const XEvent *event)
{
	switch (event->type) {
	case Expose:
		paint(panel);
		break;
	case ButtonPress:
		on_press(panel, &event->xbutton);
		break;
	case ButtonRelease:
		on_release(panel, &event->xbutton);
		break;
	case MotionNotify:
		on_motion(panel, &event->xmotion);
		break;
	case VisibilityNotify:
		if (event->xvisibility.state != VisibilityUnobscured)
			on_covered(panel);
		break;
	default:
		break;
	}
}

/* ---- making it ----------------------------------------------------------------------------- */

static int widest(const struct x11_panel *panel)
{
	char count[2 * X11_PANEL_TEXT + 24];
	int width = 0;
	for (size_t i = 0; i < panel->line_count; i++) {
		int one = text_width(panel, panel->lines[i]);
		width = one > width ? one : width;
	}
	if (counts(panel)) {
		count_text(panel, panel->seconds, count);
		int one = text_width(panel, count);
		width = one > width ? one : width;
	}
	return width + 2 * PADDING;
}

/* The bar: text, then the button. */
static void lay_out_bar(struct x11_panel *panel, int most)
{
	int button = text_width(panel, panel->buttons[0]) + 2 * PADDING;
	panel->width = widest(panel) + button;
	panel->width = panel->width > most ? most : panel->width;
	panel->height = panel->row;
	panel->button_x[0] = panel->width > button ? panel->width - button : 0;
	panel->button_x[1] = panel->width;
	panel->button_y = 0;
}

static void lay_out_board(struct x11_panel *panel, int most)
{
	int count = (int)panel->button_count, widest_button = 0;
	for (int i = 0; i < count; i++) {
		int one = text_width(panel, panel->buttons[i]) + 4 * PADDING;
		widest_button = one > widest_button ? one : widest_button;
	}
	panel->width = widest(panel);
	if (panel->width < count * (widest_button + PADDING))
		panel->width = count * (widest_button + PADDING);
	panel->width = panel->width > most ? most : panel->width;
	int rows = (int)panel->line_count + counts(panel);
	panel->button_y = rows * panel->row + PADDING;
	panel->height = panel->button_y + panel->row;
	for (int i = 0; i <= count; i++)
		panel->button_x[i] = count ? panel->width * i / count : 0;
}

static void place(struct x11_panel *panel)
{
	struct source layout = {0};
	int screen = panel->display->screen;
	if (!x11_layout_read(panel->display, &layout)) {
		layout.monitors[0].w = DisplayWidth(panel->display->x, screen);
		layout.monitors[0].h = DisplayHeight(panel->display->x, screen);
	}
	const struct source_rect *monitor = &layout.monitors[0];
	panel->row = panel->font->ascent + panel->font->descent + PADDING;
	if (is_bar(panel))
		lay_out_bar(panel, monitor->w);
	else
		lay_out_board(panel, monitor->w);
	panel->x = monitor->x + (monitor->w - panel->width) / 2;
	panel->y = monitor->y;
	if (panel->place == X11_PANEL_CENTRE)
		panel->y += (monitor->h - panel->height) / 2;
}

/* Before Xft knows the connection. Xlib runs the close hooks of extensions newest first, and Xft's frees
 * its glyphs through libXrender: were that the newer of the two, it would be gone by then, take the dying
 * connection up anew, and mistake the next one at the same address for it, opcodes from freed memory
 * included. */
static void ask_render(Display *x)
{
	int event, error;
	XRenderQueryExtension(x, &event, &error);
}

static int make_window(struct x11_panel *panel)
{
	Display *x = panel->display->x;
	int screen = panel->display->screen;
	const XRenderColor white = {INK, INK, INK, INK};
	ask_render(x);
	panel->font = XftFontOpenName(x, screen, FONT);
	if (!panel->font)
		return -REASON_NO_DISPLAY;
	place(panel);
	XSetWindowAttributes attributes = {.override_redirect = True,
		.background_pixel = BACK,
		.event_mask = ExposureMask | ButtonPressMask | ButtonReleaseMask |
			      Button1MotionMask | VisibilityChangeMask};
	panel->window = XCreateWindow(x, panel->display->root, panel->x, panel->y,
		(unsigned)panel->width, (unsigned)panel->height, 0, CopyFromParent,
		InputOutput, CopyFromParent,
		CWOverrideRedirect | CWBackPixel | CWEventMask, &attributes);
	XStoreName(x, panel->window, "engawa");
	panel->gc = XCreateGC(x, panel->window, 0, NULL);
	panel->draw = XftDrawCreate(x, panel->window, DefaultVisual(x, screen),
		DefaultColormap(x, screen));
	if (!panel->draw)
		return -REASON_NO_MEMORY;
	XftColorAllocValue(x, DefaultVisual(x, screen), DefaultColormap(x, screen),
		&white, &panel->ink);
	XMapRaised(x, panel->window);
	XFlush(x);
	return 0;
}

/* ---- its thread ---------------------------------------------------------------------------- */

static int is_stopped(struct x11_panel *panel)
{
	pthread_mutex_lock(&panel->lock);
	int stopped = panel->stopped;
	pthread_mutex_unlock(&panel->lock);
	return stopped;
}

static void let_go(struct x11_panel *panel)
{
	if (atomic_fetch_sub(&panel->holders, 1) > 1)
		return;
	if (panel->stop_fd >= 0)
		close(panel->stop_fd);
	pthread_mutex_destroy(&panel->lock);
	free(panel->display_name);
	free(panel);
}

static void close_display(struct x11_panel *panel)
{
	int mine = x11_turn_take();
	if (panel->display && !panel->display->lost) {
		if (panel->draw)
			XftDrawDestroy(panel->draw);
		if (panel->gc)
			XFreeGC(panel->display->x, panel->gc);
		if (panel->font)
			XftFontClose(panel->display->x, panel->font);
	}
	x11_turn_give(mine);
	x11_display_close(panel->display);
}

static void look_at_clock(struct x11_panel *panel)
{
	if (!panel->until_ms)
		return;
	int64_t left_ms = panel->until_ms - clock_mono_ms();
	int64_t seconds = left_ms > 0 ? (left_ms + 999) / 1000 : 0;
	if (left_ms <= 0)
		tell(panel, X11_PANEL_TIME_UP);
	if (seconds == panel->seconds)
		return;
	panel->seconds = seconds;
	paint(panel);
}

static void serve(struct x11_panel *panel)
{
	struct pollfd fds[2] = {{ConnectionNumber(panel->display->x), POLLIN, 0},
		{panel->stop_fd, POLLIN, 0}};
	while (!fds[1].revents) {
		while (x11_display_pending(panel->display) > 0) {
			XEvent event;
			XNextEvent(panel->display->x, &event);
			on_event(panel, &event);
		}
		if (panel->display->lost)
			break;
		look_at_clock(panel);
		XFlush(panel->display->x);
		/* The timeout looks again whether the window is still covered. */
		if (poll(fds, 2, (int)(RAISE_EVERY_US / 1000)) == 0)
			on_covered(panel);
	}
}

/* One that was freed while the server did not answer is not shown when it does again. */
static void *panel_main(void *ctx)
{
	struct x11_panel *panel = ctx;
	int r = x11_display_open(panel->display_name, &panel->display);
	if (r == 0 && !is_stopped(panel)) {
		int mine = x11_turn_take();
		r = make_window(panel);
		x11_turn_give(mine);
		if (r == 0)
			serve(panel);
	}
	if (r < 0 || panel->display->lost)
		tell(panel, X11_PANEL_FAILED);
	close_display(panel);
	let_go(panel);
	return NULL;
}

/* Nobody waits for it: an X server that hangs holds this thread and nothing else. */
static int start(struct x11_panel *panel)
{
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&panel->holders, 1);
	int failed = pthread_create(&thread, NULL, panel_main, panel);
	if (failed)
		atomic_fetch_sub(&panel->holders, 1);
	else
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? -REASON_LIMIT : 0;
}

static void copy_look(struct x11_panel *panel, const struct x11_panel_look *look)
{
	panel->place = look->place;
	while (panel->line_count < X11_PANEL_LINES && look->lines[panel->line_count]) {
		size_t i = panel->line_count++;
		text_clip(panel->lines[i], X11_PANEL_TEXT, look->lines[i]);
	}
	while (panel->button_count < X11_PANEL_BUTTONS &&
		look->buttons[panel->button_count]) {
		size_t i = panel->button_count++;
		text_clip(panel->buttons[i], X11_PANEL_TEXT, look->buttons[i]);
	}
	if (look->count_before)
		text_clip(panel->count_before, X11_PANEL_TEXT, look->count_before);
	if (look->count_after)
		text_clip(panel->count_after, X11_PANEL_TEXT, look->count_after);
	if (look->time_ms)
		panel->until_ms = clock_mono_ms() + look->time_ms;
	panel->seconds = (look->time_ms + 999) / 1000;
}

int x11_panel_new(const char *display, const struct x11_panel_look *look, x11_panel_fn fn,
	void *ctx, struct x11_panel **ret)
{
	CHECK(look->lines[0] && look->buttons[0]);
	struct x11_panel *panel = calloc(1, sizeof(*panel));
	if (!panel)
		return -REASON_NO_MEMORY;
	atomic_init(&panel->holders, 1);
	pthread_mutex_init(&panel->lock, NULL);
	panel->fn = fn;
	panel->ctx = ctx;
	copy_look(panel, look);
	panel->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int r = panel->stop_fd < 0 ? -REASON_LIMIT : 0;
	if (display && !(panel->display_name = strdup(display)))
		r = -REASON_NO_MEMORY;
	if (r == 0)
		r = start(panel);
	if (r < 0)
		let_go(panel);
	else
		*ret = panel;
	return r;
}

struct x11_panel *x11_panel_free(struct x11_panel *panel)
{
	if (!panel)
		return NULL;
	pthread_mutex_lock(&panel->lock);
	panel->stopped = 1;
	pthread_mutex_unlock(&panel->lock);
	eventfd_write(panel->stop_fd, 1);
	let_go(panel);
	return NULL;
}
