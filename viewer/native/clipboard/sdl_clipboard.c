#include "clipboard/sdl_clipboard.h"

#include <SDL2/SDL_clipboard.h>
#include <SDL2/SDL_stdinc.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

struct sdl_clipboard {
	struct sdl_clipboard_out out;
	char *known; /* the text both sides have; NULL: none */
};

int sdl_clipboard_new(struct sdl_clipboard **ret, const struct sdl_clipboard_out *out)
{
	struct sdl_clipboard *clipboard = calloc(1, sizeof *clipboard);

	if (!clipboard)
		return -REASON_NO_MEMORY;
	clipboard->out = *out;
	*ret = clipboard;
	return 0;
}

/* People copy passwords: the old text does not stay behind in freed memory. */
static void forget(struct sdl_clipboard *clipboard)
{
	if (clipboard->known)
		secret_wipe(clipboard->known, strlen(clipboard->known));
	free(clipboard->known);
	clipboard->known = NULL;
}

static int know(struct sdl_clipboard *clipboard, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -REASON_NO_MEMORY;
	memcpy(copy, text, len);
	copy[len] = 0;
	forget(clipboard);
	clipboard->known = copy;
	return 0;
}

static void found(struct sdl_clipboard *clipboard, const char *text)
{
	size_t len = strlen(text);

	if (!len || (clipboard->known && !strcmp(clipboard->known, text)))
		return;
	/* Some owners hand out what is no UTF-8; nobody could paste that. */
	if (!text_utf8_valid(text, len))
		return;
	if (know(clipboard, text, len))
		return;
	clipboard->out.text(clipboard->out.ctx, len > SDL_CLIPBOARD_MAX ? NULL : text,
		len);
}

void sdl_clipboard_look(struct sdl_clipboard *clipboard)
{
	/* X11 lets the owner convert at leisure: this may take up to a second, which is why the
	 * window has a thread of its own. */
	char *text = SDL_HasClipboardText() ? SDL_GetClipboardText() : NULL;

	if (!text)
		return;
	found(clipboard, text);
	secret_wipe(text, strlen(text));
	SDL_free(text);
}

int sdl_clipboard_set(struct sdl_clipboard *clipboard, const char *utf8, size_t len)
{
	if (len > SDL_CLIPBOARD_MAX)
		return -REASON_LIMIT;
	if (memchr(utf8, 0, len) || !text_utf8_valid(utf8, len))
		return -REASON_BAD_VALUE;
	int r = know(clipboard, utf8, len);
	if (r)
		return r;
	SDL_SetClipboardText(clipboard->known);
	return 0;
}

struct sdl_clipboard *sdl_clipboard_free(struct sdl_clipboard *clipboard)
{
	if (!clipboard)
		return NULL;
	forget(clipboard);
	free(clipboard);
	return NULL;
}
