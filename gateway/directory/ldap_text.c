#include "directory/ldap_text.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "rules/directory_address.h"

static int is_harmless(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte && strchr("._-@", byte));
}

int ldap_text_fill(char ret[static LDAP_TEXT_SIZE], const char *pattern, const char *user)
{
	const char *place = strstr(pattern, DIRECTORY_ADDRESS_PLACE);
	char text[LDAP_TEXT_SIZE];
	size_t len = place ? (size_t)(place - pattern) : 0;
	if (!place)
		return -REASON_BAD_VALUE;
	const char *rest = place + strlen(DIRECTORY_ADDRESS_PLACE);
	/* Each byte becomes three at most. */
	if (len + 3 * strlen(user) + strlen(rest) >= sizeof(text))
		return -REASON_LIMIT;
	memcpy(text, pattern, len);
	for (; *user; user++) {
		unsigned char byte = (unsigned char)*user;
		if (is_harmless(byte))
			text[len++] = (char)byte;
		else
			len += (size_t)snprintf(text + len, 4, "\\%02x", byte);
	}
	memcpy(text + len, rest, strlen(rest) + 1);
	memcpy(ret, text, sizeof(text));
	return 0;
}
