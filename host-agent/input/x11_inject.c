#include "input/x11_inject.h"

#include <X11/XKBlib.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "input/keymap.h"
#include "screen/x11_display.h"

#define PRESSED_MAX 64
#define BUTTONS 8
#define DEVICES_MOST 32

struct pressed {
	uint32_t keysym;
	KeyCode code;
	struct keymap_spare *spare; /* NULL: the layout had it */
};

struct x11_inject {
	struct x11_display *display;
	int xkb_event;
	XkbDescPtr map;
	KeyCode shift_code, level3_code;
	unsigned level3_mask;
	struct keymap_spares spares;
	struct pressed pressed[PRESSED_MAX];
	int pressed_count;
	uint32_t buttons;
	unsigned test_keyboard; /* XTEST's device; 0: not found */
};

/* Where a keysym is, and how Shift and AltGr have to stand for it. */
struct place {
	KeyCode code;
	unsigned mods;
	int changes;
};

static void type(struct x11_inject *inject, KeyCode code, int down)
{
	XTestFakeKeyEvent(inject->display->x, code, down, CurrentTime);
}

/* ---- the layout ---- */

static int is_spare(const struct x11_inject *inject, unsigned code)
{
	for (size_t i = 0; i < inject->spares.count; i++)
		if (inject->spares.all[i].code == code)
			return 1;
	return 0;
}

static int group_of(const struct x11_inject *inject, unsigned code, int group)
{
	int count = XkbKeyNumGroups(inject->map, code);
	return count ? group % count : -1;
}

/* 0: the key has no symbol at all. */
static int has_symbols(const struct x11_inject *inject, unsigned code)
{
	int count = XkbKeyNumSyms(inject->map, code);
	const KeySym *symbols = XkbKeySymsPtr(inject->map, code);
	for (int i = 0; i < count; i++)
		if (symbols[i] != NoSymbol)
			return 1;
	return 0;
}

static void find_spares(struct x11_inject *inject)
{
	struct keymap_spares *spares = &inject->spares;
	if (spares->count)
		return;
	/* From the top: low codes are where real keyboards have their odd keys. */
	for (unsigned code = inject->map->max_key_code;
		code >= inject->map->min_key_code && spares->count < KEYMAP_SPARES_MAX;
		code--)
		if (!has_symbols(inject, code))
			spares->all[spares->count++] =
				(struct keymap_spare){.code = code};
}

static KeyCode code_with(const struct x11_inject *inject, KeySym keysym)
{
	for (unsigned code = inject->map->min_key_code; code <= inject->map->max_key_code;
		code++)
		if (!is_spare(inject, code) && XkbKeyNumGroups(inject->map, code) &&
			XkbKeySymEntry(inject->map, code, 0, 0) == keysym)
			return (KeyCode)code;
	return 0;
}

static int load_map(struct x11_inject *inject)
{
	if (inject->map)
		XkbFreeKeyboard(inject->map, 0, True);
	inject->map = XkbGetMap(inject->display->x,
		XkbAllClientInfoMask | XkbModifierMapMask, XkbUseCoreKbd);
	if (!inject->map)
		return 0;
	find_spares(inject);
	inject->shift_code = code_with(inject, XK_Shift_L);
	inject->level3_code = code_with(inject, XK_ISO_Level3_Shift);
	inject->level3_mask =
		inject->level3_code ? inject->map->map->modmap[inject->level3_code] : 0;
	/* Some layouts keep AltGr's modifier on a key of its own. */
	if (inject->level3_code && !inject->level3_mask)
		inject->level3_mask = Mod5Mask;
	return 1;
}

/* A spare that got a new keysym is no news to us. */
static int concerns_us(const struct x11_inject *inject, const XEvent *event)
{
	if (event->type == MappingNotify)
		return event->xmapping.request == MappingModifier;
	if (event->type != inject->xkb_event)
		return 0;
	const XkbEvent *xkb = (const XkbEvent *)(const void *)event;
	if (xkb->any.xkb_type == XkbNewKeyboardNotify)
		return 1;
	return xkb->any.xkb_type == XkbMapNotify &&
	       !(xkb->map.num_key_syms == 1 &&
		       is_spare(inject, (unsigned)xkb->map.first_key_sym));
}

static int follow_layout(struct x11_inject *inject)
{
	int changed = 0;
	while (x11_display_pending(inject->display) > 0) {
		XEvent event;
		XNextEvent(inject->display->x, &event);
		changed |= concerns_us(inject, &event);
	}
	if (inject->display->lost)
		return 0;
	return changed || !inject->map ? load_map(inject) : 1;
}

static int level_under(const XkbKeyTypeRec *key_type, unsigned mods)
{
	for (int i = 0; i < key_type->map_count; i++) {
		const XkbKTMapEntryRec *entry = &key_type->map[i];
		if (entry->active && entry->mods.mask == (mods & key_type->mods.mask))
			return entry->level;
	}
	return 0;
}

/* Tries the four ways in which Shift and AltGr can stand; everything else stays as it is. */
static void try_key(const struct x11_inject *inject, unsigned code, int group, int level,
	unsigned mods, struct place *best)
{
	const XkbKeyTypeRec *key_type = XkbKeyKeyType(inject->map, code, group);
	const unsigned switches[4] = {
		0, ShiftMask, inject->level3_mask, ShiftMask | inject->level3_mask};
	for (int i = 0; i < (inject->level3_mask ? 4 : 2); i++) {
		unsigned wanted =
			(mods & ~(ShiftMask | inject->level3_mask)) | switches[i];
		int changes = __builtin_popcount(wanted ^ mods);
		if (changes < best->changes && level_under(key_type, wanted) == level)
			*best = (struct place){(KeyCode)code, wanted, changes};
	}
}

static int find_place(const struct x11_inject *inject, KeySym keysym,
	const XkbStateRec *state, struct place *ret)
{
	struct place best = {.changes = 99};
	for (unsigned code = inject->map->min_key_code; code <= inject->map->max_key_code;
		code++) {
		int group = group_of(inject, code, state->group);
		if (group < 0 || is_spare(inject, code))
			continue;
		int levels = XkbKeyGroupWidth(inject->map, code, group);
		for (int level = 0; level < levels; level++) {
			if (XkbKeySymEntry(inject->map, code, level, group) != keysym)
				continue;
			if (keymap_is_function((uint32_t)keysym) && best.changes)
				best = (struct place){(KeyCode)code, state->mods, 0};
			else
				try_key(inject, code, group, level, state->mods, &best);
		}
	}
	*ret = best;
	return best.code != 0;
}

/* ---- modifiers for a moment ---- */

static unsigned mod_of(const struct x11_inject *inject, KeyCode code)
{
	return inject->map->map->modmap[code];
}

/* Lifts (or puts back) the keys that hold a modifier down. */
static void move_held(struct x11_inject *inject, unsigned mask, int down)
{
	for (int i = 0; i < inject->pressed_count; i++)
		if (mod_of(inject, inject->pressed[i].code) & mask)
			type(inject, inject->pressed[i].code, down);
}

static void switch_mods(struct x11_inject *inject, unsigned from, unsigned to, int back)
{
	const struct {
		unsigned mask;
		KeyCode code;
	} both[2] = {{ShiftMask, inject->shift_code},
		{inject->level3_mask, inject->level3_code}};
	for (int i = 0; i < 2; i++) {
		unsigned mask = both[i].mask;
		if (!mask || !((from ^ to) & mask))
			continue;
		if (to & mask)
			type(inject, both[i].code, !back);
		else
			move_held(inject, mask, back);
	}
}

/* ---- keys ---- */

static struct pressed *pressed_as(struct x11_inject *inject, uint32_t keysym)
{
	for (int i = 0; i < inject->pressed_count; i++)
		if (inject->pressed[i].keysym == keysym)
			return &inject->pressed[i];
	return NULL;
}

static void press(struct x11_inject *inject, uint32_t keysym, KeyCode code,
	struct keymap_spare *spare)
{
	type(inject, code, 1);
	if (inject->pressed_count == PRESSED_MAX)
		return type(inject, code, 0);
	inject->pressed[inject->pressed_count++] = (struct pressed){keysym, code, spare};
	if (spare) {
		spare->down = 1;
		spare->used_us = clock_mono_us();
	}
}

/* The same on both levels, so that Shift does not matter. */
static void remap(struct x11_inject *inject, unsigned code, KeySym keysym)
{
	KeySym symbols[2] = {keysym, keysym};
	XChangeKeyboardMapping(inject->display->x, (int)code, 2, symbols, 1);
	XSync(inject->display->x, False);
}

static void press_spare(struct x11_inject *inject, uint32_t keysym)
{
	struct keymap_spare *spare = keymap_spare_of(&inject->spares, keysym);
	if (!spare) {
		spare = keymap_spare_next(&inject->spares);
		if (!spare)
			return log_line(LOG_WARN, "key not typed",
				LOG_S("because", "the keyboard has no spare keycode"));
		/* All have just been used: give the program that reads them time to catch up. */
		int64_t rested = clock_mono_us() - spare->used_us;
		if (spare->used_us && rested < KEYMAP_REST_US)
			usleep((useconds_t)(KEYMAP_REST_US - rested));
		remap(inject, spare->code, keysym);
		spare->keysym = keysym;
	}
	press(inject, keysym, (KeyCode)spare->code, spare);
}

static void key_down(struct x11_inject *inject, uint32_t keysym)
{
	XkbStateRec state;
	struct place place;
	if (XkbGetState(inject->display->x, XkbUseCoreKbd, &state) != Success)
		return;
	/* Shift and Tab together: the keysym of that chord is a name for the same key. */
	if (keysym == XK_ISO_Left_Tab)
		keysym = XK_Tab;
	uint32_t twin = keymap_twin(keysym);
	if (!find_place(inject, keysym, &state, &place) &&
		(!twin || !find_place(inject, twin, &state, &place)))
		return press_spare(inject, keysym);
	if (keymap_is_modifier(keysym))
		place.mods = state.mods;
	switch_mods(inject, state.mods, place.mods, 0);
	press(inject, keysym, place.code, NULL);
	switch_mods(inject, state.mods, place.mods, 1);
}

static void key_up(struct x11_inject *inject, struct pressed *pressed)
{
	type(inject, pressed->code, 0);
	if (pressed->spare) {
		pressed->spare->down = 0;
		pressed->spare->used_us = clock_mono_us();
	}
	*pressed = inject->pressed[--inject->pressed_count];
}

void x11_inject_key(struct x11_inject *inject, uint32_t keysym, int down)
{
	if (keysym == XK_ISO_Left_Tab)
		keysym = XK_Tab;
	if (!follow_layout(inject))
		return;
	struct pressed *pressed = pressed_as(inject, keysym);
	if (pressed && !down) {
		key_up(inject, pressed);
	} else if (pressed && !keymap_is_modifier(keysym)) {
		key_up(inject, pressed);
		key_down(inject, keysym);
	} else if (!pressed && down) {
		key_down(inject, keysym);
	}
	if (!inject->display->lost)
		XFlush(inject->display->x);
}

void x11_inject_pointer(struct x11_inject *inject, int x, int y, uint32_t buttons)
{
	struct x11_display *display = inject->display;
	if (x11_display_pending(display) < 0 || display->lost)
		return;
	XTestFakeMotionEvent(display->x, display->screen, x, y, CurrentTime);
	for (unsigned i = 0; i < BUTTONS; i++)
		if ((buttons ^ inject->buttons) & 1u << i)
			XTestFakeButtonEvent(display->x, i + 1,
				buttons & 1u << i ? True : False, CurrentTime);
	inject->buttons = buttons;
	XFlush(display->x);
}

/* ---- repeats ---- */

static unsigned find_test_keyboard(struct x11_inject *inject)
{
	for (unsigned id = 2; id < DEVICES_MOST; id++) {
		XkbDeviceInfoPtr info = XkbGetDeviceInfo(inject->display->x, 0, id,
			XkbDfltXIClass, XkbDfltXIId);
		int found = info && info->name && strstr(info->name, "XTEST keyboard");
		if (info)
			XkbFreeDeviceInfo(info, 0, True);
		if (found)
			return id;
	}
	return 0;
}

/* The viewer repeats what it holds. If the server did so too, a network that hangs for a second
 * between "down" and "up" would type a row of letters. The office's own keyboards are other devices. */
static void set_repeats(struct x11_inject *inject, unsigned on)
{
	if (!inject->test_keyboard)
		return;
	XkbChangeEnabledControls(inject->display->x, inject->test_keyboard,
		XkbRepeatKeysMask, on ? XkbRepeatKeysMask : 0);
	XSync(inject->display->x, False);
}

/* ---- life ---- */

static int setup(struct x11_inject *inject)
{
	Display *x = inject->display->x;
	int event, error, major = XkbMajorVersion, minor = XkbMinorVersion, opcode;
	if (!XTestQueryExtension(x, &event, &error, &opcode, &minor)) {
		log_line(LOG_ERROR, "X extension missing", LOG_S("needs", "XTEST"));
		return -REASON_DISPLAY_LACKS;
	}
	minor = XkbMinorVersion;
	if (!XkbQueryExtension(x, &opcode, &inject->xkb_event, &error, &major, &minor)) {
		log_line(LOG_ERROR, "X extension missing", LOG_S("needs", "XKEYBOARD"));
		return -REASON_DISPLAY_LACKS;
	}
	/* Also while some program grabs the server: a menu must not lock the viewer out. */
	XTestGrabControl(x, True);
	XkbSelectEvents(x, XkbUseCoreKbd, XkbMapNotifyMask | XkbNewKeyboardNotifyMask,
		XkbMapNotifyMask | XkbNewKeyboardNotifyMask);
	inject->test_keyboard = find_test_keyboard(inject);
	set_repeats(inject, 0);
	return load_map(inject) ? 0 : -REASON_DISPLAY_LACKS;
}

int x11_inject_new(const char *display, struct x11_inject **ret)
{
	struct x11_inject *inject = calloc(1, sizeof(*inject));
	if (!inject)
		return -REASON_NO_MEMORY;
	int r = x11_display_open(display, &inject->display);
	if (r == 0)
		r = setup(inject);
	if (r < 0) {
		x11_inject_free(inject);
		return r;
	}
	*ret = inject;
	return 0;
}

/* The spare codes keep their keysyms until here: a program may still have to look up a key that was
 * typed just before a stream ended. */
static void give_back(struct x11_inject *inject)
{
	if (inject->display->lost || !inject->map)
		return;
	while (inject->pressed_count)
		key_up(inject, &inject->pressed[inject->pressed_count - 1]);
	for (size_t i = 0; i < inject->spares.count; i++)
		if (inject->spares.all[i].keysym)
			remap(inject, inject->spares.all[i].code, NoSymbol);
	set_repeats(inject, 1);
}

struct x11_inject *x11_inject_free(struct x11_inject *inject)
{
	if (!inject)
		return NULL;
	if (inject->display) {
		if (inject->buttons)
			x11_inject_pointer(inject, 0, 0, 0);
		give_back(inject);
	}
	if (inject->map)
		XkbFreeKeyboard(inject->map, 0, True);
	x11_display_close(inject->display);
	free(inject);
	return NULL;
}
