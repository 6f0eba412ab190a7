#include "input/keymap.h"

#define UNICODE_FLAG 0x01000000u
#define IS_BETWEEN(value, least, most) ((value) >= (least) && (value) <= (most))

/* XK_kana_fullstop (0x4a1) to XK_semivoicedsound (0x4df) stand in the order of JIS X 0201, as do
 * the half-width forms, but mean the full-width characters. */
static const uint16_t kana[] = {0x3002, 0x300c, 0x300d, 0x3001, 0x30fb, 0x30f2, 0x30a1,
	0x30a3, 0x30a5, 0x30a7, 0x30a9, 0x30e3, 0x30e5, 0x30e7, 0x30c3, 0x30fc, 0x30a2,
	0x30a4, 0x30a6, 0x30a8, 0x30aa, 0x30ab, 0x30ad, 0x30af, 0x30b1, 0x30b3, 0x30b5,
	0x30b7, 0x30b9, 0x30bb, 0x30bd, 0x30bf, 0x30c1, 0x30c4, 0x30c6, 0x30c8, 0x30ca,
	0x30cb, 0x30cc, 0x30cd, 0x30ce, 0x30cf, 0x30d2, 0x30d5, 0x30d8, 0x30db, 0x30de,
	0x30df, 0x30e0, 0x30e1, 0x30e2, 0x30e4, 0x30e6, 0x30e8, 0x30e9, 0x30ea, 0x30eb,
	0x30ec, 0x30ed, 0x30ef, 0x30f3, 0x309b, 0x309c};
#define KANA_FIRST 0x4a1u
#define EURO_KEYSYM 0x20acu

uint32_t keymap_character(uint32_t keysym)
{
	if (IS_BETWEEN(keysym, 0x20, 0x7e) || IS_BETWEEN(keysym, 0xa0, 0xff))
		return keysym;
	if (IS_BETWEEN(keysym, UNICODE_FLAG + 0x20, UNICODE_FLAG + 0x10ffff))
		return keysym - UNICODE_FLAG;
	if (IS_BETWEEN(keysym, KANA_FIRST, KANA_FIRST + ARRAY_LEN(kana) - 1))
		return kana[keysym - KANA_FIRST];
	return keysym == EURO_KEYSYM ? 0x20ac : 0;
}

static uint32_t classic(uint32_t character)
{
	if (IS_BETWEEN(character, 0x20, 0x7e) || IS_BETWEEN(character, 0xa0, 0xff))
		return character;
	for (size_t i = 0; i < ARRAY_LEN(kana); i++)
		if (kana[i] == character)
			return KANA_FIRST + (uint32_t)i;
	return character == 0x20ac ? EURO_KEYSYM : 0;
}

uint32_t keymap_twin(uint32_t keysym)
{
	uint32_t character = keymap_character(keysym);
	if (!character)
		return 0;
	if (keysym < UNICODE_FLAG)
		return UNICODE_FLAG + character;
	return classic(character);
}

int keymap_is_modifier(uint32_t keysym)
{
	/* XK_Shift_L to XK_Hyper_R; XK_Mode_switch; XK_Num_Lock; XK_ISO_Lock to XK_ISO_Level5_Lock. */
	return IS_BETWEEN(keysym, 0xffe1, 0xffee) || keysym == 0xff7e ||
	       keysym == 0xff7f || IS_BETWEEN(keysym, 0xfe01, 0xfe13);
}

int keymap_is_function(uint32_t keysym)
{
	/* The keypad's digits and arrows share keys, which Shift or Num Lock tell apart. */
	return IS_BETWEEN(keysym, 0xfe00, 0xffff) && !IS_BETWEEN(keysym, 0xff80, 0xffbd);
}

struct keymap_spare *keymap_spare_of(struct keymap_spares *spares, uint32_t keysym)
{
	for (size_t i = 0; i < spares->count; i++)
		if (spares->all[i].keysym == keysym)
			return &spares->all[i];
	return NULL;
}

struct keymap_spare *keymap_spare_next(struct keymap_spares *spares)
{
	struct keymap_spare *oldest = NULL;
	for (size_t i = 0; i < spares->count; i++) {
		struct keymap_spare *spare = &spares->all[i];
		if (spare->down)
			continue;
		if (!oldest || spare->used_us < oldest->used_us)
			oldest = spare;
	}
	return oldest;
}
