#include "unit/viewer/native/desk_rig.h"

#include <SDL2/SDL.h>

#include "base/reason.h"
#include "clipboard/sdl_clipboard.h"

struct seen {
	int texts, longs;
	char last[64];
	size_t len;
};

static void on_text(void *ctx, const char *utf8, size_t len)
{
	struct seen *seen = ctx;

	seen->texts += utf8 != NULL;
	seen->longs += utf8 == NULL;
	seen->len = len;
	snprintf(seen->last, sizeof seen->last, "%s", utf8 ? utf8 : "");
}

static void test_once_and_no_echo(void **state)
{
	struct seen seen = {0};
	const struct sdl_clipboard_out out = {on_text, &seen};
	struct sdl_clipboard *clipboard = NULL;
	char *large = malloc(SDL_CLIPBOARD_MAX + 2);
	struct rig_x x = rig_xvfb("64x64x24");

	(void)state;
	setenv("DISPLAY", x.display, 1);
	assert_int_equal(SDL_InitSubSystem(SDL_INIT_VIDEO), 0);
	SDL_Window *window = SDL_CreateWindow("x", 0, 0, 32, 32, 0);
	assert_non_null(window);
	assert_int_equal(sdl_clipboard_new(&clipboard, &out), 0);
	sdl_clipboard_look(clipboard); /* empty */
	assert_int_equal(seen.texts, 0);
	SDL_SetClipboardText("会社");
	sdl_clipboard_look(clipboard);
	sdl_clipboard_look(clipboard);
	assert_int_equal(seen.texts, 1);
	assert_string_equal(seen.last, "会社");
	assert_int_equal(sdl_clipboard_set(clipboard, "自宅", 6), 0);
	sdl_clipboard_look(clipboard);
	assert_int_equal(seen.texts, 1);
	char *now = SDL_GetClipboardText();
	assert_string_equal(now, "自宅");
	SDL_free(now);
	/* Exactly the limit passes, one more does not, and is told once. */
	memset(large, 'x', SDL_CLIPBOARD_MAX + 1);
	large[SDL_CLIPBOARD_MAX + 1] = 0;
	assert_int_equal(sdl_clipboard_set(clipboard, large, SDL_CLIPBOARD_MAX + 1),
		-REASON_LIMIT);
	assert_int_equal(sdl_clipboard_set(clipboard, large, SDL_CLIPBOARD_MAX), 0);
	SDL_SetClipboardText(large);
	sdl_clipboard_look(clipboard);
	sdl_clipboard_look(clipboard);
	assert_int_equal(seen.longs, 1);
	assert_int_equal(seen.len, SDL_CLIPBOARD_MAX + 1);
	assert_int_equal(sdl_clipboard_set(clipboard, "a\0b", 3), -REASON_BAD_VALUE);
	assert_int_equal(sdl_clipboard_set(clipboard, "\xc3", 1), -REASON_BAD_VALUE);
	assert_null(sdl_clipboard_free(clipboard));
	SDL_DestroyWindow(window);
	SDL_QuitSubSystem(SDL_INIT_VIDEO);
	rig_end(x.pid);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_once_and_no_echo)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
