/* proxy_v2: the header with which a load balancer tells where a TCP connection really comes from
 * (HAProxy's PROXY protocol, version 2, section 2.2 of its specification).
 *
 * Thread: any; pure. Only taken from addresses that the operator listed: from anyone else it would
 * be a way to lie about the address that lockouts and rules go by.
 */
#ifndef NET_PROXY_V2_H
#define NET_PROXY_V2_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "net/conn.h"

#define PROXY_V2_MAX                                                                     \
	536 /* as the specification permits: header, addresses, and some TLVs */

/* >0: size of the whole header, and `ret_address` is the source, or untouched when the proxy speaks
 * for itself (LOCAL) or of another family. 0: more bytes are needed. -REASON_PROTOCOL. */
MUST_CHECK int proxy_v2_parse(const uint8_t *bytes, size_t len,
	char ret_address[static CONN_ADDRESS]);

#endif
