/* directories: all LDAP servers and OIDC providers of the gateway, asked with manners: each only as often
 * as it answers, never more at once than it has room for, and nobody waits for one that is away.
 *
 * A directory that did not answer three times in a row is left alone for a while; then one try at a time
 * finds out whether it is back. Changing its document makes a new start.
 * Thread: directories_put() from any, never blocks. All others may block for the limits of a directory,
 * so they are for office threads (of which only a few at once wait, else -REASON_BUSY) and for tasks.
 * Owner: gateway.c; borrows the store.
 * Errors: -REASON_DIRECTORY_REFUSED: there is no such directory for this use; those of ldap_bind.h and
 * oidc_flow.h; those of the store.
 */
#ifndef DIRECTORY_DIRECTORIES_H
#define DIRECTORY_DIRECTORIES_H

#include <stdint.h>

#include "base/check.h"
#include "directory/breaker.h"
#include "directory/directory_pool.h"
#include "directory/ldap_bind.h"
#include "directory/oidc_flow.h"
#include "rules/directory.h"

struct directories;
struct store;

struct directories_settings {
	struct ldap_bind_limits limits;
	struct breaker_limits breaker;
};

/* Once, before there are threads. */
void directories_init(void);
MUST_CHECK int directories_new(struct store *store, const uint8_t master[static 32],
	const struct directories_settings *settings, struct directories **ret);
/* Waits for the tasks under way. Accepts NULL, returns NULL. */
struct directories *directories_free(struct directories *directories);

/* The document, whatever its state. -REASON_NOT_FOUND, -REASON_STATE_DAMAGED. The caller wipes it. */
MUST_CHECK int directories_load(struct directories *directories, const char *id,
	struct directory *ret);

/* Where tasks may use directories_ask_password() only. -REASON_BUSY. */
MUST_CHECK int directories_put(struct directories *directories,
	struct directory_task *task);
/* Whose password is it? For something of `tenant`. */
struct directories_password {
	const char *directory, *tenant, *user, *password;
	enum directory_use use;
};
MUST_CHECK int directories_ask_password(struct directories *directories,
	const struct directories_password *asked);

/* For office threads. `detail` is for administrators and logs. */
MUST_CHECK int directories_password(struct directories *directories,
	const struct directories_password *asked, char detail[static FETCH_DETAIL]);
MUST_CHECK int directories_begin(struct directories *directories,
	const struct directory *directory, const char *back, char **ret_url,
	char ret_cookie[static OIDC_VISIT_SIZE], char detail[static FETCH_DETAIL]);
MUST_CHECK int directories_finish(struct directories *directories,
	const struct directory *directory, const struct oidc_flow_answer *answer,
	struct oidc_flow_person *ret, char detail[static FETCH_DETAIL]);
/* The provider has vouched for this account, but its one-time code is missing: a cookie that says so, and
 * whom it speaks of. -REASON_DIRECTORY_REFUSED. */
MUST_CHECK int directories_vouch(struct directories *directories, const char *directory,
	const char *account, char ret_cookie[static OIDC_VISIT_SIZE]);
MUST_CHECK int directories_vouched(struct directories *directories, const char *directory,
	const char *cookie, char ret_account[static 65]);
/* Whether it is there and well set up, asked whatever happened before. With a `user` (else NULL), also
 * whether the password is his, for LDAP. */
MUST_CHECK int directories_test(struct directories *directories,
	const struct directory *directory, const char *user, const char *password,
	char detail[static FETCH_DETAIL]);

#endif
