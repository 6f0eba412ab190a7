/* Path 04/12: sealed, nobody reads from here on; opened, and only here. */
#include "e2e/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/noise_cipher.h"

#define PLAIN_MAX (SEAL_RECORD_MAX - SEAL_TAG)

struct seal {
	struct noise_cipher *send, *receive;
	enum seal_side side;
	size_t picture_bucket;
	bool dead;
};

int seal_new(struct seal **ret, enum seal_side side, struct noise_cipher *send,
	struct noise_cipher *receive)
{
	struct seal *seal = calloc(1, sizeof(*seal));
	if (!seal) {
		noise_cipher_free(send);
		noise_cipher_free(receive);
		return -REASON_NO_MEMORY;
	}
	seal->send = send;
	seal->receive = receive;
	seal->side = side;
	seal->picture_bucket = 1;
	*ret = seal;
	return 0;
}

void seal_pad_picture(struct seal *seal)
{
	seal->picture_bucket = SEAL_PICTURE_BUCKET;
}

static size_t bucket(const struct seal *seal, enum seal_lane lane)
{
	switch (lane) {
	case SEAL_CONTROL:
	case SEAL_INPUT:
		return seal->side == SEAL_VIEWER ? 64 : 1;
	case SEAL_PICTURE:
		return seal->picture_bucket;
	case SEAL_CLIPBOARD:
		return 1024;
	default:
		return 1;
	}
}

static size_t plain_size(const struct seal *seal, enum seal_lane lane, size_t len)
{
	size_t step = bucket(seal, lane);
	size_t size = (SEAL_HEAD + len + step - 1) / step * step;
	return size < PLAIN_MAX ? size : PLAIN_MAX;
}

size_t seal_size(const struct seal *seal, enum seal_lane lane, size_t len)
{
	return plain_size(seal, lane, len) + SEAL_TAG;
}

static int fail(struct seal *seal)
{
	seal->dead = true;
	noise_cipher_kill(seal->send);
	noise_cipher_kill(seal->receive);
	return -REASON_E2E_FAILED;
}

int seal_record(struct seal *seal, enum seal_lane lane, uint8_t flags, uint8_t *record,
	size_t len, size_t *ret_len)
{
	CHECK((unsigned)lane < SEAL_LANES && !(flags & ~SEAL_END) &&
		len <= SEAL_PAYLOAD_MAX);
	size_t size = plain_size(seal, lane, len);
	record[0] = (uint8_t)lane;
	record[1] = flags;
	record[2] = (uint8_t)(len >> 8);
	record[3] = (uint8_t)len;
	memset(record + SEAL_HEAD + len, 0, size - SEAL_HEAD - len);
	int result = seal->dead ? -REASON_E2E_FAILED
				: noise_cipher_encrypt_with_ad(seal->send, NULL, 0,
					  record, size, record);
	if (result < 0) {
		/* What could not be sealed must not lie where frames are sent from. */
		secret_wipe(record, size);
		return fail(seal);
	}
	*ret_len = size + SEAL_TAG;
	return 0;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

static bool well_formed(const uint8_t *plain, size_t size, struct seal_view *ret)
{
	if (size < SEAL_HEAD)
		return false;
	size_t len = (size_t)plain[2] << 8 | plain[3];
	if (plain[0] >= SEAL_LANES || plain[1] & ~SEAL_END || len > size - SEAL_HEAD ||
		!all_zero(plain + SEAL_HEAD + len, size - SEAL_HEAD - len))
		return false;
	*ret = (struct seal_view){plain[0], plain[1], plain + SEAL_HEAD, len};
	return true;
}

int seal_open(struct seal *seal, uint8_t *record, size_t len, struct seal_view *ret)
{
	struct seal_view view;
	if (seal->dead || len < SEAL_HEAD + SEAL_TAG || len > SEAL_RECORD_MAX ||
		noise_cipher_decrypt_with_ad(seal->receive, NULL, 0, record, len,
			record) < 0 ||
		!well_formed(record, len - SEAL_TAG, &view)) {
		secret_wipe(record, len);
		return fail(seal);
	}
	*ret = view;
	return 0;
}

uint64_t seal_sent(const struct seal *seal)
{
	return noise_cipher_nonce(seal->send);
}

uint64_t seal_received(const struct seal *seal)
{
	return noise_cipher_nonce(seal->receive);
}

bool seal_dead(const struct seal *seal)
{
	return seal->dead;
}

struct seal *seal_free(struct seal *seal)
{
	if (seal) {
		noise_cipher_free(seal->send);
		noise_cipher_free(seal->receive);
	}
	free(seal);
	return NULL;
}
