/* directory: an LDAP server or OpenID Connect provider where people prove who they are
 * (STATE_DIRECTORY, id = directory id).
 *
 * JSON body:
 *   "id" (1 to 40 of a-z 0-9 - _)   "name"   "tenant" ("": the operator's, may serve every tenant)
 *   "kind" "ldap"|"oidc"   "state" "enabled"|"disabled"   "use" ["accounts","holders"]
 *   "created_ms"   "changed_ms"
 *   "ldap" {"url","ca" (PEM; "": the system's),"start_tls","bind_dn_template" ("uid={user},ou=…"), or
 *           "base","filter" ("(uid={user})"),"bind_dn","bind_password"}
 *   "oidc" {"issuer","ca","client_id","client_secret","claim","domains" […],"trusted_mfa",
 *           "provision" {"role","tenant"} or null}
 * Passwords go over a network only when it is encrypted: ldaps://, ldap:// with start_tls, ldapi://,
 * or ldap:// to 127.0.0.1 or [::1]. OIDC is https:// only. Holders can use LDAP only: a viewer has no
 * browser.
 *
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_DIRECTORY_H
#define RULES_DIRECTORY_H

#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"
#include "rules/role.h"
#include "rules/tenant.h"

#define DIRECTORY_ID_SIZE 41
#define DIRECTORY_CA_SIZE 16385
#define DIRECTORY_USER_SIZE 129
#define DIRECTORY_DOMAINS 8

enum directory_kind { DIRECTORY_LDAP, DIRECTORY_OIDC };
enum directory_state { DIRECTORY_ENABLED, DIRECTORY_DISABLED };
enum directory_use { DIRECTORY_ACCOUNTS = 1, DIRECTORY_HOLDERS = 2 };

struct directory_ldap {
	char url[257], bind_dn_template[257];
	char base[257], filter[257], bind_dn[257], bind_password[257];
	int start_tls;
};

struct directory_oidc {
	char issuer[257], client_id[257], client_secret[257], claim[65];
	size_t domain_count;
	char domains[DIRECTORY_DOMAINS][129];
	int trusted_mfa; /* a second factor that the provider asserts counts as ours */
	int provision;   /* unknown people get an account of this role and tenant */
	enum role provision_role;
	char provision_tenant[TENANT_ID_SIZE];
};

struct directory {
	char id[DIRECTORY_ID_SIZE], name[129], tenant[TENANT_ID_SIZE];
	int kind, state;
	unsigned use; /* enum directory_use, or-ed */
	int64_t created_ms, changed_ms;
	char ca[DIRECTORY_CA_SIZE];
	struct directory_ldap ldap;
	struct directory_oidc oidc;
};

int directory_id_good(const char *id);
/* A name that people type or an administrator sets: plain, no blanks around it. */
int directory_user_good(const char *user);

MUST_CHECK int directory_read(const char *body, struct directory *ret,
	struct field_error *error);
/* What people may set (all but id, kind, tenant and times). Members of "ldap" and "oidc" that are not
 * given stay, with one exception: a secret does not follow to another server. Who changes url,
 * start_tls, issuer or ca gives it again, or it is refused. On error `directory` is as before. */
MUST_CHECK int directory_change(struct directory *directory, const json_t *changes,
	struct field_error *error);
/* Whether everything is there that its kind needs. */
MUST_CHECK int directory_check(const struct directory *directory,
	struct field_error *error);
/* `before`: the stored body whose unknown members stay, or NULL. The caller wipes and frees *ret. */
MUST_CHECK int directory_write(const struct directory *directory, const char *before,
	char **ret);
/* Without secrets: in their place "bind_password_set" and "client_secret_set". */
MUST_CHECK int directory_show(const struct directory *directory, char **ret);

/* Whether it may vouch for something of this tenant, now, for this use. */
int directory_serves(const struct directory *directory, const char *tenant,
	enum directory_use use);
/* Whether whoever has this address or name may come in: no domains are set, or it ends in one. */
int directory_permits_domain(const struct directory *directory, const char *name);

const char *directory_kind_name(int kind);

#endif
