/* admission_case: one end at the door, from its request to its verdict, and the steps it goes through.
 *
 *   open      quick threads: proof, license, secret, state; a host: its binding
 *   password  scrypt threads: viewers only, and strangers who say they are; or the threads of the
 *             directories, when the license says that one knows its holder's password
 *   close     quick threads: policy and devices of a viewer, the login row
 *   review    quick threads, for a viewer that is in already: license and policy as they are now
 *
 * Thread: one at a time, whichever pool has it; all of them may block on the store. Owner: the pool
 * that has it. Steps set `status` and return; a refusal is no error of the code.
 */
#ifndef ADMISSION_ADMISSION_CASE_H
#define ADMISSION_ADMISSION_CASE_H

#include <stdint.h>

#include "admission/admission.h"
#include "admission/admission_pool.h"
#include "base/license_key.h"
#include "base/post.h"
#include "directory/directories.h"
#include "rules/digest.h"
#include "rules/ip_rule.h"
#include "rules/license.h"
#include "rules/lockout.h"
#include "rules/policy.h"
#include "rules/tenant.h"

struct admission_cache;
struct admission_cached;

struct admission_case {
	struct admission_task task;   /* first */
	struct directory_task errand; /* the same, on its way to a directory */
	struct post_item item;        /* the verdict on its way */
	uint32_t magic;
	struct admission *admission;
	struct store *store;
	struct directories *directories;
	const char *node;
	struct admission_settings settings;
	struct admission_cache *cache; /* NULL: nobody comes in while the store is away */
	struct admission_request request;
	struct post_box *box;
	admission_done done;
	void *ctx;

	int64_t now_ms;
	char public_id[LICENSE_KEY_PUBLIC_SIZE], license_id[LICENSE_KEY_ID_SIZE];
	char device_id[DIGEST_DEVICE_SIZE], prefix[IP_RULE_TEXT];
	int trusted; /* the secret is right: what is known may be told */
	int new_device;
	int64_t proved_ms;   /* a one-time code was good just now; 0: none was shown */
	int64_t devices_max; /* as the policy says */
	int resume_only;     /* as in the verdict */
	struct policy policy_read;       /* as the levels of the policy say together */
	struct admission_cached *cached; /* it comes in by this, the store is away */
	int joined; /* another node has seen password and code: a join token says so */
	struct license license;
	struct tenant tenant;
	char host_name[129], detail[257];
	char *policy;
	int status;
	int64_t retry_ms;
};

/* Up to the password. Who has to look at one; nobody: `status` is the verdict. */
enum admission_case_next {
	ADMISSION_CASE_NOBODY,
	ADMISSION_CASE_WE,
	ADMISSION_CASE_DIRECTORY
};
enum admission_case_next admission_case_open(struct admission_case *one);
void admission_case_password(struct admission_case *one);
void admission_case_close(struct admission_case *one);
void admission_case_review(struct admission_case *one);
/* Steps that admission_away.h goes too. */
MUST_CHECK int admission_case_prove(const struct admission_case *one);
MUST_CHECK int admission_case_judge(const struct admission_case *one);
MUST_CHECK int admission_case_audit_lock(const struct admission_case *one);
/* Tries per license. */
struct lockout_limits admission_case_limits(const struct admission_case *one);
/* The row of a verdict that nobody waits for: too many were waiting. */
void admission_case_record_busy(struct admission_case *one);

#endif
