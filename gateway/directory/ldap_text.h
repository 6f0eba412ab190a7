/* ldap_text: puts a name that somebody typed into a pattern of a DN or a search filter, so that it can
 * only ever be a value there.
 *
 * Every byte that is no letter, digit, '.', '_', '-' or '@' becomes \XX, which both RFC 4514 (DNs) and
 * RFC 4515 (filters) take for any byte. An allow list needs no knowledge of what is special where.
 * Thread: any; pure. Errors: -REASON_LIMIT; the result is untouched then.
 */
#ifndef DIRECTORY_LDAP_TEXT_H
#define DIRECTORY_LDAP_TEXT_H

#include <stddef.h>

#include "base/check.h"

/* A pattern with one "{user}" of rules/directory.h. */
#define LDAP_TEXT_SIZE 1024
MUST_CHECK int ldap_text_fill(char ret[static LDAP_TEXT_SIZE], const char *pattern,
	const char *user);

#endif
