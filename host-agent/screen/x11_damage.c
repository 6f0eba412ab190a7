#include "screen/x11_damage.h"

#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/reason.h"

struct x11_damage {
	struct x11_display *display;
	Damage handle;
	XserverRegion taken;
	int first_event;
};

/* A server reports one rectangle per letter drawn; beyond this many the hull serves as well. */
#define FETCH_MAX 256

int x11_damage_new(struct x11_display *display, struct x11_damage **ret)
{
	int errors, fixes_event;
	struct x11_damage *damage = calloc(1, sizeof(*damage));
	if (!damage)
		return -REASON_NO_MEMORY;
	damage->display = display;
	if (!XDamageQueryExtension(display->x, &damage->first_event, &errors) ||
		!XFixesQueryExtension(display->x, &fixes_event, &errors)) {
		log_line(LOG_ERROR, "X extension missing",
			LOG_S("needs", "DAMAGE, XFIXES"));
		free(damage);
		return -REASON_DISPLAY_LACKS;
	}
	/* NonEmpty: one event, then silence until the damage is taken. The other levels send an event
	 * per drawing operation, also while nobody watches. */
	damage->handle = XDamageCreate(display->x, display->root, XDamageReportNonEmpty);
	damage->taken = XFixesCreateRegion(display->x, NULL, 0);
	*ret = damage;
	return 0;
}

struct x11_damage *x11_damage_free(struct x11_damage *damage)
{
	if (!damage)
		return NULL;
	if (!damage->display->lost) {
		XDamageDestroy(damage->display->x, damage->handle);
		XFixesDestroyRegion(damage->display->x, damage->taken);
	}
	free(damage);
	return NULL;
}

int x11_damage_event(const struct x11_damage *damage, const XEvent *event)
{
	return event->type == damage->first_event + XDamageNotify;
}

static struct source_rect of(const XRectangle *rect)
{
	return (struct source_rect){rect->x, rect->y, rect->width, rect->height};
}

size_t x11_damage_take(struct x11_damage *damage, int width, int height,
	struct source_rect rects[SOURCE_RECTS_MAX])
{
	struct source_rect all[FETCH_MAX];
	XRectangle bounds;
	int fetched = 0;
	if (damage->display->lost)
		return 0;
	XDamageSubtract(damage->display->x, damage->handle, None, damage->taken);
	XRectangle *list = XFixesFetchRegionAndBounds(damage->display->x, damage->taken,
		&fetched, &bounds);
	if (!list)
		return 0;
	size_t count = 0;
	if (fetched > FETCH_MAX) {
		all[count++] = of(&bounds);
	} else {
		for (int i = 0; i < fetched; i++)
			all[count++] = of(&list[i]);
	}
	XFree(list);
	count = source_coalesce(all, count, SOURCE_RECTS_MAX);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (source_clip(&all[i], width, height))
			rects[kept++] = all[i];
	return kept;
}
