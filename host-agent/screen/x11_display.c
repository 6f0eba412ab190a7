#include "screen/x11_display.h"

#include <X11/extensions/XTest.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reason.h"
#include "screen/x11_turn.h"

/* Xlib has one error handler per process, and it is told the Display only: so the connections
 * are kept in a list. */
#define DISPLAYS_MAX 32
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct x11_display *displays[DISPLAYS_MAX];

/* While Xlib opens a connection nobody can tell it yet what to do when that breaks: it would end the
 * process. Its handler for broken connections is left by a jump then. */
struct opening {
	jmp_buf back;
	Display *volatile broken;
};
static _Thread_local struct opening *opening;

static int on_error(Display *x, XErrorEvent *event)
{
	(void)event;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < DISPLAYS_MAX; i++)
		if (displays[i] && displays[i]->x == x)
			displays[i]->errors++;
	pthread_mutex_unlock(&lock);
	return 0;
}

static int on_io_error(Display *x)
{
	if (opening) {
		opening->broken = x;
		longjmp(opening->back, 1);
	}
	return 0;
}

static void set_handlers(void)
{
	XSetErrorHandler(on_error);
	XSetIOErrorHandler(on_io_error);
}

static Display *open_guarded(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct opening mine = {.broken = NULL};
	pthread_once(&once, set_handlers);
	opening = &mine;
	Display *volatile x = NULL;
	if (!setjmp(mine.back))
		x = XOpenDisplay(name);
	opening = NULL;
	/* As of every dead connection (x11_display_close). */
	if (mine.broken)
		close(ConnectionNumber(mine.broken));
	return x;
}

static void on_exit_wish(Display *x, void *ctx)
{
	(void)x;
	struct x11_display *display = ctx;
	display->lost = 1;
}

static int enlist(struct x11_display *display)
{
	int done = 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < DISPLAYS_MAX && !done; i++)
		if (!displays[i]) {
			displays[i] = display;
			done = 1;
		}
	pthread_mutex_unlock(&lock);
	return done;
}

static void delist(const struct x11_display *display)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < DISPLAYS_MAX; i++)
		if (displays[i] == display)
			displays[i] = NULL;
	pthread_mutex_unlock(&lock);
}

static void close_in_order(Display *x)
{
	int mine = x11_turn_take();
	XCloseDisplay(x);
	x11_turn_give(mine);
}

/* Also while some program grabs the server, as menus and window managers do while a button is down: a thread that
 * waited for them would be the one that has to let the button go. */
static void be_heard(Display *x)
{
	int event, error, major, minor;
	int mine = x11_turn_take();
	if (XTestQueryExtension(x, &event, &error, &major, &minor))
		XTestGrabControl(x, True);
	x11_turn_give(mine);
}

int x11_display_open(const char *name, struct x11_display **ret)
{
	struct x11_display *display = calloc(1, sizeof(*display));
	if (!display)
		return -REASON_NO_MEMORY;
	display->x = open_guarded(name);
	if (!display->x || !enlist(display)) {
		if (display->x)
			close_in_order(display->x);
		free(display);
		return -REASON_NO_DISPLAY;
	}
	XSetIOErrorExitHandler(display->x, on_exit_wish, display);
	display->screen = DefaultScreen(display->x);
	display->root = RootWindow(display->x, display->screen);
	be_heard(display->x);
	*ret = display;
	return 0;
}

struct x11_display *x11_display_close(struct x11_display *display)
{
	if (!display)
		return NULL;
	/* Xlib 1.8 can wait for ever for a reply while it closes a connection that broke in the middle of
	 * one. So of a dead one only the descriptor is given back; its memory stays with Xlib. */
	if (display->lost)
		close(ConnectionNumber(display->x));
	else
		close_in_order(display->x);
	delist(display);
	free(display);
	return NULL;
}

/* XPending() does not notice the end of a connection while there is nothing to send, and when it does
 * notice, Xlib is left with a mutex in disorder: so look before asking. */
static int hung_up(const struct x11_display *display)
{
	char byte;
	ssize_t len =
		recv(ConnectionNumber(display->x), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR);
}

int x11_display_pending(struct x11_display *display)
{
	if (display->lost)
		return 0;
	if (QLength(display->x) == 0 && hung_up(display)) {
		display->lost = 1;
		return 0;
	}
	int count = XPending(display->x);
	return display->lost ? 0 : count;
}

int x11_display_failed(struct x11_display *display, int errors)
{
	if (!display->lost)
		XSync(display->x, False);
	return display->lost || display->errors != errors;
}
