/* rfb_message: how long a viewer's message is, told from its first bytes, so that libvncserver gets
 * whole ones only, and only of kinds that belong here (RFC 6143 section 7.5, and SetDesktopSize).
 *
 * Thread: any; no state.
 */
#ifndef RFB_RFB_MESSAGE_H
#define RFB_RFB_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define RFB_MESSAGE_HEAD 8 /* bytes that always suffice */
#define RFB_MESSAGE_CUT_TEXT_MAX (1 << 20)

enum { RFB_MESSAGE_ODD = -1, RFB_MESSAGE_TOO_LITTLE = 0 };

/* The size in bytes, RFB_MESSAGE_TOO_LITTLE when `len` bytes do not tell, RFB_MESSAGE_ODD for kinds and
 * sizes that are not let through. */
int64_t rfb_message_size(const uint8_t *head, size_t len);

#endif
