#include "wire/session_id.h"

#include <ctype.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

#define CHARS 26

void session_id_text(const uint8_t id[static SESSION_ID],
	char ret[static SESSION_ID_TEXT])
{
	uint8_t digits[CHARS] = {0};
	for (int bit = 0; bit < SESSION_ID * 8; bit++)
		if (id[bit / 8] >> (7 - bit % 8) & 1)
			digits[bit / 5] |= (uint8_t)(1 << (4 - bit % 5));
	memcpy(ret, "ses_", 4);
	text_crockford(ret + 4, digits, CHARS);
	for (char *at = ret; *at; at++)
		*at = (char)tolower((unsigned char)*at);
}

int session_id_parse(const char *text, uint8_t ret[static SESSION_ID])
{
	uint8_t digits[CHARS], id[SESSION_ID] = {0};
	if (strncmp(text, "ses_", 4) || strlen(text) != SESSION_ID_TEXT - 1)
		return -REASON_BAD_VALUE;
	int status = text_uncrockford(digits, CHARS, text + 4);
	if (status < 0 || digits[CHARS - 1] & 3)
		return -REASON_BAD_VALUE;
	for (int bit = 0; bit < SESSION_ID * 8; bit++)
		if (digits[bit / 5] >> (4 - bit % 5) & 1)
			id[bit / 8] |= (uint8_t)(1 << (7 - bit % 8));
	memcpy(ret, id, sizeof(id));
	return 0;
}
