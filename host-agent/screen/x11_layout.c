#include "screen/x11_layout.h"

#include <X11/extensions/Xrandr.h>

#include "base/log.h"
#include "base/reason.h"

int x11_layout_watch(struct x11_display *display, int *ret_first_event)
{
	int errors, major = 0, minor = 0;
	if (!XRRQueryExtension(display->x, ret_first_event, &errors) ||
		!XRRQueryVersion(display->x, &major, &minor) || major * 10 + minor < 12) {
		log_line(LOG_ERROR, "X extension missing", LOG_S("needs", "RANDR 1.2"));
		return -REASON_DISPLAY_LACKS;
	}
	XSelectInput(display->x, display->root, StructureNotifyMask);
	XRRSelectInput(display->x, display->root,
		RRScreenChangeNotifyMask | RRCrtcChangeNotifyMask |
			RROutputChangeNotifyMask | RRResourceChangeNotifyMask);
	return 0;
}

int x11_layout_event(int first_event, XEvent *event)
{
	if (event->type == first_event + RRScreenChangeNotify) {
		XRRUpdateConfiguration(event);
		return 1;
	}
	return event->type == ConfigureNotify || event->type == first_event + RRNotify;
}

static void read_monitors(struct x11_display *display, struct source *source)
{
	int count = 0;
	XRRMonitorInfo *list = XRRGetMonitors(display->x, display->root, True, &count);
	source->monitor_count = 0;
	for (int i = 0; i < count && i < SOURCE_MONITORS_MAX; i++) {
		struct source_rect rect = {
			list[i].x, list[i].y, list[i].width, list[i].height};
		if (source_clip(&rect, source->width, source->height))
			source->monitors[source->monitor_count++] = rect;
	}
	if (list)
		XRRFreeMonitors(list);
	if (!source->monitor_count)
		source->monitors[source->monitor_count++] =
			(struct source_rect){0, 0, source->width, source->height};
}

static int same_rect(const struct source_rect *a, const struct source_rect *b)
{
	return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

int x11_layout_same(const struct source *a, const struct source *b)
{
	int same = a->width == b->width && a->height == b->height &&
		   a->monitor_count == b->monitor_count;
	for (size_t i = 0; same && i < a->monitor_count; i++)
		same = same_rect(&a->monitors[i], &b->monitors[i]);
	return same;
}

int x11_layout_read(struct x11_display *display, struct source *source)
{
	Window root;
	int x, y;
	unsigned width, height, border, depth;
	if (display->lost || !XGetGeometry(display->x, display->root, &root, &x, &y,
				     &width, &height, &border, &depth))
		return 0;
	source->width = (int)width;
	source->height = (int)height;
	read_monitors(display, source);
	return 1;
}
