#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "admin/token.h"
#include "base/reason.h"

static void its_text_opens_it_and_nothing_else(void **state)
{
	(void)state;
	struct token token = {.expires_ms = 5000}, other = {0};
	char text[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
	uint8_t secret[TOKEN_SECRET], wrong[TOKEN_SECRET];
	assert_int_equal(token_generate(&token, text), 0);
	assert_int_equal(token_generate(&other, (char[TOKEN_TEXT_SIZE]){0}), 0);
	assert_int_equal(token_parse(text, id, secret), 0);
	assert_string_equal(id, token.id);
	assert_int_equal(token_check(&token, secret, 4999), 0);
	assert_int_equal(token_check(&token, secret, 5000), -REASON_UNAUTHENTICATED);
	assert_int_equal(token_check(&other, secret, 1), -REASON_UNAUTHENTICATED);
	for (size_t bit = 0; bit < TOKEN_SECRET * 8; bit++) {
		memcpy(wrong, secret, sizeof(wrong));
		wrong[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(token_check(&token, wrong, 1), -REASON_UNAUTHENTICATED);
	}
}

static void what_is_no_token_is_refused(void **state)
{
	(void)state;
	struct token token = {0};
	char text[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
	uint8_t secret[TOKEN_SECRET];
	static const char *const wrong[] = {"", "egt_", "egt_123456789", "egt_123456789_",
		"egt_12345678_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"egt_123456789_AAAA",
		"EGT_123456789_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"egt_12345678/_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(token_parse(wrong[i], id, secret),
			-REASON_UNAUTHENTICATED);
	assert_int_equal(token_generate(&token, text), 0);
	for (size_t cut = 0; cut < strlen(text); cut++) {
		char shorter[TOKEN_TEXT_SIZE];
		strcpy(shorter, text);
		shorter[cut] = '\0';
		assert_int_equal(token_parse(shorter, id, secret),
			-REASON_UNAUTHENTICATED);
	}
}

static void its_document_has_no_secret(void **state)
{
	(void)state;
	struct token token = {.name = "scraper",
			     .role = "auditor",
			     .by = "x",
			     .tenant = "acme",
			     .created_ms = 7,
			     .expires_ms = 9},
		     read;
	char text[TOKEN_TEXT_SIZE], *body;
	assert_int_equal(token_generate(&token, text), 0);
	assert_int_equal(token_write(&token, &body), 0);
	assert_null(strstr(body, strrchr(text, '_') + 1));
	assert_int_equal(token_read(token.id, body, &read), 0);
	assert_memory_equal(read.hash, token.hash, TOKEN_HASH);
	assert_string_equal(read.role, "auditor");
	assert_int_equal(read.expires_ms, 9);
	free(body);
	static const char *const damaged[] = {"", "{}", "[]", "{\"name\":1}", "null"};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
		assert_int_equal(token_read("tok_x", damaged[i], &read),
			-REASON_STATE_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_text_opens_it_and_nothing_else),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(its_document_has_no_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
