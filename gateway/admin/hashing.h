/* hashing: passwords of people of the administration are hashed here, a few at a time.
 *
 * scrypt takes 32 MiB and 0.3 s. Two run at once (admin->scrypts); of the office's threads so many
 * hash or wait that others are left for everything else, and whoever comes then is BUSY: a flood of
 * sign-ins costs a fixed amount and stops nobody who is signed in.
 * Thread: office threads; blocks. Errors: -REASON_BUSY and those of rules/password.h; not answered.
 */
#ifndef ADMIN_HASHING_H
#define ADMIN_HASHING_H

#include "admin/call.h"
#include "rules/password.h"

/* A place for one answer's hashes; -REASON_BUSY. Asked for before a try is charged. */
MUST_CHECK int hashing_begin(struct call *call);
void hashing_end(struct call *call);

/* Between the two. `record` NULL or "": there is none, and it takes the same time to say so. */
MUST_CHECK int hashing_check(struct call *call, const char *record, const char *password);
MUST_CHECK int hashing_make(struct call *call, const char *password,
	char ret[static PASSWORD_RECORD]);

#endif
