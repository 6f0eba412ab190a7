#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void address_text4(char ret[static CONN_ADDRESS], const uint8_t bytes[static 4])
{
	inet_ntop(AF_INET, bytes, ret, CONN_ADDRESS);
}

void address_text6(char ret[static CONN_ADDRESS], const uint8_t bytes[static 16])
{
	if (!memcmp(bytes, mapped, sizeof(mapped)))
		address_text4(ret, bytes + sizeof(mapped));
	else
		inet_ntop(AF_INET6, bytes, ret, CONN_ADDRESS);
}

void address_text(char ret[static CONN_ADDRESS], const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		address_text4(ret, (const uint8_t *)&((const struct sockaddr_in *)address)
					   ->sin_addr);
	else if (address->sa_family == AF_INET6)
		address_text6(ret,
			(const uint8_t *)&((const struct sockaddr_in6 *)address)
				->sin6_addr);
	else
		text_clip(ret, CONN_ADDRESS, "?");
}

void address_key(uint8_t ret[static ADDRESS_KEY], const char *text)
{
	uint8_t bytes[16] = {0};
	memset(ret, 0, ADDRESS_KEY);
	if (inet_pton(AF_INET, text, bytes) == 1) {
		/* ffff:ffff::/32 is multicast, where no connection comes from: an IPv4 key
		 * is never that of an IPv6 prefix. */
		memset(ret, 0xff, ADDRESS_KEY - 4);
		memcpy(ret + ADDRESS_KEY - 4, bytes, 4);
	} else if (inet_pton(AF_INET6, text, bytes) == 1) {
		memcpy(ret, bytes, ADDRESS_KEY);
	}
}
