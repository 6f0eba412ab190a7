#include "clipboard/x11_clipboard.h"

#include <X11/Xatom.h>
#include <X11/extensions/Xfixes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "screen/latin1.h"
#include "screen/x11_display.h"

#define FETCH_US 3000000   /* an owner may take this long between two pieces */
#define SERVE_US 5000000   /* and a requestor this long */
#define PIECE (128 * 1024) /* bytes per property in an incremental transfer */
#define SERVES_MAX 8
/* A server gives each client ids of its own: with the default of 256 clients, those that differ here only. */
#define IDS_OF_CLIENT 0x1fffffu

enum atom {
	CLIPBOARD,
	TARGETS,
	TIMESTAMP,
	UTF8_STRING,
	PLAIN_UTF8,
	TEXT,
	INCR,
	ARRIVAL,
	STAMP,
	ATOMS
};

static const char *const atom_names[ATOMS] = {"CLIPBOARD", "TARGETS", "TIMESTAMP",
	"UTF8_STRING", "text/plain;charset=utf-8", "TEXT", "INCR", "ENGAWA_ARRIVAL",
	"ENGAWA_STAMP"};

enum fetch { FETCH_NONE, FETCH_ASKED, FETCH_PIECES };

/* A transfer to a program, too long for one property. */
struct serve {
	Window requestor; /* None: free */
	Atom property, type;
	char *bytes;
	size_t len, sent;
	int64_t deadline_us;
};

struct x11_clipboard {
	struct x11_display *display;
	x11_clipboard_fn fn;
	void *ctx;
	Window window;
	Atom atoms[ATOMS];
	int fixes_event;
	enum x11_clipboard_watch watch;

	char *own; /* what we offer; NULL: nothing */
	size_t own_len;
	Time own_time;
	struct x11_clipboard_use use;

	enum fetch fetch;
	Atom fetch_target;
	int64_t fetch_deadline_us;
	struct buf arrived;
	char *last; /* reported or set last: the same again is no news */
	size_t last_len;
	struct serve serves[SERVES_MAX];
};

/* ---- from the office to the viewer ---- */

static void end_fetch(struct x11_clipboard *clipboard)
{
	clipboard->fetch = FETCH_NONE;
	buf_done(&clipboard->arrived);
	buf_init(&clipboard->arrived, X11_CLIPBOARD_MAX);
}

static void ask(struct x11_clipboard *clipboard, Atom target)
{
	end_fetch(clipboard);
	if (clipboard->watch == X11_CLIPBOARD_BLIND)
		return;
	clipboard->fetch = FETCH_ASKED;
	clipboard->fetch_target = target;
	clipboard->fetch_deadline_us = clock_mono_us() + FETCH_US;
	XDeleteProperty(clipboard->display->x, clipboard->window,
		clipboard->atoms[ARRIVAL]);
	XConvertSelection(clipboard->display->x, clipboard->atoms[CLIPBOARD], target,
		clipboard->atoms[ARRIVAL], clipboard->window, CurrentTime);
}

static int remember(struct x11_clipboard *clipboard, const char *text, size_t len)
{
	if (clipboard->last && clipboard->last_len == len &&
		!memcmp(clipboard->last, text, len))
		return 0;
	char *copy = malloc(len + 1);
	if (!copy)
		return 0;
	memcpy(copy, text, len);
	copy[len] = 0;
	free(clipboard->last);
	clipboard->last = copy;
	clipboard->last_len = len;
	return 1;
}

static void report(struct x11_clipboard *clipboard, const char *text, size_t len)
{
	len = strnlen(text, len);
	if (len == 0 || !text_utf8_valid(text, len) || !remember(clipboard, text, len))
		return;
	clipboard->fn(clipboard->ctx, clipboard->last, clipboard->last_len);
}

static void fetched(struct x11_clipboard *clipboard)
{
	const char *bytes = (const char *)buf_head(&clipboard->arrived);
	size_t len = buf_len(&clipboard->arrived), utf8_len;
	if (len && clipboard->fetch_target == XA_STRING) {
		char *utf8 = latin1_to_utf8(bytes, len, &utf8_len);
		if (utf8)
			report(clipboard, utf8, utf8_len);
		free(utf8);
	} else if (len) {
		report(clipboard, bytes, len);
	}
	end_fetch(clipboard);
}

/* Takes the property in; `ret_len` is what came. 0: give up (too long, or not text at all). */
static int take_piece(struct x11_clipboard *clipboard, Atom *ret_type, size_t *ret_len)
{
	int format;
	unsigned long count, left;
	unsigned char *bytes = NULL;
	*ret_len = 0;
	if (XGetWindowProperty(clipboard->display->x, clipboard->window,
		    clipboard->atoms[ARRIVAL], 0, X11_CLIPBOARD_MAX / 4 + 1, True,
		    AnyPropertyType, ret_type, &format, &count, &left, &bytes) != Success)
		return 0;
	int taken = left == 0;
	if (taken && format == 8 && *ret_type != clipboard->atoms[INCR]) {
		taken = buf_append(&clipboard->arrived, bytes, count) == 0;
		*ret_len = count;
	}
	if (!taken)
		log_line(LOG_WARN, "clipboard not passed on",
			LOG_S("because", "too long"));
	if (bytes)
		XFree(bytes);
	return taken;
}

static void on_selection(struct x11_clipboard *clipboard, const XSelectionEvent *event)
{
	Atom kind;
	size_t len;
	if (clipboard->fetch != FETCH_ASKED || event->target != clipboard->fetch_target)
		return;
	if (event->property == None) {
		int old_program = event->target == clipboard->atoms[UTF8_STRING];
		end_fetch(clipboard);
		if (old_program)
			ask(clipboard, XA_STRING);
		return;
	}
	if (!take_piece(clipboard, &kind, &len))
		return end_fetch(clipboard);
	if (kind != clipboard->atoms[INCR])
		return fetched(clipboard);
	clipboard->fetch = FETCH_PIECES;
	clipboard->fetch_deadline_us = clock_mono_us() + FETCH_US;
}

static void on_piece(struct x11_clipboard *clipboard)
{
	Atom kind;
	size_t len;
	if (!take_piece(clipboard, &kind, &len))
		return end_fetch(clipboard);
	clipboard->fetch_deadline_us = clock_mono_us() + FETCH_US;
	if (len == 0)
		fetched(clipboard);
}

/* ---- from the viewer to the office ---- */

static struct serve *free_serve(struct x11_clipboard *clipboard)
{
	for (int i = 0; i < SERVES_MAX; i++)
		if (clipboard->serves[i].requestor == None)
			return &clipboard->serves[i];
	return NULL;
}

static void end_serve(struct serve *serve)
{
	free(serve->bytes);
	*serve = (struct serve){.requestor = None};
}

/* Behind this, other connections cannot overtake what was written. */
static void settle(struct x11_clipboard *clipboard)
{
	if (!clipboard->display->lost)
		XSync(clipboard->display->x, False);
}

unsigned long x11_clipboard_focus(struct x11_clipboard *clipboard)
{
	Window focus = None;
	int revert;
	if (!clipboard->display->lost)
		XGetInputFocus(clipboard->display->x, &focus, &revert);
	return focus == PointerRoot ? None : focus;
}

/* The program that has the keys, or nobody knows which has them: then any. Clipboard managers, too, ask for each
 * text that is offered, and do so at any time. */
static int has_keys(struct x11_clipboard *clipboard, Window requestor)
{
	Window focus = x11_clipboard_focus(clipboard);
	return focus == None || ((focus ^ requestor) & ~(Window)IDS_OF_CLIENT) == 0;
}

static int put_text(struct x11_clipboard *clipboard, const XSelectionRequestEvent *event,
	Atom property, Atom kind, const char *bytes, size_t len)
{
	Display *x = clipboard->display->x;
	if (len <= PIECE) {
		XChangeProperty(x, event->requestor, property, kind, 8, PropModeReplace,
			(const unsigned char *)bytes, (int)len);
		return 1;
	}
	struct serve *serve = free_serve(clipboard);
	char *copy = serve ? malloc(len) : NULL;
	if (!copy)
		return 0;
	memcpy(copy, bytes, len);
	*serve = (struct serve){event->requestor, property, kind, copy, len, 0,
		clock_mono_us() + SERVE_US};
	long size = (long)len;
	XSelectInput(x, event->requestor, PropertyChangeMask);
	XChangeProperty(x, event->requestor, property, clipboard->atoms[INCR], 32,
		PropModeReplace, (const unsigned char *)&size, 1);
	return 1;
}

static int put_latin1(struct x11_clipboard *clipboard,
	const XSelectionRequestEvent *event, Atom property)
{
	size_t len;
	char *latin1 = latin1_from_utf8(clipboard->own, clipboard->own_len, &len);
	int put = latin1 && put_text(clipboard, event, property, XA_STRING, latin1, len);
	free(latin1);
	return put;
}

static int answer(struct x11_clipboard *clipboard, const XSelectionRequestEvent *event,
	Atom property)
{
	const Atom *atoms = clipboard->atoms;
	Display *x = clipboard->display->x;
	if (event->target == atoms[TARGETS]) {
		const Atom list[] = {atoms[TARGETS], atoms[TIMESTAMP], atoms[UTF8_STRING],
			atoms[PLAIN_UTF8], atoms[TEXT], XA_STRING};
		XChangeProperty(x, event->requestor, property, XA_ATOM, 32,
			PropModeReplace, (const unsigned char *)list, ARRAY_LEN(list));
		return 1;
	}
	if (event->target == atoms[TIMESTAMP]) {
		long stamp = (long)clipboard->own_time;
		XChangeProperty(x, event->requestor, property, XA_INTEGER, 32,
			PropModeReplace, (const unsigned char *)&stamp, 1);
		return 1;
	}
	if (event->target == XA_STRING)
		return put_latin1(clipboard, event, property);
	if (event->target != atoms[UTF8_STRING] && event->target != atoms[PLAIN_UTF8] &&
		event->target != atoms[TEXT])
		return 0;
	Atom kind = event->target == atoms[TEXT] ? atoms[UTF8_STRING] : event->target;
	return put_text(clipboard, event, property, kind, clipboard->own,
		clipboard->own_len);
}

static int is_about(const struct x11_clipboard *clipboard, Atom target)
{
	return target == clipboard->atoms[TARGETS] ||
	       target == clipboard->atoms[TIMESTAMP];
}

/* Piece by piece, and not all of it yet. */
static int serve_to(const struct x11_clipboard *clipboard, Window requestor)
{
	for (int i = 0; i < SERVES_MAX; i++)
		if (clipboard->serves[i].requestor == requestor)
			return 1;
	return 0;
}

static void on_request(struct x11_clipboard *clipboard,
	const XSelectionRequestEvent *event)
{
	/* Programs older than ICCCM name no property: then it is the target. */
	Atom property = event->property == None ? event->target : event->property;
	int answered = clipboard->own && answer(clipboard, event, property);
	int counts = has_keys(clipboard, event->requestor);
	XEvent reply = {.xselection = {.type = SelectionNotify,
				.requestor = event->requestor,
				.selection = event->selection,
				.target = event->target,
				.property = answered ? property : None,
				.time = event->time}};
	XSendEvent(clipboard->display->x, event->requestor, False, NoEventMask, &reply);
	settle(clipboard); /* whoever sees `use` grow may type */
	if (counts)
		clipboard->use.asked++;
	if (counts && answered && !is_about(clipboard, event->target) &&
		!serve_to(clipboard, event->requestor))
		clipboard->use.served++;
}

static void on_deleted(struct x11_clipboard *clipboard, const XPropertyEvent *event)
{
	for (int i = 0; i < SERVES_MAX; i++) {
		struct serve *serve = &clipboard->serves[i];
		if (serve->requestor != event->window || serve->property != event->atom)
			continue;
		size_t left = serve->len - serve->sent;
		size_t now = left < PIECE ? left : PIECE;
		XChangeProperty(clipboard->display->x, serve->requestor, serve->property,
			serve->type, 8, PropModeReplace,
			(const unsigned char *)serve->bytes + serve->sent, (int)now);
		serve->sent += now;
		serve->deadline_us = clock_mono_us() + SERVE_US;
		if (now == 0) { /* the empty piece says that this was all */
			XSelectInput(clipboard->display->x, serve->requestor,
				NoEventMask);
			end_serve(serve);
			settle(clipboard);
		}
		int counts = has_keys(clipboard, event->window);
		clipboard->use.asked += (unsigned)counts;
		clipboard->use.served += (unsigned)(counts && now == 0);
		return;
	}
}

static void become_owner(struct x11_clipboard *clipboard, Time time)
{
	Display *x = clipboard->display->x;
	clipboard->own_time = time;
	XSetSelectionOwner(x, clipboard->atoms[CLIPBOARD], clipboard->window, time);
	XSetSelectionOwner(x, XA_PRIMARY, clipboard->window, time);
	settle(clipboard);
}

static Bool is_stamp(Display *x, XEvent *event, XPointer ctx)
{
	const struct x11_clipboard *clipboard = (const void *)ctx;
	(void)x;
	return event->type == PropertyNotify &&
	       event->xproperty.window == clipboard->window &&
	       event->xproperty.atom == clipboard->atoms[STAMP];
}

/* An owner has to name the server's time. Appending nothing changes nothing, but the notice about it carries the
 * time; it comes before the answer to what is asked behind it. */
static int server_time(struct x11_clipboard *clipboard, Time *ret)
{
	Display *x = clipboard->display->x;
	XEvent event;
	XChangeProperty(x, clipboard->window, clipboard->atoms[STAMP], XA_STRING, 8,
		PropModeAppend, NULL, 0);
	XSync(x, False);
	if (clipboard->display->lost ||
		!XCheckIfEvent(x, &event, is_stamp, (XPointer)clipboard))
		return 0;
	*ret = event.xproperty.time;
	return 1;
}

int x11_clipboard_set(struct x11_clipboard *clipboard, const char *utf8, size_t len)
{
	if (len > X11_CLIPBOARD_MAX)
		return -REASON_LIMIT;
	char *copy = malloc(len + 1);
	if (!copy)
		return -REASON_NO_MEMORY;
	memcpy(copy, utf8, len);
	copy[len] = 0;
	free(clipboard->own);
	clipboard->own = copy;
	clipboard->own_len = len;
	remember(clipboard, utf8, len);
	/* At once, not when the notice happens to be read: the keys that paste it may be here already. */
	Time time;
	if (!clipboard->display->lost && server_time(clipboard, &time))
		become_owner(clipboard, time);
	return 0;
}

/* ---- events ---- */

static void on_owner(struct x11_clipboard *clipboard,
	const XFixesSelectionNotifyEvent *event)
{
	if (event->owner == clipboard->window)
		return end_fetch(clipboard);
	if (event->owner != None)
		ask(clipboard, clipboard->atoms[UTF8_STRING]);
}

static void on_property(struct x11_clipboard *clipboard, const XPropertyEvent *event)
{
	if (event->window != clipboard->window) {
		if (event->state == PropertyDelete)
			on_deleted(clipboard, event);
		return;
	}
	if (event->state != PropertyNewValue)
		return;
	if (event->atom == clipboard->atoms[ARRIVAL] && clipboard->fetch == FETCH_PIECES)
		on_piece(clipboard);
}

static void on_event(struct x11_clipboard *clipboard, const XEvent *event)
{
	if (event->type == clipboard->fixes_event + XFixesSelectionNotify) {
		on_owner(clipboard,
			(const XFixesSelectionNotifyEvent *)(const void *)event);
		return;
	}
	switch (event->type) {
	case SelectionNotify:
		on_selection(clipboard, &event->xselection);
		break;
	case SelectionRequest:
		on_request(clipboard, &event->xselectionrequest);
		break;
	case SelectionClear:
		if (event->xselectionclear.selection == clipboard->atoms[CLIPBOARD])
			clipboard->own_time = CurrentTime;
		break;
	case PropertyNotify:
		on_property(clipboard, &event->xproperty);
		break;
	default:
		break;
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

static int64_t check_deadlines(struct x11_clipboard *clipboard, int64_t now_us)
{
	int64_t next = -1;
	if (clipboard->fetch != FETCH_NONE && now_us >= clipboard->fetch_deadline_us) {
		log_line(LOG_WARN, "clipboard not passed on",
			LOG_S("because", "its owner does not answer"));
		end_fetch(clipboard);
	}
	if (clipboard->fetch != FETCH_NONE)
		next = clipboard->fetch_deadline_us;
	for (int i = 0; i < SERVES_MAX; i++) {
		struct serve *serve = &clipboard->serves[i];
		if (serve->requestor != None && now_us >= serve->deadline_us)
			end_serve(serve);
		if (serve->requestor != None)
			next = sooner(next, serve->deadline_us);
	}
	return next;
}

int64_t x11_clipboard_run(struct x11_clipboard *clipboard, int64_t now_us)
{
	while (x11_display_pending(clipboard->display) > 0) {
		XEvent event;
		XNextEvent(clipboard->display->x, &event);
		on_event(clipboard, &event);
	}
	if (clipboard->display->lost)
		return -1;
	XFlush(clipboard->display->x);
	return check_deadlines(clipboard, now_us);
}

int x11_clipboard_owns(struct x11_clipboard *clipboard,
	enum x11_clipboard_selection selection)
{
	Atom atom = selection == X11_CLIPBOARD_PRIMARY ? XA_PRIMARY
						       : clipboard->atoms[CLIPBOARD];
	return !clipboard->display->lost && clipboard->own &&
	       XGetSelectionOwner(clipboard->display->x, atom) == clipboard->window;
}

struct x11_clipboard_use x11_clipboard_use(const struct x11_clipboard *clipboard)
{
	return clipboard->use;
}

int x11_clipboard_fd(const struct x11_clipboard *clipboard)
{
	return clipboard->display->lost ? -1 : ConnectionNumber(clipboard->display->x);
}

void x11_clipboard_watch(struct x11_clipboard *clipboard, enum x11_clipboard_watch watch)
{
	if (clipboard->watch == watch || clipboard->display->lost)
		return;
	clipboard->watch = watch;
	end_fetch(clipboard);
	if (watch == X11_CLIPBOARD_WATCHING &&
		XGetSelectionOwner(clipboard->display->x, clipboard->atoms[CLIPBOARD]) !=
			clipboard->window)
		ask(clipboard, clipboard->atoms[UTF8_STRING]);
	XFlush(clipboard->display->x);
}

/* ---- life ---- */

static int setup(struct x11_clipboard *clipboard)
{
	Display *x = clipboard->display->x;
	int error;
	if (!XFixesQueryExtension(x, &clipboard->fixes_event, &error)) {
		log_line(LOG_ERROR, "X extension missing", LOG_S("needs", "XFIXES"));
		return -REASON_DISPLAY_LACKS;
	}
	for (int i = 0; i < ATOMS; i++)
		clipboard->atoms[i] = XInternAtom(x, atom_names[i], False);
	clipboard->window =
		XCreateSimpleWindow(x, clipboard->display->root, -1, -1, 1, 1, 0, 0, 0);
	XSelectInput(x, clipboard->window, PropertyChangeMask);
	XFixesSelectSelectionInput(x, clipboard->window, clipboard->atoms[CLIPBOARD],
		XFixesSetSelectionOwnerNotifyMask);
	XFlush(x);
	return 0;
}

int x11_clipboard_new(const char *display, x11_clipboard_fn fn, void *ctx,
	struct x11_clipboard **ret)
{
	struct x11_clipboard *clipboard = calloc(1, sizeof(*clipboard));
	if (!clipboard)
		return -REASON_NO_MEMORY;
	clipboard->fn = fn;
	clipboard->ctx = ctx;
	buf_init(&clipboard->arrived, X11_CLIPBOARD_MAX);
	int r = x11_display_open(display, &clipboard->display);
	if (r == 0)
		r = setup(clipboard);
	if (r < 0) {
		x11_clipboard_free(clipboard);
		return r;
	}
	*ret = clipboard;
	return 0;
}

struct x11_clipboard *x11_clipboard_free(struct x11_clipboard *clipboard)
{
	if (!clipboard)
		return NULL;
	for (int i = 0; i < SERVES_MAX; i++)
		end_serve(&clipboard->serves[i]);
	x11_display_close(clipboard->display);
	buf_done(&clipboard->arrived);
	free(clipboard->own);
	free(clipboard->last);
	free(clipboard);
	return NULL;
}
