#include "e2e/ticket.h"

#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define DATA_CHARS (TICKET_CHARS - 1)
#define DATA_BYTES 15
#define LABEL "ENGAWA-1 ticket"

/* Times a (= x) modulo x^5 + x^2 + 1. */
static uint8_t times_a(uint8_t value)
{
	return (uint8_t)(value & 16 ? (value << 1 & 31) ^ 5 : value << 1);
}

/* Horner: d[0] * a^(count-1) + … + d[count-1]. */
static uint8_t sum(const uint8_t *digits, size_t count)
{
	uint8_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = times_a(total) ^ digits[i];
	return total;
}

static void to_digits(uint8_t *ret, const uint8_t data[static DATA_BYTES])
{
	for (size_t i = 0; i < DATA_CHARS; i++) {
		size_t bit = 5 * i, at = bit / 8;
		unsigned two = (unsigned)data[at] << 8 |
			       (at + 1 < DATA_BYTES ? data[at + 1] : 0);
		ret[i] = two >> (11 - bit % 8) & 31;
	}
}

static void from_digits(uint8_t ret[static DATA_BYTES], const uint8_t *digits)
{
	memset(ret, 0, DATA_BYTES);
	for (size_t i = 0; i < 5 * DATA_CHARS; i++)
		if (digits[i / 5] & 16 >> i % 5)
			ret[i / 8] |= (uint8_t)(128 >> i % 8);
}

int ticket_generate(struct ticket *ret)
{
	struct ticket ticket;
	int result = secret_random(ticket.secret, sizeof(ticket.secret));
	do {
		if (result == 0)
			result = secret_random(&ticket.id, sizeof(ticket.id));
		ticket.id &= TICKET_ID_MAX;
	} while (result == 0 && ticket.id == 0);
	if (result == 0)
		*ret = ticket;
	secret_wipe(&ticket, sizeof(ticket));
	return result;
}

int ticket_parse(const char *text, struct ticket *ret)
{
	uint8_t digits[TICKET_CHARS], data[DATA_BYTES];
	int result = -REASON_TICKET_MALFORMED;
	if (text_uncrockford(digits, TICKET_CHARS, text) < 0 ||
		sum(digits, TICKET_CHARS) != 0)
		goto out;
	from_digits(data, digits);
	uint32_t id = (uint32_t)(data[0] & 15) << 16 | (uint32_t)data[1] << 8 | data[2];
	if (data[0] >> 4 != TICKET_PAIRING || id == 0)
		goto out;
	ret->id = id;
	memcpy(ret->secret, data + 3, TICKET_SECRET);
	result = 0;
out:
	secret_wipe(digits, sizeof(digits));
	secret_wipe(data, sizeof(data));
	return result;
}

void ticket_print(const struct ticket *ticket, char ret[static TICKET_TEXT_SIZE])
{
	uint8_t digits[TICKET_CHARS], data[DATA_BYTES];
	char plain[TICKET_CHARS + 1];
	data[0] = (uint8_t)(TICKET_PAIRING << 4 | (ticket->id >> 16 & 15));
	data[1] = (uint8_t)(ticket->id >> 8);
	data[2] = (uint8_t)ticket->id;
	memcpy(data + 3, ticket->secret, TICKET_SECRET);
	to_digits(digits, data);
	/* The last weight is 1, and minus is plus: what is missing to zero is the sum so far. */
	digits[DATA_CHARS] = times_a(sum(digits, DATA_CHARS));
	text_crockford(plain, digits, TICKET_CHARS);
	for (int i = 0; i < TICKET_CHARS; i++) {
		if (i && i % 5 == 0)
			*ret++ = '-';
		*ret++ = plain[i];
	}
	*ret = 0;
	secret_wipe(digits, sizeof(digits));
	secret_wipe(data, sizeof(data));
	secret_wipe(plain, sizeof(plain));
}

int ticket_stretch(const struct ticket *ticket,
	const uint8_t license_id[static LICENSE_ID_SIZE],
	uint8_t ret_psk[static PRIMITIVES_KEY])
{
	uint8_t salt[sizeof(LABEL) + 4 + LICENSE_ID_SIZE];
	memcpy(salt, LABEL, sizeof(LABEL));
	for (int i = 0; i < 4; i++)
		salt[sizeof(LABEL) + i] = (uint8_t)(ticket->id >> (24 - 8 * i));
	memcpy(salt + sizeof(LABEL) + 4, license_id, LICENSE_ID_SIZE);
	return primitives_pbkdf2(ret_psk, ticket->secret, TICKET_SECRET, salt,
		sizeof(salt), TICKET_ROUNDS);
}
