#include "input/sdl_input.h"

#include <SDL2/SDL_events.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "input/sdl_keysym.h"

#define KEYSYM_ALT_R 0xFFEA
#define KEYSYM_KP_SEPARATOR 0xFFAC
#define CHORD (KMOD_CTRL | KMOD_LALT | KMOD_GUI)
#define WHEEL_UP 0x08
#define WHEEL_DOWN 0x10
#define WHEEL_LEFT 0x20
#define WHEEL_RIGHT 0x40
#define WHEEL_STEPS_MAX 10

struct sdl_input {
	struct sdl_input_out out;
	uint32_t down[SDL_NUM_SCANCODES]; /* the keysym pressed at the host, 0: none */
	uint8_t local
		[SDL_NUM_SCANCODES]; /* pressed for a local key: its release is ours, too */
	SDL_KeyboardEvent waiting;   /* for its text; type 0: none */
	enum {
		ALT_KNOWN,
		ALT_WAITS,
		ALT_GR
	} alt;       /* a right Alt of which the host does not know */
	int swallow; /* the text of a local key comes next */
	/* What a place typed with and without Shift, for chords, which type nothing. */
	uint32_t typed[SDL_NUM_SCANCODES][2];
	uint8_t buttons;
	uint16_t x, y;
};

int sdl_input_new(struct sdl_input **ret, const struct sdl_input_out *out)
{
	struct sdl_input *input = calloc(1, sizeof *input);

	if (!input)
		return -REASON_NO_MEMORY;
	input->out = *out;
	*ret = input;
	return 0;
}

static void press(struct sdl_input *input, int scancode, uint32_t keysym)
{
	uint32_t before = input->down[scancode];

	if (!keysym)
		return;
	/* The same place with another character (Shift changed while it repeats). */
	if (before && before != keysym)
		input->out.key(input->out.ctx, before, 0);
	input->down[scancode] = keysym;
	input->out.key(input->out.ctx, keysym, 1);
}

static void release(struct sdl_input *input, int scancode)
{
	uint32_t keysym = input->down[scancode];

	input->down[scancode] = 0;
	if (keysym)
		input->out.key(input->out.ctx, keysym, 0);
}

static void tap(struct sdl_input *input, uint32_t keysym)
{
	if (!keysym)
		return;
	input->out.key(input->out.ctx, keysym, 1);
	input->out.key(input->out.ctx, keysym, 0);
}

/* SDL's text is valid UTF-8. 0 at its end. */
static uint32_t next_char(const char **text)
{
	const uint8_t *at = (const uint8_t *)*text;
	int more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : at[0] >= 0xC0 ? 1 : 0;
	uint32_t c = more ? at[0] & (0x3Fu >> more) : at[0];

	if (!at[0])
		return 0;
	for (int i = 1; i <= more; i++) {
		if ((at[i] & 0xC0) != 0x80) {
			more = i - 1;
			break;
		}
		c = c << 6 | (at[i] & 0x3F);
	}
	*text += 1 + more;
	return c;
}

static uint32_t key_keysym(const SDL_KeyboardEvent *key)
{
	uint16_t mod = key->keysym.mod;

	return sdl_keysym_key(key->keysym.sym, (mod & KMOD_NUM) && !(mod & KMOD_SHIFT));
}

static int is_keypad(uint32_t keysym)
{
	return keysym >= 0xFF8D && keysym <= 0xFFBD;
}

static int is_shifted(const SDL_KeyboardEvent *key)
{
	return (key->keysym.mod & KMOD_SHIFT) != 0;
}

/* Right Alt was an Alt after all: the host learns of it before the key it goes with. */
static void send_alt(struct sdl_input *input)
{
	if (input->alt != ALT_KNOWN)
		press(input, SDL_SCANCODE_RALT, KEYSYM_ALT_R);
	input->alt = ALT_KNOWN;
}

/* The keysym of a typing key that gave no text. */
static uint32_t chord_keysym(struct sdl_input *input, const SDL_KeyboardEvent *key)
{
	int shifted = is_shifted(key), scancode = key->keysym.scancode;
	int upper = shifted != ((key->keysym.mod & KMOD_CAPS) != 0);
	uint32_t plain = sdl_keysym_plain(key->keysym.sym, upper);

	/* For a letter the layout's own is exact; for the rest Shift means another character,
	 * which only the layout knows, and it has told if the key was ever typed. */
	if (plain != sdl_keysym_plain(key->keysym.sym, !upper))
		return plain;
	return input->typed[scancode][shifted] ? input->typed[scancode][shifted] : plain;
}

void sdl_input_settle(struct sdl_input *input)
{
	SDL_KeyboardEvent key = input->waiting;
	uint32_t keysym = key_keysym(&key);

	if (!key.type)
		return;
	input->waiting.type = 0;
	/* Without a chord a typing key that types nothing is dead or with the input method. */
	if (!keysym && !(key.keysym.mod & CHORD) && input->alt != ALT_WAITS)
		return;
	send_alt(input);
	press(input, key.keysym.scancode, keysym ? keysym : chord_keysym(input, &key));
}

static uint32_t keypad_text(uint32_t keysym, const char *text)
{
	/* The same key types a point here and a comma there. */
	return keysym == 0xFFAE && !strcmp(text, ",") ? KEYSYM_KP_SEPARATOR : keysym;
}

/* The text of the key that waits. */
static void typed_key(struct sdl_input *input, const char *text)
{
	SDL_KeyboardEvent key = input->waiting;
	int scancode = key.keysym.scancode;
	const char *rest = text;
	uint32_t keysym = sdl_keysym_unicode(next_char(&rest)), pad = key_keysym(&key);

	input->waiting.type = 0;
	if (pad)
		keysym = keypad_text(pad, text);
	else if (keysym)
		input->typed[scancode][is_shifted(&key)] = keysym;
	if (pad || keysym == sdl_keysym_plain(key.keysym.sym, 0) ||
		keysym == sdl_keysym_plain(key.keysym.sym, 1))
		send_alt(input);
	else if (input->alt == ALT_WAITS)
		input->alt = ALT_GR;
	press(input, scancode, keysym);
	for (uint32_t c; (c = next_char(&rest));)
		tap(input, sdl_keysym_unicode(c));
}

static void on_text(struct sdl_input *input, const char *text)
{
	if (input->swallow)
		return;
	if (input->waiting.type) {
		typed_key(input, text);
		return;
	}
	/* From an input method or a compose sequence: keys of no place. */
	for (uint32_t c; (c = next_char(&text));)
		tap(input, sdl_keysym_unicode(c));
}

static int hotkey_of(SDL_Keycode sym, enum sdl_input_hotkey *ret, int *ret_number)
{
	static const struct {
		SDL_Keycode sym;
		enum sdl_input_hotkey hotkey;
	} rows[] = {
		{SDLK_RETURN, SDL_INPUT_FULLSCREEN},
		{SDLK_KP_ENTER, SDL_INPUT_FULLSCREEN},
		{SDLK_g, SDL_INPUT_GRAB},
		{SDLK_q, SDL_INPUT_QUIT},
		{SDLK_m, SDL_INPUT_METER},
		{SDLK_s, SDL_INPUT_SCALING},
	};

	*ret_number = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].sym == sym) {
			*ret = rows[i].hotkey;
			return 1;
		}
	}
	if (sym < SDLK_0 || sym > SDLK_9)
		return 0;
	*ret = SDL_INPUT_MONITOR;
	*ret_number = sym - SDLK_0;
	return 1;
}

static int take_hotkey(struct sdl_input *input, const SDL_KeyboardEvent *key)
{
	uint16_t mod = key->keysym.mod;
	enum sdl_input_hotkey hotkey;
	int number;

	if (input->local[key->keysym.scancode])
		return 1; /* its repeats */
	if (!(mod & KMOD_CTRL) || !(mod & KMOD_LALT) || (mod & (KMOD_SHIFT | KMOD_GUI)))
		return 0;
	if (!hotkey_of(key->keysym.sym, &hotkey, &number))
		return 0;
	/* Ctrl and Alt are down at the host by now. */
	sdl_input_release(input);
	input->local[key->keysym.scancode] = 1;
	input->out.hotkey(input->out.ctx, hotkey, number);
	return 1;
}

static void on_key_down(struct sdl_input *input, const SDL_KeyboardEvent *key)
{
	int scancode = key->keysym.scancode;
	uint32_t keysym = key_keysym(key);

	if (take_hotkey(input, key)) {
		input->swallow = 1;
		return;
	}
	if (key->keysym.sym == SDLK_RALT) {
		if (!input->down[scancode] && input->alt == ALT_KNOWN)
			input->alt = ALT_WAITS;
		return;
	}
	if (!keysym || is_keypad(keysym)) {
		input->waiting = *key;
		return;
	}
	/* Shift and Control say nothing yet of what the right Alt is. */
	if (keysym < 0xFFE1 || keysym > 0xFFEE)
		send_alt(input);
	press(input, scancode, keysym);
}

static void on_key_up(struct sdl_input *input, const SDL_KeyboardEvent *key)
{
	int scancode = key->keysym.scancode;

	if (input->local[scancode]) {
		input->local[scancode] = 0;
		return;
	}
	if (key->keysym.sym == SDLK_RALT && input->alt != ALT_KNOWN) {
		if (input->alt == ALT_WAITS)
			tap(input, KEYSYM_ALT_R);
		input->alt = ALT_KNOWN;
		return;
	}
	release(input, scancode);
}

static void point(struct sdl_input *input, int window_x, int window_y)
{
	uint16_t x, y;

	if (!input->out.place(input->out.ctx, window_x, window_y, &x, &y))
		return;
	input->x = x;
	input->y = y;
	input->out.pointer(input->out.ctx, x, y, input->buttons);
}

static uint8_t button_bit(uint8_t button)
{
	switch (button) {
	case SDL_BUTTON_LEFT:
		return 0x01;
	case SDL_BUTTON_MIDDLE:
		return 0x02;
	case SDL_BUTTON_RIGHT:
		return 0x04;
	case SDL_BUTTON_X1:
		return 0x80;
	default:
		return 0;
	}
}

static void on_button(struct sdl_input *input, const SDL_MouseButtonEvent *button)
{
	uint8_t bit = button_bit(button->button);

	if (button->type == SDL_MOUSEBUTTONDOWN)
		input->buttons |= bit;
	else
		input->buttons &= (uint8_t)~bit;
	point(input, button->x, button->y);
}

static void turn_wheel(struct sdl_input *input, int steps, uint8_t forward, uint8_t back)
{
	uint8_t bit = steps > 0 ? forward : back;
	int count = abs(steps) < WHEEL_STEPS_MAX ? abs(steps) : WHEEL_STEPS_MAX;

	for (int i = 0; i < count; i++) {
		input->out.pointer(input->out.ctx, input->x, input->y,
			input->buttons | bit);
		input->out.pointer(input->out.ctx, input->x, input->y, input->buttons);
	}
}

void sdl_input_event(struct sdl_input *input, const SDL_Event *event)
{
	if (event->type != SDL_TEXTINPUT) {
		sdl_input_settle(input);
		input->swallow = 0;
	}
	switch (event->type) {
	case SDL_KEYDOWN:
		on_key_down(input, &event->key);
		break;
	case SDL_KEYUP:
		on_key_up(input, &event->key);
		break;
	case SDL_TEXTINPUT:
		on_text(input, event->text.text);
		break;
	case SDL_MOUSEMOTION:
		point(input, event->motion.x, event->motion.y);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		on_button(input, &event->button);
		break;
	case SDL_MOUSEWHEEL:
		turn_wheel(input, event->wheel.y, WHEEL_UP, WHEEL_DOWN);
		turn_wheel(input, event->wheel.x, WHEEL_RIGHT, WHEEL_LEFT);
		break;
	case SDL_WINDOWEVENT:
		if (event->window.event == SDL_WINDOWEVENT_FOCUS_LOST)
			sdl_input_release(input);
		break;
	default:
		break;
	}
}

void sdl_input_release(struct sdl_input *input)
{
	input->waiting.type = 0;
	input->alt = ALT_KNOWN;
	memset(input->local, 0, sizeof input->local);
	for (int i = 0; i < SDL_NUM_SCANCODES; i++)
		release(input, i);
	if (input->buttons) {
		input->buttons = 0;
		input->out.pointer(input->out.ctx, input->x, input->y, 0);
	}
}

struct sdl_input *sdl_input_free(struct sdl_input *input)
{
	free(input);
	return NULL;
}
