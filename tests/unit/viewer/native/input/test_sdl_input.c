/* What is sent for what is pressed: scripts of events, compared with the text of the outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <SDL2/SDL_events.h>
#include <cmocka.h>

#include "base/check.h"
#include "input/sdl_input.h"

enum kind { END, DOWN, UP, TEXT, MOVE, PRESS, LIFT, WHEEL, LEAVE, SETTLE, RELEASE };

struct step {
	enum kind kind;
	SDL_Scancode scancode; /* or x, or button, or wheel y */
	SDL_Keycode sym;       /* or y, or wheel x */
	uint16_t mod;
	const char *text;
};

struct result {
	char text[2048];
	int placeless;
};

static void say(struct result *result, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct result *result, const char *format, ...)
{
	size_t len = strlen(result->text);
	va_list args;

	va_start(args, format);
	vsnprintf(result->text + len, sizeof result->text - len, format, args);
	va_end(args);
}

static void on_key(void *ctx, uint32_t keysym, int down)
{
	say(ctx, "%c%x ", down ? '+' : '-', keysym);
}

static void on_pointer(void *ctx, uint16_t x, uint16_t y, uint8_t buttons)
{
	say(ctx, "@%u,%u:%02x ", x, y, buttons);
}

static void on_hotkey(void *ctx, enum sdl_input_hotkey hotkey, int number)
{
	say(ctx, "!%d/%d ", hotkey, number);
}

static int on_place(void *ctx, int x, int y, uint16_t *ret_x, uint16_t *ret_y)
{
	*ret_x = (uint16_t)(2 * x);
	*ret_y = (uint16_t)(2 * y);
	return !((struct result *)ctx)->placeless;
}

static SDL_Event event_of(const struct step *step)
{
	SDL_Event event = {0};

	switch (step->kind) {
	case DOWN:
	case UP:
		event.type = step->kind == DOWN ? SDL_KEYDOWN : SDL_KEYUP;
		event.key.keysym.scancode = step->scancode;
		event.key.keysym.sym = step->sym;
		event.key.keysym.mod = step->mod;
		break;
	case TEXT:
		event.type = SDL_TEXTINPUT;
		snprintf(event.text.text, sizeof event.text.text, "%s", step->text);
		break;
	case MOVE:
		event.type = SDL_MOUSEMOTION;
		event.motion.x = (int)step->scancode;
		event.motion.y = step->sym;
		break;
	case PRESS:
	case LIFT:
		event.type =
			step->kind == PRESS ? SDL_MOUSEBUTTONDOWN : SDL_MOUSEBUTTONUP;
		event.button.button = (uint8_t)step->scancode;
		break;
	case WHEEL:
		event.type = SDL_MOUSEWHEEL;
		event.wheel.y = (int)step->scancode;
		event.wheel.x = step->sym;
		break;
	case LEAVE:
		event.type = SDL_WINDOWEVENT;
		event.window.event = SDL_WINDOWEVENT_FOCUS_LOST;
		break;
	case END:
	case SETTLE:
	case RELEASE:
		break;
	}
	return event;
}

static void play(const char *name, const struct step *steps, const char *expected)
{
	struct result result = {0};
	const struct sdl_input_out out = {
		on_key, on_pointer, on_hotkey, on_place, &result};
	struct sdl_input *input = NULL;

	assert_int_equal(sdl_input_new(&input, &out), 0);
	for (; steps->kind != END; steps++) {
		SDL_Event event = event_of(steps);
		if (steps->kind == SETTLE)
			sdl_input_settle(input);
		else if (steps->kind == RELEASE)
			sdl_input_release(input);
		else
			sdl_input_event(input, &event);
	}
	sdl_input_settle(input);
	if (strcmp(result.text, expected))
		fail_msg("%s: got \"%s\", want \"%s\"", name, result.text, expected);
	assert_null(sdl_input_free(input));
}

#define A SDL_SCANCODE_A, SDLK_a
#define ONE SDL_SCANCODE_1, SDLK_1
#define LCTRL SDL_SCANCODE_LCTRL, SDLK_LCTRL
#define LALT SDL_SCANCODE_LALT, SDLK_LALT
#define RALT SDL_SCANCODE_RALT, SDLK_RALT
#define SHIFT SDL_SCANCODE_LSHIFT, SDLK_LSHIFT
#define QKEY SDL_SCANCODE_Q, SDLK_q
#define CA (KMOD_LCTRL | KMOD_LALT)

static void test_typing(void **state)
{
	(void)state;
	play("letter",
		(const struct step[]){
			{DOWN, A}, {TEXT, .text = "a"}, {SETTLE}, {UP, A}, {END}},
		"+61 -61 ");
	play("repeat",
		(const struct step[]){{DOWN, A}, {TEXT, .text = "a"}, {DOWN, A},
			{TEXT, .text = "a"}, {UP, A}, {END}},
		"+61 +61 -61 ");
	play("capital, shift goes up first",
		(const struct step[]){{DOWN, SHIFT}, {DOWN, A, KMOD_LSHIFT},
			{TEXT, .text = "A"}, {UP, SHIFT}, {UP, A}, {END}},
		"+ffe1 +41 -ffe1 -41 ");
	play("shift changes while it repeats",
		(const struct step[]){{DOWN, A}, {TEXT, .text = "a"}, {DOWN, SHIFT},
			{DOWN, A, KMOD_LSHIFT}, {TEXT, .text = "A"}, {UP, A}, {UP, SHIFT},
			{END}},
		"+61 +ffe1 -61 +41 -41 -ffe1 ");
	play("caps lock is in the text",
		(const struct step[]){{DOWN, SDL_SCANCODE_CAPSLOCK, SDLK_CAPSLOCK},
			{SETTLE}, {UP, SDL_SCANCODE_CAPSLOCK, SDLK_CAPSLOCK},
			{DOWN, A, KMOD_CAPS}, {TEXT, .text = "A"}, {UP, A, KMOD_CAPS},
			{END}},
		"+41 -41 ");
	play("two keys at once",
		(const struct step[]){{DOWN, A}, {TEXT, .text = "a"}, {DOWN, QKEY},
			{TEXT, .text = "q"}, {UP, A}, {UP, QKEY}, {END}},
		"+61 +71 -61 -71 ");
	play("japanese ro and yen",
		(const struct step[]){
			{DOWN, SDL_SCANCODE_INTERNATIONAL1, '\\', KMOD_LSHIFT},
			{TEXT, .text = "_"}, {UP, SDL_SCANCODE_INTERNATIONAL1, '\\'},
			{DOWN, SDL_SCANCODE_INTERNATIONAL3, '\\'}, {TEXT, .text = "¥"},
			{UP, SDL_SCANCODE_INTERNATIONAL3, '\\'}, {END}},
		"+5f -5f +a5 -a5 ");
	play("zenkaku hankaku, henkan",
		(const struct step[]){{DOWN, SDL_SCANCODE_GRAVE,
					      SDLK_SCANCODE_MASK | SDL_SCANCODE_LANG5},
			{UP, SDL_SCANCODE_GRAVE, SDLK_SCANCODE_MASK | SDL_SCANCODE_LANG5},
			{DOWN, SDL_SCANCODE_INTERNATIONAL4,
				SDLK_SCANCODE_MASK | SDL_SCANCODE_INTERNATIONAL4},
			{UP, SDL_SCANCODE_INTERNATIONAL4,
				SDLK_SCANCODE_MASK | SDL_SCANCODE_INTERNATIONAL4},
			{END}},
		"+ff2a -ff2a +ff23 -ff23 ");
	play("input method", (const struct step[]){{TEXT, .text = "縁側"}, {END}},
		"+1007e01 -1007e01 +1005074 -1005074 ");
	play("dead key",
		(const struct step[]){{DOWN, SDL_SCANCODE_APOSTROPHE, SDLK_QUOTE},
			{SETTLE}, {UP, SDL_SCANCODE_APOSTROPHE, SDLK_QUOTE},
			{DOWN, SDL_SCANCODE_E, SDLK_e}, {TEXT, .text = "é"},
			{UP, SDL_SCANCODE_E, SDLK_e}, {END}},
		"+e9 -e9 ");
}

static void test_keypad(void **state)
{
	(void)state;
	play("digit",
		(const struct step[]){{DOWN, SDL_SCANCODE_KP_1, SDLK_KP_1, KMOD_NUM},
			{TEXT, .text = "1"}, {UP, SDL_SCANCODE_KP_1, SDLK_KP_1, KMOD_NUM},
			{END}},
		"+ffb1 -ffb1 ");
	play("movement",
		(const struct step[]){{DOWN, SDL_SCANCODE_KP_1, SDLK_KP_1}, {SETTLE},
			{UP, SDL_SCANCODE_KP_1, SDLK_KP_1}, {END}},
		"+ff9c -ff9c ");
	play("comma for point",
		(const struct step[]){
			{DOWN, SDL_SCANCODE_KP_PERIOD, SDLK_KP_PERIOD, KMOD_NUM},
			{TEXT, .text = ","},
			{UP, SDL_SCANCODE_KP_PERIOD, SDLK_KP_PERIOD, KMOD_NUM}, {END}},
		"+ffac -ffac ");
}

static void test_chords(void **state)
{
	(void)state;
	play("ctrl+a",
		(const struct step[]){{DOWN, LCTRL}, {DOWN, A, KMOD_LCTRL}, {SETTLE},
			{UP, A, KMOD_LCTRL}, {UP, LCTRL}, {END}},
		"+ffe3 +61 -61 -ffe3 ");
	play("ctrl+shift+a",
		(const struct step[]){{DOWN, LCTRL}, {DOWN, SHIFT},
			{DOWN, A, KMOD_LCTRL | KMOD_LSHIFT}, {UP, A}, {UP, SHIFT},
			{UP, LCTRL}, {END}},
		"+ffe3 +ffe1 +41 -41 -ffe1 -ffe3 ");
	play("ctrl+shift+1 after ! was typed",
		(const struct step[]){{DOWN, SHIFT}, {DOWN, ONE, KMOD_LSHIFT},
			{TEXT, .text = "!"}, {UP, ONE}, {DOWN, LCTRL},
			{DOWN, ONE, KMOD_LCTRL | KMOD_LSHIFT}, {UP, ONE}, {LEAVE}, {END}},
		"+ffe1 +21 -21 +ffe3 +21 -21 -ffe3 -ffe1 ");
	play("alt+a comes with its text",
		(const struct step[]){{DOWN, LALT}, {DOWN, A, KMOD_LALT},
			{TEXT, .text = "a"}, {UP, A}, {UP, LALT}, {END}},
		"+ffe9 +61 -61 -ffe9 ");
	play("AltGr+q is @",
		(const struct step[]){{DOWN, RALT}, {DOWN, QKEY, KMOD_RALT},
			{TEXT, .text = "@"}, {UP, QKEY}, {UP, RALT}, {END}},
		"+40 -40 ");
	play("right alt+q is a chord",
		(const struct step[]){{DOWN, RALT}, {DOWN, QKEY, KMOD_RALT},
			{TEXT, .text = "q"}, {UP, QKEY}, {UP, RALT}, {END}},
		"+ffea +71 -71 -ffea ");
	play("right alt+F4",
		(const struct step[]){{DOWN, RALT},
			{DOWN, SDL_SCANCODE_F4, SDLK_F4, KMOD_RALT},
			{UP, SDL_SCANCODE_F4, SDLK_F4}, {UP, RALT}, {END}},
		"+ffea +ffc1 -ffc1 -ffea ");
	play("right alt alone", (const struct step[]){{DOWN, RALT}, {UP, RALT}, {END}},
		"+ffea -ffea ");
}

static void test_local_keys(void **state)
{
	(void)state;
	play("ctrl+alt+q",
		(const struct step[]){{DOWN, LCTRL}, {DOWN, LALT}, {DOWN, QKEY, CA},
			{DOWN, QKEY, CA}, {UP, QKEY, CA}, {UP, LALT}, {UP, LCTRL}, {END}},
		"+ffe3 +ffe9 -ffe3 -ffe9 !2/0 ");
	play("ctrl+alt+3 with a text",
		(const struct step[]){{DOWN, SDL_SCANCODE_3, SDLK_3, CA},
			{TEXT, .text = "3"}, {UP, SDL_SCANCODE_3, SDLK_3, CA}, {END}},
		"!5/3 ");
	play("with shift it is the host's",
		(const struct step[]){{DOWN, QKEY, CA | KMOD_LSHIFT}, {UP, QKEY}, {END}},
		"+51 -51 ");
	play("enter, g, m, s",
		(const struct step[]){{DOWN, SDL_SCANCODE_RETURN, SDLK_RETURN, CA},
			{UP, SDL_SCANCODE_RETURN, SDLK_RETURN, CA},
			{DOWN, SDL_SCANCODE_G, SDLK_g, CA},
			{UP, SDL_SCANCODE_G, SDLK_g, CA},
			{DOWN, SDL_SCANCODE_M, SDLK_m, CA},
			{UP, SDL_SCANCODE_M, SDLK_m, CA},
			{DOWN, SDL_SCANCODE_S, SDLK_s, CA},
			{UP, SDL_SCANCODE_S, SDLK_s, CA}, {END}},
		"!0/0 !1/0 !3/0 !4/0 ");
}

static void test_nothing_sticks(void **state)
{
	(void)state;
	play("focus is lost",
		(const struct step[]){{DOWN, SHIFT}, {DOWN, A, KMOD_LSHIFT},
			{TEXT, .text = "A"}, {MOVE, 5, 6}, {PRESS, SDL_BUTTON_LEFT},
			{LEAVE}, {UP, A}, {UP, SHIFT}, {END}},
		"+ffe1 +41 @10,12:00 @0,0:01 -41 -ffe1 @0,0:00 ");
	play("the stream is changed",
		(const struct step[]){{DOWN, LCTRL}, {DOWN, A, KMOD_LCTRL}, {RELEASE},
			{UP, LCTRL}, {END}},
		"+ffe3 -ffe3 ");
}

static void test_pointer(void **state)
{
	(void)state;
	play("buttons",
		(const struct step[]){{PRESS, SDL_BUTTON_LEFT}, {PRESS, SDL_BUTTON_RIGHT},
			{LIFT, SDL_BUTTON_LEFT}, {PRESS, SDL_BUTTON_MIDDLE},
			{LIFT, SDL_BUTTON_MIDDLE}, {LIFT, SDL_BUTTON_RIGHT}, {END}},
		"@0,0:01 @0,0:05 @0,0:04 @0,0:06 @0,0:04 @0,0:00 ");
	play("wheel",
		(const struct step[]){{MOVE, 1, 2}, {WHEEL, 1}, {WHEEL, -2},
			{WHEEL, 0, 1}, {WHEEL, 0, -1}, {END}},
		"@2,4:00 @2,4:08 @2,4:00 @2,4:10 @2,4:00 @2,4:10 @2,4:00 @2,4:40 @2,4:00 "
		"@2,4:20 @2,4:00 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typing),
		cmocka_unit_test(test_keypad),
		cmocka_unit_test(test_chords),
		cmocka_unit_test(test_local_keys),
		cmocka_unit_test(test_nothing_sticks),
		cmocka_unit_test(test_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
