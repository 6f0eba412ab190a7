/* profile: an office PC that this viewer is paired with: where to go in and what the user calls it.
 * DIR/profiles/<license>.json, mode 0600, and <license>.ca.pem beside it; the keys are in e2e/pins.h.
 *
 * Thread: main. Names are UTF-8 as typed, so files are named by license. Errors: -REASON_NOT_PAIRED (no such
 * profile, or none at all), -REASON_CONFLICT (several, and no name given), those of e2e/private_file.h.
 */
#ifndef VIEWER_PROFILE_H
#define VIEWER_PROFILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"
#include "link/access.h"

#define PROFILE_MAX 256

struct profile {
	struct access access;
	char name[INNER_NAME_SIZE]; /* as the user calls the PC */
	char host_name[INNER_NAME_SIZE];
	int64_t paired_ms;
};

MUST_CHECK int profile_write(const char *dir, const struct profile *profile);
/* By name or license id; NULL: the only one there is. */
MUST_CHECK int profile_find(const char *dir, const char *name, struct profile *ret);
/* All, in order of their names. `ret` has room for PROFILE_MAX; secrets included: wipe them. */
MUST_CHECK int profile_list(const char *dir, struct profile *ret, size_t *ret_count);
/* Whether the CA that was kept at pairing is whole: -REASON_FILE_UNREADABLE, -REASON_STATE_DAMAGED. */
MUST_CHECK int profile_ca_check(const char *dir, const struct profile *profile);
/* The operator's notices as the gateway told them last, so that they can be shown without a connection:
 * `json` as in link/news.h. */
MUST_CHECK int profile_news_write(const char *dir, const struct profile *profile,
	const char *json);
/* The object, or NULL when there is none. */
json_t *profile_news_read(const char *dir, const struct profile *profile);
/* Where the CA of this profile is kept, also before there is one. */
MUST_CHECK int profile_ca_path(const char *dir, const char *public_id, char *ret,
	size_t size);

#endif
