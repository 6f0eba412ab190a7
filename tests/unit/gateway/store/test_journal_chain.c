#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/journal_chain.h"

static struct journal_row row_of(uint64_t seq)
{
	static const struct journal_row rows[] = {
		{.kind = JOURNAL_LOGIN,
			.tenant = "acme",
			.license = "lic_7k3qx09fa",
			.at_ms = 1795348800000,
			.body = "{\"holder\":\"佐藤\"}",
			.seq = 1,
			.node = "node-1"},
		{.kind = JOURNAL_AUDIT,
			.tenant = "",
			.license = "",
			.at_ms = 0,
			.body = "{}",
			.seq = 2,
			.node = "node-1"},
	};
	struct journal_row row = rows[seq - 1];
	static const char *const hashes[] = {
		"aa40c54bbfaa304d67f2fc3e370534f5cc995c6c75d25f407b81f95325374e8f",
		"b76bac88a163994a2ce67ded073b2894fd1c0530f2975255a7faa3f7e2b20896"};
	/* Made by the lines of Python in the header. */
	assert_int_equal(text_unhex(row.hash, JOURNAL_HASH, hashes[seq - 1]), 0);
	return row;
}

static void test_hashes_of_another_implementation(void **state)
{
	(void)state;
	uint8_t hash[JOURNAL_HASH] = {0};
	for (uint64_t seq = 1; seq <= 2; seq++) {
		struct journal_row row = row_of(seq);
		assert_int_equal(journal_chain_hash(hash, &row, hash), 0);
		assert_memory_equal(hash, row.hash, JOURNAL_HASH);
	}
}

/* A walk over the rows with these numbers, to a head of `last`. */
static struct journal_check walk(const uint64_t *seqs, size_t count, uint64_t last)
{
	struct journal_mark nothing = {0}, head = {.seq = last};
	struct journal_check check;
	journal_chain_start(&check, &nothing, NULL, 0);
	for (size_t i = 0; i < count; i++) {
		struct journal_row row = row_of(seqs[i]);
		if (journal_chain_row(&check, &row))
			break;
	}
	if (last) {
		struct journal_row row = row_of(last);
		memcpy(head.hash, row.hash, JOURNAL_HASH);
	}
	journal_chain_end(&check, &head);
	return check;
}

static void test_faults_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		uint64_t seqs[3];
		size_t count;
		uint64_t last, bad;
		const char *fault;
	} rows[] = {
		{{1, 2}, 2, 2, 0, NULL},
		{{0}, 0, 0, 0, NULL},
		{{2}, 1, 2, 1, "gap"},
		{{1, 1}, 2, 2, 1, "order"},
		{{1}, 1, 2, 2, "missing tail"},
		{{0}, 0, 2, 1, "missing tail"},
		{{1, 2}, 2, 1, 2, "order"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct journal_check check =
			walk(rows[i].seqs, rows[i].count, rows[i].last);
		assert_int_equal(check.first_bad, rows[i].bad);
		assert_int_equal(check.fault != NULL, rows[i].fault != NULL);
		if (rows[i].fault) {
			assert_string_equal(check.fault, rows[i].fault);
			assert_int_equal(check.checked, rows[i].bad - 1);
		}
	}
}

static void test_fields_cannot_flow_into_each_other(void **state)
{
	(void)state;
	uint8_t nothing[JOURNAL_HASH] = {0}, a[JOURNAL_HASH], b[JOURNAL_HASH];
	struct journal_row one = row_of(1), other = one;
	one.tenant = "ab";
	one.license = "c";
	other.tenant = "a";
	other.license = "bc";
	assert_int_equal(journal_chain_hash(nothing, &one, a), 0);
	assert_int_equal(journal_chain_hash(nothing, &other, b), 0);
	assert_memory_not_equal(a, b, JOURNAL_HASH);
}

static void test_a_stub_stands_for_its_row(void **state)
{
	(void)state;
	struct journal_mark nothing = {0}, head = {.seq = 2};
	struct journal_row first = row_of(1), second = row_of(2);
	struct journal_stub stub;
	struct journal_check check;
	assert_int_equal(journal_chain_stub(&first, &stub), 0);
	memcpy(head.hash, second.hash, JOURNAL_HASH);
	/* 400 days after the row */
	clock_fake(0, first.at_ms + 400 * INT64_C(86400000));
	for (int forged = 0; forged < 6; forged++) {
		struct journal_stub bent = stub;
		bent.kind = forged == 1 ? JOURNAL_BANDWIDTH : bent.kind;
		bent.at_ms -= forged == 2;
		bent.rest[31] ^= forged == 3;
		bent.hash[0] ^= forged == 4;
		bent.seq += forged == 5;
		journal_chain_start(&check, &nothing, NULL, 0);
		int r = journal_chain_gone(&check, &bent);
		assert_int_equal(r, forged ? 1 : 0);
		if (r == 0)
			assert_int_equal(journal_chain_row(&check, &second), 0);
		journal_chain_end(&check, &head);
		assert_int_equal(check.first_bad, forged ? 1 : 0);
		if (forged)
			assert_string_equal(check.fault, forged == 5 ? "gap" : "hash");
	}
	assert_int_equal(check.stubs, 0);
	clock_fake(0, first.at_ms + 364 * INT64_C(86400000));
	journal_chain_start(&check, &nothing, NULL, 0);
	assert_int_equal(journal_chain_gone(&check, &stub), 1);
	assert_string_equal(check.fault, "removed early");
	clock_fake(-1, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes_of_another_implementation),
		cmocka_unit_test(test_faults_are_told_apart),
		cmocka_unit_test(test_a_stub_stands_for_its_row),
		cmocka_unit_test(test_fields_cannot_flow_into_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
