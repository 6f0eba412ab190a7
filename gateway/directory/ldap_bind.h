/* ldap_bind: asks an LDAP server whether a password is somebody's, by binding as that person (RFC 4513).
 *
 * The person's DN comes from a template, or a search finds it: exactly one entry, else nobody. An unknown
 * name costs a bind as a known one does. An empty name or password is refused here: servers take a bind
 * without password as an anonymous one, which "succeeds" (RFC 4513 section 5.1.2).
 * TLS is checked against the directory's CA and the host's name; configuration files and environment of
 * libldap are not read; referrals are not followed, so a password never goes elsewhere.
 *
 * Thread: any that may block, for at most the limits together (apart from looking up a host's name).
 * Errors: -REASON_PASSWORD_WRONG; -REASON_DIRECTORY_UNREACHABLE for all that is not the person's fault,
 * with one sentence in `detail` for administrators.
 */
#ifndef DIRECTORY_LDAP_BIND_H
#define DIRECTORY_LDAP_BIND_H

#include <stdint.h>

#include "base/check.h"
#include "rules/directory.h"

#define LDAP_BIND_DETAIL 257

struct cutter;

struct ldap_bind_limits {
	int64_t connect_ms, answer_ms; /* answer: all answers together */
};

/* Once, before there are threads. */
void ldap_bind_init(void);

MUST_CHECK int ldap_bind_check(const struct directory *directory, struct cutter *cutter,
	const struct ldap_bind_limits *limits, const char *user, const char *password,
	char detail[static LDAP_BIND_DETAIL]);
/* Whether the server is there and takes our own name and password, where one is set. */
MUST_CHECK int ldap_bind_reach(const struct directory *directory, struct cutter *cutter,
	const struct ldap_bind_limits *limits, char detail[static LDAP_BIND_DETAIL]);

#endif
