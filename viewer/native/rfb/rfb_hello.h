/* rfb_hello: the opening of RFB (RFC 6143 sections 7.1 to 7.3), spoken by ourselves.
 *
 * Thread: the child's decoding thread; blocks. libvncclient's own opening would obey a host that
 * asks for VNC, ARD, MS-Logon, SASL or TLS authentication, a thousand lines that no Engawa host
 * needs: inside the tunnel only security type None is spoken.
 * Errors: -REASON_PEER_LOST, -REASON_VERSION, -REASON_PROTOCOL.
 */
#ifndef RFB_RFB_HELLO_H
#define RFB_RFB_HELLO_H

#include <stdint.h>

#include "base/check.h"

struct rfb_hello {
	uint16_t width, height;
};

MUST_CHECK int rfb_hello(int fd, struct rfb_hello *ret);

#endif
