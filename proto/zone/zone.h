/* zone: the wall clock of a place, "Asia/Tokyo": what permitted hours mean at the gateway and at the office
 * PC. Summer time is the business of the system's time zone database (tzdata), read by GLib's GTimeZone.
 *
 * Thread: any. A handful of zones is kept open, so asking again costs no file.
 */
#ifndef ZONE_ZONE_H
#define ZONE_ZONE_H

#include <stdint.h>

#include "base/check.h"

#define ZONE_NAME_SIZE 49

/* Whether this is the name of a zone of the system's database (an IANA name). */
int zone_known(const char *name);
/* Minutes east of UTC at this moment (ms since 1970). -REASON_BAD_VALUE: no such zone. */
MUST_CHECK int zone_offset(const char *name, int64_t wall_ms, int *ret_minutes);

#endif
