#include "input/sdl_keysym.h"

#include <SDL2/SDL_keycode.h>
#include <stddef.h>

#include "base/check.h"

struct row {
	int32_t keycode;
	uint32_t keysym;
};

#define SCAN(name) SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_##name)

static const struct row rows[] = {
#define K(keycode, keysym) {SDLK_##keycode, keysym},
#define S(scancode, keysym) {SCAN(scancode), keysym},
#define P(keycode, with_num_lock, without)
#include "input/sdl_keysym.def"
#undef K
#undef S
#undef P
};

static const struct {
	int32_t keycode;
	uint32_t with_num_lock, without;
} keypad[] = {
#define K(keycode, keysym)
#define S(scancode, keysym)
#define P(keycode, with_num_lock, without) {SDLK_##keycode, with_num_lock, without},
#include "input/sdl_keysym.def"
#undef K
#undef S
#undef P
};

uint32_t sdl_keysym_unicode(uint32_t code_point)
{
	switch (code_point) {
	case '\b':
		return 0xFF08;
	case '\t':
		return 0xFF09;
	case '\n':
	case '\r':
		return 0xFF0D;
	case 0x1B:
		return 0xFF1B;
	case 0x7F:
		return 0xFFFF;
	default:
		break;
	}
	if (code_point < 0x20 || (code_point >= 0x80 && code_point < 0xA0))
		return 0;
	if (code_point <= 0xFF)
		return code_point;
	if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000))
		return 0;
	return 0x01000000 + code_point;
}

uint32_t sdl_keysym_key(int32_t keycode, int num_lock)
{
	for (size_t i = 0; i < ARRAY_LEN(keypad); i++)
		if (keypad[i].keycode == keycode)
			return num_lock ? keypad[i].with_num_lock : keypad[i].without;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].keycode == keycode)
			return rows[i].keysym;
	return 0;
}

uint32_t sdl_keysym_plain(int32_t keycode, int upper)
{
	if (keycode < 0x20 || (keycode & SDLK_SCANCODE_MASK))
		return 0;
	uint32_t c = (uint32_t)keycode;
	/* SDL's keycodes are lower case; Latin-1 covers the layouts on which Ctrl and Alt are
	 * combined with letters, the others type theirs. */
	if (upper && ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7)))
		c -= 0x20;
	return sdl_keysym_unicode(c);
}
