#include "input/held.h"

#include <string.h>

static size_t find(const struct held *held, uint32_t keysym)
{
	size_t i = 0;
	while (i < held->count && held->keysyms[i] != keysym)
		i++;
	return i;
}

int held_key(struct held *held, uint32_t keysym, int down)
{
	size_t at = find(held, keysym);
	if (down && at == held->count) {
		if (held->count == HELD_KEYS_MAX)
			return 0;
		held->keysyms[held->count++] = keysym;
		return 1;
	}
	if (down) /* a repeat */
		return 1;
	if (at == held->count)
		return 0;
	held->count--;
	memmove(&held->keysyms[at], &held->keysyms[at + 1],
		(held->count - at) * sizeof(held->keysyms[0]));
	return 1;
}

void held_pointer(struct held *held, int x, int y, uint32_t buttons)
{
	held->x = x;
	held->y = y;
	held->buttons = buttons;
}

void held_release(struct held *held, const struct held_release *release)
{
	while (held->count)
		release->key(release->ctx, held->keysyms[--held->count]);
	if (held->buttons)
		release->buttons(release->ctx, held->x, held->y);
	held->buttons = 0;
}
