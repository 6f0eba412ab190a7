/* The code that people carry from the office to their home: what is mistyped is found. */
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "cmocka_all.h"
#include "e2e/ticket.h"

#define TICKETS 40

static void strip(const char *text, char ret[static TICKET_CHARS + 1])
{
	size_t len = 0;
	for (; *text; text++)
		if (*text != '-')
			ret[len++] = *text;
	ret[len] = 0;
	assert_int_equal(len, TICKET_CHARS);
}

static void codes_survive_paper(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct ticket ticket, again;
		char text[TICKET_TEXT_SIZE];
		assert_int_equal(ticket_generate(&ticket), 0);
		assert_in_range(ticket.id, 1, TICKET_ID_MAX);
		ticket_print(&ticket, text);
		assert_int_equal(ticket_parse(text, &again), 0);
		assert_int_equal(ticket.id, again.id);
		assert_memory_equal(ticket.secret, again.secret, sizeof(ticket.secret));
	}
}

/* kind 1, id 0x00001, secret 00 … 0b; the text was computed by another program from the header's
 * words alone. */
static void a_known_ticket_has_this_text(void **state)
{
	(void)state;
	struct ticket ticket = {1, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
	char text[TICKET_TEXT_SIZE];
	ticket_print(&ticket, text);
	assert_string_equal(text, "20002-00108-1G818-60W40-J2GB8");
}

static void every_single_error_is_found(void **state)
{
	(void)state;
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	for (int i = 0; i < TICKETS; i++) {
		struct ticket ticket;
		char text[TICKET_TEXT_SIZE], plain[TICKET_CHARS + 1];
		assert_int_equal(ticket_generate(&ticket), 0);
		ticket_print(&ticket, text);
		strip(text, plain);
		for (size_t at = 0; at < TICKET_CHARS; at++) {
			char right = plain[at];
			for (const char *wrong = digits; *wrong; wrong++) {
				plain[at] = *wrong;
				assert_int_equal(ticket_parse(plain, &ticket),
					*wrong == right ? 0 : -REASON_TICKET_MALFORMED);
			}
			plain[at] = right;
		}
	}
}

static void every_exchange_is_found(void **state)
{
	(void)state;
	for (int i = 0; i < TICKETS; i++) {
		struct ticket ticket;
		char text[TICKET_TEXT_SIZE], plain[TICKET_CHARS + 1];
		assert_int_equal(ticket_generate(&ticket), 0);
		ticket_print(&ticket, text);
		strip(text, plain);
		for (size_t a = 0; a < TICKET_CHARS; a++) {
			for (size_t b = a + 1; b < TICKET_CHARS; b++) {
				char kept_a = plain[a], kept_b = plain[b];
				plain[a] = kept_b;
				plain[b] = kept_a;
				assert_int_equal(ticket_parse(plain, &ticket),
					kept_a == kept_b ? 0 : -REASON_TICKET_MALFORMED);
				plain[a] = kept_a;
				plain[b] = kept_b;
			}
		}
	}
}

static void other_things_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "20002-00108-1G818-60W40-J2GB", "hello",
		"20002-00108-1G818-60W40-J2GB80", "00000-00000-00000-00000-00000"};
	struct ticket ticket = {.id = 77};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(ticket_parse(texts[i], &ticket),
			-REASON_TICKET_MALFORMED);
	assert_int_equal(ticket.id, 77);
	assert_int_equal(ticket_parse("2ooo2 ooio8 lg8i8 60w40 j2gb8", &ticket), 0);
	assert_int_equal(ticket.id, 1);
}

/* The salt names ticket and license: the same secret elsewhere is another psk. */
static void stretching_binds_ticket_and_license(void **state)
{
	(void)state;
	struct ticket ticket = {0xabcde, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
	uint8_t license[LICENSE_ID_SIZE] = {9}, salt[16 + 4 + 16] = "ENGAWA-1 ticket",
		psk[32], other[32];
	memcpy(salt + 16, "\0\x0a\xbc\xde\x09", 5);
	assert_int_equal(ticket_stretch(&ticket, license, psk), 0);
	assert_int_equal(primitives_pbkdf2(other, ticket.secret, 12, salt, sizeof(salt),
				 600000),
		0);
	assert_memory_equal(psk, other, 32);
	license[15] = 1;
	assert_int_equal(ticket_stretch(&ticket, license, other), 0);
	assert_memory_not_equal(psk, other, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_survive_paper),
		cmocka_unit_test(a_known_ticket_has_this_text),
		cmocka_unit_test(every_single_error_is_found),
		cmocka_unit_test(every_exchange_is_found),
		cmocka_unit_test(other_things_are_refused),
		cmocka_unit_test(stretching_binds_ticket_and_license),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
