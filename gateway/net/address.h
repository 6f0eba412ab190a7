/* address: where a connection comes from, as text and as the prefix that limits count by.
 *
 * Thread: any; pure. An IPv4 address that arrives mapped into IPv6 (::ffff:192.0.2.1) is IPv4.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdint.h>

#include "net/conn.h"

struct sockaddr;

void address_text4(char ret[static CONN_ADDRESS], const uint8_t bytes[static 4]);
void address_text6(char ret[static CONN_ADDRESS], const uint8_t bytes[static 16]);
/* "?" for another family. */
void address_text(char ret[static CONN_ADDRESS], const struct sockaddr *address);

/* All that one household or attacker can choose from freely is one source: an IPv4 address, or an
 * IPv6 /64. What is no address is 0, so it shares one. */
#define ADDRESS_KEY 8
void address_key(uint8_t ret[static ADDRESS_KEY], const char *text);

#endif
