/* directory_address: where a directory is, and how a name is put into its patterns: what may be written.
 *
 * Thread: any; pure. Errors: -REASON_BAD_VALUE with the field.
 */
#ifndef RULES_DIRECTORY_ADDRESS_H
#define RULES_DIRECTORY_ADDRESS_H

#include "rules/field.h"

/* Where the name goes in a pattern. */
#define DIRECTORY_ADDRESS_PLACE "{user}"

/* ldaps://, ldapi://, ldap:// with StartTLS, or ldap:// on 127.0.0.1 and [::1]. */
MUST_CHECK int directory_address_ldap(const char *url, int start_tls,
	struct field_error *error);
/* Whether no other machine can hear what is said there without TLS. */
int directory_address_is_local(const char *url);
/* https://HOST[:PORT][/PATH] */
MUST_CHECK int directory_address_issuer(const char *issuer, struct field_error *error);
/* Whether the place is there exactly once. */
int directory_address_template(const char *text);
/* The same, in one filter of RFC 4515. */
int directory_address_filter(const char *text);

#endif
