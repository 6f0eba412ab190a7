/* links: proto_e2e */
/* noise, the viewer: message 2 from anybody, disturbed on its way, or with any payload. The first
 * byte chooses. */
#include "fuzz_noise.h"

static void message_2(const uint8_t *data, size_t size, const uint8_t *payload,
	size_t payload_len)
{
	struct noise *viewer = fuzz_noise_end(NOISE_INITIATOR),
		     *host = fuzz_noise_end(NOISE_RESPONDER);
	uint8_t message[NOISE_MESSAGE_MAX], plain[NOISE_MESSAGE_MAX];
	size_t len = fuzz_noise_write(viewer, "", 0, message), plain_len;
	if (noise_read(host, message, len, plain, sizeof(plain), &plain_len) < 0)
		abort();
	len = fuzz_noise_write(host, payload, payload_len, message);
	bool changed = fuzz_noise_disturb(message, &len, data, size);
	if ((noise_read(viewer, message, len, plain, sizeof(plain), &plain_len) == 0) ==
		changed)
		abort();
	if (changed) {
		fuzz_noise_dead(viewer);
	} else {
		struct inner_payload_host parsed;
		if (plain_len != payload_len || noise_decide(viewer, NOISE_ALLOW) < 0)
			abort();
		int ignored UNUSED = inner_payload_parse_host(plain, plain_len, &parsed);
	}
	noise_free(viewer);
	noise_free(host);
}

static void raw_message_2(const uint8_t *data, size_t size)
{
	struct noise *viewer = fuzz_noise_end(NOISE_INITIATOR);
	uint8_t message[NOISE_MESSAGE_MAX], plain[NOISE_MESSAGE_MAX];
	size_t len;
	fuzz_noise_write(viewer, "", 0, message);
	if (noise_read(viewer, data, size, plain, sizeof(plain), &len) < 0)
		fuzz_noise_dead(viewer);
	noise_free(viewer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 3 == 0)
		raw_message_2(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		message_2(data + 1, size - 1, (const uint8_t *)"p2", 2);
	else if (size <= INNER_PAYLOAD_MAX)
		message_2(NULL, 0, data + 1, size - 1);
	return 0;
}
