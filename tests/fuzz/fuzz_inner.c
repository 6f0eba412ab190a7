/* links: proto_e2e */
/* inner: control messages from either side, handshake payloads, records of a peer that ignores the
 * rules. The first byte chooses which. What is accepted must be sendable, and mean the same again. */
#include <stdlib.h>
#include <string.h>

#include "e2e/inner.h"
#include "e2e/inner_payload.h"
#include "e2e/noise_cipher.h"

static void messages(const uint8_t *data, size_t size, enum seal_side from)
{
	struct cursor cursor = cursor_of(data, size);
	struct inner_message message;
	while (cursor_left(&cursor) && inner_parse(&cursor, from, &message) == 0) {
		uint8_t packed[INNER_MESSAGE_MAX], again[INNER_MESSAGE_MAX];
		size_t len, again_len;
		struct inner_message back;
		if (message.kind == INNER_SKIPPED)
			continue;
		if (inner_pack(&message, packed, sizeof(packed), &len) < 0)
			abort();
		struct cursor own = cursor_of(packed, len);
		if (inner_parse(&own, from, &back) < 0 || cursor_left(&own) ||
			inner_pack(&back, again, sizeof(again), &again_len) < 0 ||
			again_len != len || memcmp(again, packed, len) != 0)
			abort();
	}
}

static void payloads(const uint8_t *data, size_t size)
{
	struct inner_payload_host host;
	struct inner_payload_viewer viewer;
	uint8_t packed[INNER_PAYLOAD_MAX];
	size_t len;
	if (inner_payload_parse_host(data, size, &host) == 0 &&
		inner_payload_pack_host(&host, packed, &len) < 0)
		abort();
	if (inner_payload_parse_viewer(data, size, &viewer) == 0 &&
		inner_payload_pack_viewer(&viewer, packed, &len) < 0)
		abort();
}

static struct noise_cipher *cipher_of(uint8_t first)
{
	uint8_t key[PRIMITIVES_KEY] = {first};
	struct noise_cipher *cipher;
	if (noise_cipher_new(&cipher, 0) < 0 ||
		noise_cipher_initialize_key(cipher, key) < 0)
		abort();
	return cipher;
}

/* `data` as plaintext, and as a record that nobody sealed. */
static void records(const uint8_t *data, size_t size)
{
	static uint8_t record[SEAL_RECORD_MAX];
	struct noise_cipher *cheat = cipher_of(2);
	struct seal *seal;
	struct seal_view view;
	if (size > SEAL_RECORD_MAX - SEAL_TAG ||
		seal_new(&seal, SEAL_VIEWER, cipher_of(1), cipher_of(2)) < 0)
		abort();
	if (noise_cipher_encrypt_with_ad(cheat, NULL, 0, data, size, record) < 0)
		abort();
	if (seal_open(seal, record, size + SEAL_TAG, &view) == 0 &&
		(view.lane >= SEAL_LANES || view.payload + view.len > record + size))
		abort();
	if (size)
		memcpy(record, data, size);
	if (seal_open(seal, record, size, &view) == 0)
		abort();
	seal_free(seal);
	noise_cipher_free(cheat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor;
	uint32_t len;
	if (size < 1 || size > 8192)
		return 0;
	cursor = cursor_of(data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		messages(data + 1, size - 1, SEAL_HOST);
		break;
	case 1:
		messages(data + 1, size - 1, SEAL_VIEWER);
		break;
	case 2:
		payloads(data + 1, size - 1);
		break;
	case 3:
		records(data + 1, size - 1);
		break;
	default:
		if (inner_clipboard_parse(&cursor, &len) == 0 &&
			len > INNER_CLIPBOARD_MAX)
			abort();
	}
	return 0;
}
