#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <X11/keysym.h>
#include <cmocka.h>

#include "input/keymap.h"

static const struct {
	uint32_t keysym, character, twin;
} rows[] = {
	{XK_a, 'a', 0x01000061}, {XK_eacute, 0xe9, 0x010000e9},
	{XK_yen, 0xa5, 0x010000a5}, {0x010000e9, 0xe9, XK_eacute},
	{XK_kana_A, 0x30a2, 0x010030a2}, {0x010030a2, 0x30a2, XK_kana_A},
	{XK_kana_fullstop, 0x3002, 0x01003002}, {XK_semivoicedsound, 0x309c, 0x0100309c},
	{0x01003042, 0x3042, 0}, /* hiragana have no keysym of their own */
	{0x0101f363, 0x1f363, 0}, {XK_EuroSign, 0x20ac, 0x010020ac}, {XK_Return, 0, 0},
	{XK_Henkan, 0, 0}, {0x01110000, 0, 0}, /* beyond Unicode */
};

static void test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(keymap_character(rows[i].keysym), rows[i].character);
		assert_int_equal(keymap_twin(rows[i].keysym), rows[i].twin);
	}
}

static void test_kinds(void **state)
{
	(void)state;
	static const uint32_t modifiers[] = {XK_Shift_L, XK_Control_R, XK_Alt_L,
		XK_Super_L, XK_Caps_Lock, XK_Num_Lock, XK_ISO_Level3_Shift,
		XK_Mode_switch};
	for (size_t i = 0; i < ARRAY_LEN(modifiers); i++)
		assert_true(keymap_is_modifier(modifiers[i]));
	assert_false(keymap_is_modifier(XK_a));
	assert_false(keymap_is_modifier(XK_Return));
	assert_true(keymap_is_function(XK_Tab));
	assert_true(keymap_is_function(XK_F5));
	assert_true(keymap_is_function(XK_Zenkaku_Hankaku));
	assert_false(keymap_is_function(XK_KP_7));
	assert_false(keymap_is_function(XK_A));
	assert_false(keymap_is_function(0x01003042));
}

static void test_spares_take_turns(void **state)
{
	(void)state;
	struct keymap_spares spares = {.count = 3,
		.all = {{.code = 90, .keysym = 1, .used_us = 30},
			{.code = 91, .keysym = 2, .used_us = 10, .down = 1},
			{.code = 92, .keysym = 3, .used_us = 20}}};
	assert_int_equal(keymap_spare_of(&spares, 3)->code, 92);
	assert_null(keymap_spare_of(&spares, 4));
	struct keymap_spare *next = keymap_spare_next(&spares);
	assert_int_equal(next->code, 92); /* the oldest that nobody holds */
	next->used_us = 40;
	assert_int_equal(keymap_spare_next(&spares)->code, 90);
	spares.all[0].down = spares.all[2].down = 1;
	assert_null(keymap_spare_next(&spares));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_spares_take_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
