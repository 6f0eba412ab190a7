/* links: proto_e2e */
/* noise, the host: message 1 from anybody, message 3 disturbed on its way, message 3 with any payload.
 * The first byte chooses. */
#include "fuzz_noise.h"

static void raw_message_1(const uint8_t *data, size_t size)
{
	struct noise *host = fuzz_noise_end(NOISE_RESPONDER);
	uint8_t plain[NOISE_MESSAGE_MAX];
	size_t len;
	if (noise_read(host, data, size, plain, sizeof(plain), &len) < 0)
		fuzz_noise_dead(host);
	noise_free(host);
}

static void message_3(const uint8_t *data, size_t size, const uint8_t *payload,
	size_t payload_len)
{
	struct noise *viewer = fuzz_noise_end(NOISE_INITIATOR),
		     *host = fuzz_noise_end(NOISE_RESPONDER);
	uint8_t message[NOISE_MESSAGE_MAX], plain[NOISE_MESSAGE_MAX];
	size_t len = fuzz_noise_write(viewer, "", 0, message), plain_len;
	if (noise_read(host, message, len, plain, sizeof(plain), &plain_len) < 0)
		abort();
	len = fuzz_noise_write(host, "", 0, message);
	if (noise_read(viewer, message, len, plain, sizeof(plain), &plain_len) < 0 ||
		noise_decide(viewer, NOISE_ALLOW) < 0)
		abort();
	len = fuzz_noise_write(viewer, payload, payload_len, message);
	bool changed = fuzz_noise_disturb(message, &len, data, size);
	if ((noise_read(host, message, len, plain, sizeof(plain), &plain_len) == 0) ==
		changed)
		abort();
	if (changed) {
		fuzz_noise_dead(host);
	} else {
		struct inner_payload_viewer parsed;
		if (plain_len != payload_len || noise_decide(host, NOISE_ALLOW) < 0)
			abort();
		int ignored UNUSED =
			inner_payload_parse_viewer(plain, plain_len, &parsed);
	}
	noise_free(viewer);
	noise_free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 3 == 0)
		raw_message_1(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		message_3(data + 1, size - 1, (const uint8_t *)"p3", 2);
	else if (size <= INNER_PAYLOAD_MAX)
		message_3(NULL, 0, data + 1, size - 1);
	return 0;
}
