/* marker_app WORKLOAD SECONDS LOG: draws on $DISPLAY what people do at a desk, and with every step a marker, a row
 * of 16 black or white squares that is the step's number. LOG gets "number microseconds" for each,
 * taken when the X server has drawn it (CLOCK_MONOTONIC).
 *
 *   typing   20 small changes a second      video      640x360 moving photograph, 30 frames a second
 *   scroll   a page of text, drawn anew     keys       one step for each key press
 *            30 times, a line higher        keysvideo  the same while the video runs
 *   copy     the same, but the X server is told to copy what stays
 *   move     a window moved 30 times a second
 */

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SQUARE 16
#define BITS 16
#define VIDEO_W 640
#define VIDEO_H 360

struct app {
	Display *display;
	Window window, moving;
	Pixmap page;
	GC gc;
	XImage *video;
	FILE *log;
	unsigned number;
	int width, height;
	const char *workload;
};

static int64_t now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void draw_marker(struct app *app)
{
	app->number = (app->number + 1) & 0xFFFF;
	for (int bit = 0; bit < BITS; bit++) {
		int white = app->number >> bit & 1;
		XSetForeground(app->display, app->gc, white ? 0xFFFFFF : 0x000000);
		XFillRectangle(app->display, app->window, app->gc, bit * SQUARE, 0,
			SQUARE, SQUARE);
	}
	XSync(app->display, False);
	fprintf(app->log, "%u %lld\n", app->number, (long long)now_us());
}

static void draw_words(struct app *app, Drawable on, int y, unsigned seed)
{
	char line[160];
	for (size_t i = 0; i < sizeof(line); i++) {
		seed = seed * 1103515245 + 12345;
		line[i] = (char)(seed >> 16 & 7 ? 'a' + (seed >> 20) % 26 : ' ');
	}
	XSetForeground(app->display, app->gc, 0x202020);
	XDrawString(app->display, on, app->gc, 8, y, line, (int)sizeof(line));
}

static void step_typing(struct app *app, unsigned step)
{
	char letter = (char)('a' + step % 26);
	int x = 20 + (int)(step % 120) * 9, y = 80 + (int)(step / 120 % 40) * 18;
	XSetForeground(app->display, app->gc, 0xF8F8F8);
	XFillRectangle(app->display, app->window, app->gc, x, y - 14, 9, 18);
	XSetForeground(app->display, app->gc, 0x101010);
	XDrawString(app->display, app->window, app->gc, x, y, &letter, 1);
}

#define PAGE_TOP 40
#define LINE 18

/* As browsers do it: drawn aside, then shown. */
static void step_scroll(struct app *app, unsigned step)
{
	unsigned width = (unsigned)app->width, height = (unsigned)app->height - PAGE_TOP;
	XSetForeground(app->display, app->gc, 0xF8F8F8);
	XFillRectangle(app->display, app->page, app->gc, 0, 0, width, height);
	for (int line = 0; line * LINE < (int)height; line++)
		draw_words(app, app->page, line * LINE + 13,
			(step + (unsigned)line) * 7919 + 1);
	XCopyArea(app->display, app->page, app->window, app->gc, 0, 0, width, height, 0,
		PAGE_TOP);
}

/* As editors and terminals do it: what stays is copied, and a new line below. */
static void step_copy(struct app *app, unsigned step)
{
	XCopyArea(app->display, app->window, app->window, app->gc, 0, PAGE_TOP + LINE,
		(unsigned)app->width, (unsigned)(app->height - PAGE_TOP - LINE), 0,
		PAGE_TOP);
	XSetForeground(app->display, app->gc, 0xF8F8F8);
	XFillRectangle(app->display, app->window, app->gc, 0, app->height - LINE,
		(unsigned)app->width, LINE);
	draw_words(app, app->window, app->height - 5, step * 7919 + 1);
}

static void step_move(struct app *app, unsigned step)
{
	int span = app->width - 520;
	int x = (int)(step * 11 % (unsigned)(2 * span));
	XMoveWindow(app->display, app->moving, x < span ? x : 2 * span - x,
		120 + (int)(step % 60) * 3);
}

/* Smooth shapes and some grain: as hard to compress as a photograph. */
static void step_video(struct app *app, unsigned step)
{
	uint32_t *pixels = (uint32_t *)app->video->data;
	uint32_t grain = step * 2654435761u + 1;
	for (int y = 0; y < VIDEO_H; y++) {
		for (int x = 0; x < VIDEO_W; x++) {
			grain = grain * 1664525 + 1013904223;
			unsigned a = (unsigned)(x * x + y * (int)(step * 3)) >> 9;
			unsigned b = (unsigned)((x + (int)step * 5) * y) >> 8;
			unsigned noise = grain >> 29;
			pixels[y * VIDEO_W + x] = ((a + noise) & 255) << 16 |
						  ((b + noise) & 255) << 8 |
						  (((a ^ b) >> 1) & 255);
		}
	}
	XPutImage(app->display, app->window, app->gc, app->video, 0, 0, 200, 200, VIDEO_W,
		VIDEO_H);
}

static void step(struct app *app, unsigned number)
{
	if (!strcmp(app->workload, "typing"))
		step_typing(app, number);
	else if (!strcmp(app->workload, "scroll"))
		step_scroll(app, number);
	else if (!strcmp(app->workload, "copy"))
		step_copy(app, number);
	else if (!strcmp(app->workload, "move"))
		step_move(app, number);
	else
		step_video(app, number);
	/* With keys the marker belongs to the key presses. */
	if (strncmp(app->workload, "keys", 4))
		draw_marker(app);
	else
		XSync(app->display, False);
}

static void take_keys(struct app *app)
{
	while (XPending(app->display)) {
		XEvent event;
		XNextEvent(app->display, &event);
		if (event.type == KeyPress)
			draw_marker(app);
	}
}

static void open_window(struct app *app)
{
	int screen = DefaultScreen(app->display);
	app->width = DisplayWidth(app->display, screen);
	app->height = DisplayHeight(app->display, screen);
	XSetWindowAttributes look = {
		.background_pixel = 0xF8F8F8, .override_redirect = True};
	app->window = XCreateWindow(app->display, RootWindow(app->display, screen), 0, 0,
		(unsigned)app->width, (unsigned)app->height, 0, CopyFromParent,
		InputOutput, CopyFromParent, CWBackPixel | CWOverrideRedirect, &look);
	XSelectInput(app->display, app->window, KeyPressMask | ExposureMask);
	XMapRaised(app->display, app->window);
	app->gc = XCreateGC(app->display, app->window, 0, NULL);
	XSync(app->display, False);
	XSetInputFocus(app->display, app->window, RevertToParent, CurrentTime);
	for (int y = 60; y < app->height; y += 18)
		draw_words(app, app->window, y, (unsigned)y);
	app->page = XCreatePixmap(app->display, app->window, (unsigned)app->width,
		(unsigned)app->height, (unsigned)DefaultDepth(app->display, screen));
	if (!strcmp(app->workload, "move")) {
		look.background_pixel = 0x4060A0;
		app->moving = XCreateWindow(app->display, app->window, 50, 120, 500, 400,
			2, CopyFromParent, InputOutput, CopyFromParent, CWBackPixel,
			&look);
		XMapRaised(app->display, app->moving);
	}
	app->video = XCreateImage(app->display, DefaultVisual(app->display, screen), 24,
		ZPixmap, 0, malloc(VIDEO_W * VIDEO_H * 4), VIDEO_W, VIDEO_H, 32, 0);
	XSync(app->display, False);
}

int main(int argc, char **argv)
{
	struct app app = {0};
	if (argc != 4 || !(app.display = XOpenDisplay(NULL)) ||
		!(app.log = fopen(argv[3], "w")))
		return 64;
	setvbuf(app.log, NULL, _IOLBF, 0);
	app.workload = argv[1];
	open_window(&app);
	int keys_only = !strcmp(app.workload, "keys");
	int64_t interval_us = !strcmp(app.workload, "typing") ? 50000 : 33333;
	int64_t start_us = now_us(), next_us = start_us;
	int64_t end_us = start_us + (int64_t)(atof(argv[2]) * 1e6);
	struct pollfd ready = {.fd = ConnectionNumber(app.display), .events = POLLIN};
	for (unsigned number = 0; now_us() < end_us;) {
		take_keys(&app);
		int64_t left_us = next_us - now_us();
		if (left_us > 0 || keys_only) {
			poll(&ready, 1, keys_only ? 50 : (int)(left_us / 1000));
			continue;
		}
		step(&app, number++);
		/* What could not be drawn in time is not made up for. */
		next_us = next_us + interval_us > now_us() ? next_us + interval_us
							   : now_us();
	}
	fclose(app.log);
	XCloseDisplay(app.display);
	return 0;
}
