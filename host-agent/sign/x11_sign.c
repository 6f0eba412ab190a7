#include "sign/x11_sign.h"

#include <X11/Xft/Xft.h>
#include <X11/Xutil.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "screen/x11_display.h"
#include "screen/x11_layout.h"

#define FONT "sans-serif:size=10:lang=ja"
#define PADDING 8
#define RAISE_EVERY_US                                                                   \
	500000 /* two programs that both want to be on top must not fight */
#define BACK 0x263238
#define BUTTON_BACK 0xb71c1c
#define INK 0xffff

struct x11_sign {
	struct x11_display *display;
	x11_sign_fn fn;
	void *ctx;
	char text[X11_SIGN_TEXT_MAX], button[X11_SIGN_TEXT_MAX];
	pthread_t thread;
	int stop_fd, runs;

	Window window;
	XftFont *font;
	XftDraw *draw;
	XftColor ink;
	GC gc;
	int x, y, width, height, button_x;
	int dragging, drag_x, drag_y, pressed;
	int64_t raised_us;
};

static int text_width(const struct x11_sign *sign, const char *text)
{
	XGlyphInfo extents;
	XftTextExtentsUtf8(sign->display->x, sign->font, (const FcChar8 *)text,
		(int)strlen(text), &extents);
	return extents.xOff;
}

static void draw_text(struct x11_sign *sign, int x, const char *text)
{
	int y = (sign->height + sign->font->ascent - sign->font->descent) / 2;
	XftDrawStringUtf8(sign->draw, &sign->ink, sign->font, x, y, (const FcChar8 *)text,
		(int)strlen(text));
}

static void paint(struct x11_sign *sign)
{
	Display *x = sign->display->x;
	XSetForeground(x, sign->gc, BACK);
	XFillRectangle(x, sign->window, sign->gc, 0, 0, (unsigned)sign->width,
		(unsigned)sign->height);
	draw_text(sign, PADDING, sign->text);
	XSetForeground(x, sign->gc, BUTTON_BACK);
	XFillRectangle(x, sign->window, sign->gc, sign->button_x, 0,
		(unsigned)(sign->width - sign->button_x), (unsigned)sign->height);
	draw_text(sign, sign->button_x + PADDING, sign->button);
}

static void on_press(struct x11_sign *sign, const XButtonEvent *event)
{
	sign->pressed = event->x >= sign->button_x;
	sign->dragging = !sign->pressed;
	sign->drag_x = event->x_root - sign->x;
	sign->drag_y = event->y_root - sign->y;
}

static void on_release(struct x11_sign *sign, const XButtonEvent *event)
{
	int inside = event->x >= sign->button_x && event->x < sign->width &&
		     event->y >= 0 && event->y < sign->height;
	if (sign->pressed && inside)
		sign->fn(sign->ctx);
	sign->pressed = sign->dragging = 0;
}

static void on_motion(struct x11_sign *sign, const XMotionEvent *event)
{
	if (!sign->dragging)
		return;
	sign->x = event->x_root - sign->drag_x;
	sign->y = event->y_root - sign->drag_y;
	XMoveWindow(sign->display->x, sign->window, sign->x, sign->y);
}

static void on_covered(struct x11_sign *sign)
{
	int64_t now = clock_mono_us();
	if (now - sign->raised_us < RAISE_EVERY_US)
		return;
	sign->raised_us = now;
	XRaiseWindow(sign->display->x, sign->window);
}

static void on_event(struct x11_sign *sign, const XEvent *event)
{
	switch (event->type) {
	case Expose:
		paint(sign);
		break;
	case ButtonPress:
		on_press(sign, &event->xbutton);
		break;
	case ButtonRelease:
		on_release(sign, &event->xbutton);
		break;
	case MotionNotify:
		on_motion(sign, &event->xmotion);
		break;
	case VisibilityNotify:
		if (event->xvisibility.state != VisibilityUnobscured)
			on_covered(sign);
		break;
	default:
		break;
	}
}

static void *sign_main(void *ctx)
{
	struct x11_sign *sign = ctx;
	struct pollfd fds[2] = {{ConnectionNumber(sign->display->x), POLLIN, 0},
		{sign->stop_fd, POLLIN, 0}};
	while (!fds[1].revents) {
		while (x11_display_pending(sign->display) > 0) {
			XEvent event;
			XNextEvent(sign->display->x, &event);
			on_event(sign, &event);
		}
		if (sign->display->lost)
			break;
		XFlush(sign->display->x);
		/* The timeout looks again whether the bar is still covered. */
		if (poll(fds, 2, (int)(RAISE_EVERY_US / 1000)) == 0)
			on_covered(sign);
	}
	return NULL;
}

static void place(struct x11_sign *sign)
{
	struct source layout = {0};
	if (!x11_layout_read(sign->display, &layout)) {
		layout.monitors[0].w =
			DisplayWidth(sign->display->x, sign->display->screen);
	}
	const struct source_rect *monitor = &layout.monitors[0];
	sign->height = sign->font->ascent + sign->font->descent + PADDING;
	int button = text_width(sign, sign->button) + 2 * PADDING;
	sign->width = text_width(sign, sign->text) + 2 * PADDING + button;
	if (sign->width > monitor->w)
		sign->width = monitor->w;
	sign->button_x = sign->width > button ? sign->width - button : 0;
	sign->x = monitor->x + (monitor->w - sign->width) / 2;
	sign->y = monitor->y;
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

static int make_window(struct x11_sign *sign)
{
	Display *x = sign->display->x;
	int screen = sign->display->screen;
	const XRenderColor white = {INK, INK, INK, INK};
	ask_render(x);
	sign->font = XftFontOpenName(x, screen, FONT);
	if (!sign->font)
		return -REASON_NO_DISPLAY;
	place(sign);
	XSetWindowAttributes attributes = {.override_redirect = True,
		.background_pixel = BACK,
		.event_mask = ExposureMask | ButtonPressMask | ButtonReleaseMask |
			      Button1MotionMask | VisibilityChangeMask};
	sign->window = XCreateWindow(x, sign->display->root, sign->x, sign->y,
		(unsigned)sign->width, (unsigned)sign->height, 0, CopyFromParent,
		InputOutput, CopyFromParent,
		CWOverrideRedirect | CWBackPixel | CWEventMask, &attributes);
	XStoreName(x, sign->window, "engawa");
	sign->gc = XCreateGC(x, sign->window, 0, NULL);
	sign->draw = XftDrawCreate(x, sign->window, DefaultVisual(x, screen),
		DefaultColormap(x, screen));
	if (!sign->draw)
		return -REASON_NO_MEMORY;
	XftColorAllocValue(x, DefaultVisual(x, screen), DefaultColormap(x, screen),
		&white, &sign->ink);
	XMapRaised(x, sign->window);
	XFlush(x);
	return 0;
}

static int start(struct x11_sign *sign)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sign->runs = !pthread_create(&sign->thread, NULL, sign_main, sign);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sign->runs ? 0 : -REASON_LIMIT;
}

int x11_sign_new(const char *display, const char *text, const char *button,
	x11_sign_fn fn, void *ctx, struct x11_sign **ret)
{
	struct x11_sign *sign = calloc(1, sizeof(*sign));
	if (!sign)
		return -REASON_NO_MEMORY;
	sign->fn = fn;
	sign->ctx = ctx;
	text_clip(sign->text, sizeof(sign->text), text);
	text_clip(sign->button, sizeof(sign->button), button);
	sign->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int r = sign->stop_fd < 0 ? -REASON_LIMIT : 0;
	if (r == 0)
		r = x11_display_open(display, &sign->display);
	if (r == 0)
		r = make_window(sign);
	if (r == 0)
		r = start(sign);
	if (r < 0) {
		x11_sign_free(sign);
		return r;
	}
	*ret = sign;
	return 0;
}

struct x11_sign *x11_sign_free(struct x11_sign *sign)
{
	if (!sign)
		return NULL;
	if (sign->runs) {
		eventfd_write(sign->stop_fd, 1);
		pthread_join(sign->thread, NULL);
	}
	if (sign->display && !sign->display->lost) {
		if (sign->draw)
			XftDrawDestroy(sign->draw);
		if (sign->gc)
			XFreeGC(sign->display->x, sign->gc);
		if (sign->font)
			XftFontClose(sign->display->x, sign->font);
	}
	x11_display_close(sign->display);
	if (sign->stop_fd >= 0)
		close(sign->stop_fd);
	free(sign);
	return NULL;
}
