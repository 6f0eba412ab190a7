#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/csv.h"

static void assert_line(struct csv *csv, const char *expected)
{
	assert_int_equal(csv_end(csv), 0);
	assert_int_equal(buf_len(&csv->line), strlen(expected));
	assert_memory_equal(buf_head(&csv->line), expected, strlen(expected));
}

static void fields_are_quoted_where_needed(void **state)
{
	(void)state;
	struct csv csv;
	csv_init(&csv);
	csv_text(&csv, "plain");
	csv_text(&csv, "with, comma");
	csv_text(&csv, "a \"quote\"");
	csv_text(&csv, "two\r\nlines");
	csv_text(&csv, "");
	csv_text(&csv, " blank");
	csv_text(&csv, "山田 太郎");
	csv_number(&csv, -42);
	assert_line(&csv,
		"plain,\"with, comma\",\"a \"\"quote\"\"\",\"two\r\nlines\",,\" blank\","
		"山田 太郎,-42\r\n");
	csv_text(&csv, "next");
	assert_line(&csv, "next\r\n");
	csv_done(&csv);
}

static void no_cell_is_a_formula(void **state)
{
	(void)state;
	struct csv csv;
	csv_init(&csv);
	csv_text(&csv, "=1+1");
	csv_text(&csv, "+1");
	csv_text(&csv, "-1");
	csv_text(&csv, "@SUM(A1)");
	csv_text(&csv, "\t=1");
	csv_text(&csv, "=cmd|'/C calc'!A0,\"");
	csv_text(&csv, "\r=1");
	csv_text(&csv, "a=1");
	csv_text(&csv, "＝1+1");
	csv_text(&csv, "＋1");
	csv_text(&csv, "－1");
	csv_text(&csv, "＠A");
	csv_text(&csv, "  =1");
	assert_line(&csv,
		"'=1+1,'+1,'-1,'@SUM(A1),'\t=1,\"'=cmd|'/C "
		"calc'!A0,\"\"\",\"'\r=1\",a=1,'＝1+1,'＋1,'－1,'＠A,\"'  =1\"\r\n");
	csv_done(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_quoted_where_needed),
		cmocka_unit_test(no_cell_is_a_formula),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
