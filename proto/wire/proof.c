#include "wire/proof.h"

#include <string.h>

#include "base/reason.h"

#define PROVE "ENGAWA-1 prove"
#define RECEIPT "ENGAWA-1 receipt"

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *put_number(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
	return at + bytes;
}

int proof_bytes(const struct proof *proof, uint8_t ret[static PROOF_BYTES_MAX],
	size_t *ret_len)
{
	static const uint8_t no_exporter[PROOF_EXPORTER];
	size_t node = strlen(proof->node);
	if (strlen(proof->license) != LICENSE_KEY_PUBLIC || node == 0 ||
		node > PROOF_NODE_MAX)
		return -REASON_BAD_VALUE;
	uint8_t *at = put(ret, PROVE, sizeof(PROVE));
	at = put(at, proof->nonce, PROOF_NONCE);
	at = put_number(at, proof->side, 1);
	at = put(at, proof->license, LICENSE_KEY_PUBLIC);
	at = put_number(at, node, 2);
	at = put(at, proof->node, node);
	at = put(at, proof->exporter ? proof->exporter : no_exporter, PROOF_EXPORTER);
	*ret_len = (size_t)(at - ret);
	return 0;
}

void proof_receipt_bytes(const struct proof_receipt *receipt,
	uint8_t ret[static PROOF_RECEIPT_BYTES])
{
	uint8_t *at = put(ret, RECEIPT, sizeof(RECEIPT));
	at = put(at, receipt->session, PROOF_SESSION);
	at = put_number(at, receipt->fence, 8);
	at = put_number(at, receipt->side, 1);
	at = put_number(at, receipt->bytes_sent, 8);
	at = put_number(at, receipt->bytes_received, 8);
	put_number(at, receipt->reason, 2);
}
