#include "input/paste.h"

#include <stdlib.h>

/* keysymdef.h and XF86keysym.h */
enum keysym {
	KEY_SHIFT_L = 0xffe1,
	KEY_SHIFT_R = 0xffe2,
	KEY_CONTROL_L = 0xffe3,
	KEY_CONTROL_R = 0xffe4,
	KEY_META_L = 0xffe7,
	KEY_META_R = 0xffe8,
	KEY_ALT_L = 0xffe9,
	KEY_ALT_R = 0xffea,
	KEY_SUPER_L = 0xffeb,
	KEY_SUPER_R = 0xffec,
	KEY_INSERT = 0xff63,
	KEY_KP_INSERT = 0xff9e,
	KEY_PASTE = 0x1008ff6d,
};

enum mods { SHIFT = 1, CONTROL = 2, OTHER = 4 };

static unsigned mods_of(const struct held *held)
{
	unsigned mods = 0;
	for (size_t i = 0; i < held->count; i++)
		switch (held->keysyms[i]) {
		case KEY_SHIFT_L:
		case KEY_SHIFT_R:
			mods |= SHIFT;
			break;
		case KEY_CONTROL_L:
		case KEY_CONTROL_R:
			mods |= CONTROL;
			break;
		case KEY_ALT_L:
		case KEY_ALT_R:
		case KEY_META_L:
		case KEY_META_R:
		case KEY_SUPER_L:
		case KEY_SUPER_R:
			mods |= OTHER;
			break;
		default:
			break;
		}
	return mods;
}

/* Ctrl+V; with Shift in terminals. Shift+Insert means either selection, as the toolkit likes. */
unsigned paste_by_key(const struct held *held, uint32_t keysym)
{
	unsigned mods = mods_of(held);
	if (keysym == KEY_PASTE)
		return PASTE_CLIPBOARD;
	if ((keysym == 'v' || keysym == 'V') && (mods & ~(unsigned)SHIFT) == CONTROL)
		return PASTE_CLIPBOARD;
	if ((keysym == KEY_INSERT || keysym == KEY_KP_INSERT) && mods == SHIFT)
		return PASTE_CLIPBOARD | PASTE_PRIMARY;
	return PASTE_NOTHING;
}

void paste_begin(struct paste *paste, int64_t wait_us, int64_t now_us)
{
	paste->wait_us = wait_us;
	paste->until_us = now_us + wait_us;
	paste->most_us = now_us + PASTE_TIMES * wait_us;
}

void paste_asked(struct paste *paste, int64_t now_us)
{
	if (!paste->until_us)
		return;
	paste->until_us = now_us + paste->wait_us;
	if (paste->until_us > paste->most_us)
		paste->until_us = paste->most_us;
}

void paste_end(struct paste *paste)
{
	paste->until_us = paste->most_us = 0;
}

int paste_waits(const struct paste *paste, int64_t now_us)
{
	return now_us < paste->until_us;
}

int64_t paste_until_us(const struct paste *paste)
{
	return paste->count && paste->until_us ? paste->until_us : -1;
}

static struct paste_input *slot(struct paste *paste, size_t number)
{
	return &paste->queue[(paste->first + number) % PASTE_QUEUE_MAX];
}

int paste_put(struct paste *paste, const struct paste_input *input)
{
	struct paste_input *last = paste->count ? slot(paste, paste->count - 1) : NULL;
	if (last && input->kind == PASTE_POINTER && last->kind == PASTE_POINTER &&
		last->buttons == input->buttons) {
		*last = *input;
		return 1;
	}
	if (paste->count == PASTE_QUEUE_MAX ||
		input->len > PASTE_TEXTS_MAX - paste->text_bytes)
		return 0;
	paste->text_bytes += input->len;
	*slot(paste, paste->count++) = *input;
	return 1;
}

int paste_take(struct paste *paste, struct paste_input *ret)
{
	if (!paste->count)
		return 0;
	*ret = *slot(paste, 0);
	paste->first = (paste->first + 1) % PASTE_QUEUE_MAX;
	paste->count--;
	paste->text_bytes -= ret->len;
	return 1;
}

void paste_empty(struct paste *paste)
{
	struct paste_input one;
	while (paste_take(paste, &one))
		free(one.text);
	paste_end(paste);
}
