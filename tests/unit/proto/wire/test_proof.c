/* Golden bytes: the browser and the gateway build the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "wire/proof.h"

static void a_proof_has_these_bytes(void **state)
{
	(void)state;
	uint8_t nonce[PROOF_NONCE], exporter[PROOF_EXPORTER], bytes[PROOF_BYTES_MAX];
	struct proof proof = {nonce, PROOF_VIEWER, "7K3QX09FA", "node-a", exporter};
	size_t len;
	memset(nonce, 'n', sizeof(nonce));
	memset(exporter, 'x', sizeof(exporter));
	assert_int_equal(proof_bytes(&proof, bytes, &len), 0);
	assert_int_equal(len, 15 + 32 + 1 + 9 + 2 + 6 + 32);
	assert_memory_equal(bytes,
		"ENGAWA-1 prove\0nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\1"
		"7K3QX09FA\0\6node-axxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		len);
	proof.side = PROOF_HOST;
	proof.exporter = NULL;
	assert_int_equal(proof_bytes(&proof, bytes, &len), 0);
	assert_memory_equal(bytes + 47,
		"\0"
		"7K3QX09FA\0\6node-a\0\0\0\0",
		22);
	assert_int_equal(bytes[len - 1], 0);
}

static void names_are_bounded(void **state)
{
	(void)state;
	uint8_t nonce[PROOF_NONCE] = {0}, bytes[PROOF_BYTES_MAX];
	char node[PROOF_NODE_MAX + 2];
	struct proof proof = {nonce, PROOF_HOST, "7K3QX09FA", node, NULL};
	size_t len = 77;
	memset(node, 'a', sizeof(node));
	node[PROOF_NODE_MAX + 1] = 0;
	assert_int_equal(proof_bytes(&proof, bytes, &len), -REASON_BAD_VALUE);
	node[0] = 0;
	assert_int_equal(proof_bytes(&proof, bytes, &len), -REASON_BAD_VALUE);
	node[0] = 'a';
	proof.license = "7K3QX09F";
	node[PROOF_NODE_MAX] = 0;
	assert_int_equal(proof_bytes(&proof, bytes, &len), -REASON_BAD_VALUE);
	assert_int_equal(len, 77);
	proof.license = "7K3QX09FA";
	assert_int_equal(proof_bytes(&proof, bytes, &len), 0);
	assert_int_equal(len, PROOF_BYTES_MAX);
}

static void a_receipt_has_these_bytes(void **state)
{
	(void)state;
	struct proof_receipt receipt = {{0}, 0x0102030405060708, PROOF_VIEWER,
		0x1112131415161718, 0x2122232425262728, 0x0601};
	uint8_t bytes[PROOF_RECEIPT_BYTES];
	memset(receipt.session, 's', sizeof(receipt.session));
	proof_receipt_bytes(&receipt, bytes);
	assert_memory_equal(bytes,
		"ENGAWA-1 receipt\0ssssssssssssssss\1\2\3\4\5\6\7\x8\1"
		"\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28\6\1",
		sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_has_these_bytes),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(a_receipt_has_these_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
