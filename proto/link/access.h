/* access: where an end goes in and with which license: the part of a stored enrolment (host) or
 * profile (viewer) that both ends share.
 *
 * Thread: any; values. The secret of the license key is in it: wipe with access_wipe(). As JSON it is
 * a member of a file of e2e/private_file.h. Errors: -REASON_BAD_VALUE (addresses), -REASON_LIMIT,
 * -REASON_STATE_DAMAGED (JSON); on error the result is untouched.
 */
#ifndef LINK_ACCESS_H
#define LINK_ACCESS_H

#include <jansson.h>
#include <stddef.h>

#include "base/check.h"
#include "base/license_key.h"
#include "base/text.h"

#define ACCESS_GATEWAYS 8
#define ACCESS_PORT 7443
#define ACCESS_PROXY 300

struct access {
	struct text_endpoint gateways[ACCESS_GATEWAYS];
	size_t gateway_count;
	struct license_key key;
	int own_ca; /* 1: the CA is the file ca.pem beside; 0: the system's roots */
};

/* "HOST[:PORT][,HOST[:PORT]…]". */
MUST_CHECK int access_gateways(struct access *access, const char *list);
/* A new object; NULL when there is no memory. */
json_t *access_pack(const struct access *access);
MUST_CHECK int access_parse(const json_t *object, struct access *ret);
void access_wipe(struct access *access);

/* Whether a CA file can be used at all, to be said before anything starts. -REASON_FILE_UNREADABLE,
 * -REASON_BAD_VALUE (no whole certificate in it). */
MUST_CHECK int access_ca_readable(const char *path);
/* Copies the PEM file to `to` (mode 0600, atomically) after a look inside.
 * -REASON_FILE_UNREADABLE, -REASON_BAD_VALUE (no certificate in it), -REASON_FILE_UNWRITABLE,
 * -REASON_DISK_FULL. */
MUST_CHECK int access_keep_ca(const char *from, const char *to);

#endif
