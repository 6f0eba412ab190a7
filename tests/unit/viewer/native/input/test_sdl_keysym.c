#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <SDL2/SDL_keycode.h>
#define XK_MISCELLANY
#define XK_XKB_KEYS
#define XK_JAPANESE
#define XK_KOREAN
#include <X11/XF86keysym.h>
#include <X11/keysymdef.h>
#include <cmocka.h>

#include "base/check.h"
#include "input/sdl_keysym.h"

/* The numbers in the table are written by hand; X11's own header is the other opinion. */
static const struct {
	int32_t keycode;
	uint32_t keysym;
} keys[] = {
	{SDLK_BACKSPACE, XK_BackSpace},
	{SDLK_TAB, XK_Tab},
	{SDLK_RETURN, XK_Return},
	{SDLK_ESCAPE, XK_Escape},
	{SDLK_DELETE, XK_Delete},
	{SDLK_HOME, XK_Home},
	{SDLK_LEFT, XK_Left},
	{SDLK_UP, XK_Up},
	{SDLK_RIGHT, XK_Right},
	{SDLK_DOWN, XK_Down},
	{SDLK_PAGEUP, XK_Page_Up},
	{SDLK_PAGEDOWN, XK_Page_Down},
	{SDLK_END, XK_End},
	{SDLK_INSERT, XK_Insert},
	{SDLK_PAUSE, XK_Pause},
	{SDLK_SCROLLLOCK, XK_Scroll_Lock},
	{SDLK_PRINTSCREEN, XK_Print},
	{SDLK_SYSREQ, XK_Sys_Req},
	{SDLK_SELECT, XK_Select},
	{SDLK_EXECUTE, XK_Execute},
	{SDLK_UNDO, XK_Undo},
	{SDLK_AGAIN, XK_Redo},
	{SDLK_APPLICATION, XK_Menu},
	{SDLK_FIND, XK_Find},
	{SDLK_CANCEL, XK_Cancel},
	{SDLK_HELP, XK_Help},
	{SDLK_CLEAR, XK_Clear},
	{SDLK_F1, XK_F1},
	{SDLK_F12, XK_F12},
	{SDLK_F13, XK_F13},
	{SDLK_F24, XK_F24},
	{SDLK_LSHIFT, XK_Shift_L},
	{SDLK_RSHIFT, XK_Shift_R},
	{SDLK_LCTRL, XK_Control_L},
	{SDLK_RCTRL, XK_Control_R},
	{SDLK_LALT, XK_Alt_L},
	{SDLK_RALT, XK_Alt_R},
	{SDLK_LGUI, XK_Super_L},
	{SDLK_RGUI, XK_Super_R},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG5), XK_Zenkaku_Hankaku},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL4), XK_Henkan_Mode},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL5), XK_Muhenkan},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL2), XK_Hiragana_Katakana},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG2), XK_Eisu_toggle},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG3), XK_Katakana},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG4), XK_Hiragana},
	{SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG1), XK_Hangul},
	{SDLK_AUDIOMUTE, XF86XK_AudioMute},
	{SDLK_VOLUMEDOWN, XF86XK_AudioLowerVolume},
	{SDLK_VOLUMEUP, XF86XK_AudioRaiseVolume},
	{SDLK_AUDIOPLAY, XF86XK_AudioPlay},
	{SDLK_AUDIOSTOP, XF86XK_AudioStop},
	{SDLK_AUDIOPREV, XF86XK_AudioPrev},
	{SDLK_AUDIONEXT, XF86XK_AudioNext},
	{SDLK_AUDIOREWIND, XF86XK_AudioRewind},
	{SDLK_AUDIOFASTFORWARD, XF86XK_AudioForward},
	{SDLK_MEDIASELECT, XF86XK_AudioMedia},
	{SDLK_EJECT, XF86XK_Eject},
	{SDLK_WWW, XF86XK_WWW},
	{SDLK_MAIL, XF86XK_Mail},
	{SDLK_CALCULATOR, XF86XK_Calculator},
	{SDLK_COMPUTER, XF86XK_MyComputer},
	{SDLK_AC_SEARCH, XF86XK_Search},
	{SDLK_AC_HOME, XF86XK_HomePage},
	{SDLK_AC_BACK, XF86XK_Back},
	{SDLK_AC_FORWARD, XF86XK_Forward},
	{SDLK_AC_STOP, XF86XK_Stop},
	{SDLK_AC_REFRESH, XF86XK_Refresh},
	{SDLK_AC_BOOKMARKS, XF86XK_Favorites},
	{SDLK_CUT, XF86XK_Cut},
	{SDLK_COPY, XF86XK_Copy},
	{SDLK_PASTE, XF86XK_Paste},
	{SDLK_BRIGHTNESSDOWN, XF86XK_MonBrightnessDown},
	{SDLK_BRIGHTNESSUP, XF86XK_MonBrightnessUp},
	{SDLK_SLEEP, XF86XK_Sleep},
	{SDLK_a, 0},
	{SDLK_SPACE, 0},
	{SDLK_CAPSLOCK, 0},
	{SDLK_NUMLOCKCLEAR, 0},
	{SDLK_MODE, 0},
	{SDLK_UNKNOWN, 0},
};

static const struct {
	int32_t keycode;
	uint32_t with_num_lock, without;
} keypad[] = {
	{SDLK_KP_0, XK_KP_0, XK_KP_Insert},
	{SDLK_KP_1, XK_KP_1, XK_KP_End},
	{SDLK_KP_2, XK_KP_2, XK_KP_Down},
	{SDLK_KP_3, XK_KP_3, XK_KP_Page_Down},
	{SDLK_KP_4, XK_KP_4, XK_KP_Left},
	{SDLK_KP_5, XK_KP_5, XK_KP_Begin},
	{SDLK_KP_6, XK_KP_6, XK_KP_Right},
	{SDLK_KP_7, XK_KP_7, XK_KP_Home},
	{SDLK_KP_8, XK_KP_8, XK_KP_Up},
	{SDLK_KP_9, XK_KP_9, XK_KP_Page_Up},
	{SDLK_KP_PERIOD, XK_KP_Decimal, XK_KP_Delete},
	{SDLK_KP_COMMA, XK_KP_Separator, XK_KP_Separator},
	{SDLK_KP_DIVIDE, XK_KP_Divide, XK_KP_Divide},
	{SDLK_KP_MULTIPLY, XK_KP_Multiply, XK_KP_Multiply},
	{SDLK_KP_MINUS, XK_KP_Subtract, XK_KP_Subtract},
	{SDLK_KP_PLUS, XK_KP_Add, XK_KP_Add},
	{SDLK_KP_ENTER, XK_KP_Enter, XK_KP_Enter},
	{SDLK_KP_EQUALS, XK_KP_Equal, XK_KP_Equal},
};

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (int num = 0; num < 2; num++)
			assert_int_equal(sdl_keysym_key(keys[i].keycode, num),
				keys[i].keysym);
	for (size_t i = 0; i < ARRAY_LEN(keypad); i++) {
		assert_int_equal(sdl_keysym_key(keypad[i].keycode, 1),
			keypad[i].with_num_lock);
		assert_int_equal(sdl_keysym_key(keypad[i].keycode, 0), keypad[i].without);
	}
}

static const struct {
	uint32_t c, keysym;
} characters[] = {
	{'a', 'a'},
	{'~', '~'},
	{'\\', '\\'},
	{0xA5, 0xA5}, /* yen */
	{0xE9, 0xE9},
	{0xFF, 0xFF},
	{0x100, 0x1000100},
	{0x20AC, 0x10020AC},
	{0x7E01, 0x1007E01}, /* 縁 */
	{0x1F600, 0x101F600},
	{0x10FFFF, 0x110FFFF},
	{0x110000, 0},
	{0xD800, 0},
	{0x85, 0},
	{1, 0},
	{0, 0},
	{'\n', XK_Return},
	{'\t', XK_Tab},
	{0x7F, XK_Delete},
};

static void test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(characters); i++)
		assert_int_equal(sdl_keysym_unicode(characters[i].c),
			characters[i].keysym);
	assert_int_equal(sdl_keysym_plain(SDLK_a, 0), 'a');
	assert_int_equal(sdl_keysym_plain(SDLK_a, 1), 'A');
	assert_int_equal(sdl_keysym_plain(0xE4, 1), 0xC4);
	assert_int_equal(sdl_keysym_plain(0xF7, 1), 0xF7);
	assert_int_equal(sdl_keysym_plain(0xFF, 1), 0xFF);
	assert_int_equal(sdl_keysym_plain(SDLK_F1, 0), 0);
	assert_int_equal(sdl_keysym_plain(SDLK_RETURN, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
