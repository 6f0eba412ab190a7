#include "net/proxy_v2.h"

#include <string.h>

#include "base/cursor.h"
#include "base/reason.h"
#include "net/address.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN 12
#define FIXED 16

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };

int proxy_v2_parse(const uint8_t *bytes, size_t len,
	char ret_address[static CONN_ADDRESS])
{
	struct cursor cursor = cursor_of(bytes, len);
	const uint8_t *signature, *body;
	uint8_t command, family;
	uint16_t size;
	size_t seen = len < SIGNATURE_LEN ? len : SIGNATURE_LEN;
	if (memcmp(bytes, SIGNATURE, seen) != 0)
		return -REASON_PROTOCOL;
	if (cursor_bytes(&cursor, SIGNATURE_LEN, &signature) ||
		cursor_u8(&cursor, &command) || cursor_u8(&cursor, &family) ||
		cursor_u16(&cursor, &size))
		return 0;
	if ((command != COMMAND_LOCAL && command != COMMAND_PROXY) ||
		FIXED + size > PROXY_V2_MAX)
		return -REASON_PROTOCOL;
	if (cursor_bytes(&cursor, size, &body))
		return 0;
	if (command == COMMAND_PROXY && family == TCP4) {
		if (size < 12)
			return -REASON_PROTOCOL;
		address_text4(ret_address, body);
	} else if (command == COMMAND_PROXY && family == TCP6) {
		if (size < 36)
			return -REASON_PROTOCOL;
		address_text6(ret_address, body);
	}
	return FIXED + size;
}
