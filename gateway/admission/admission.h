/* admission: decides, off the workers, whether an end may come in: license, device proof, lockout,
 * password, hours, address. The relay asks and waits for the answer; it never sees a password hash.
 * The password of a license that names a directory is asked there instead.
 *
 * Thread: admission_check() from any worker, never blocks; the verdict runs on the thread of `box`.
 * Work is done by admission's own threads (one pool for what is quick, one of two threads for
 * scrypt: queue 32, beyond that -REASON_BUSY) and on those of the directories.
 * Every verdict on a viewer or a host, good or bad, is a login row in the journal before it is given.
 * Owner: the request is copied (its secrets are wiped after use); the verdict lives until the
 * callback returns. An unknown license costs the same time as a wrong password.
 */
#ifndef ADMISSION_ADMISSION_H
#define ADMISSION_ADMISSION_H

#include <stdint.h>

#include "base/check.h"
#include "base/post.h"

struct admission;
struct directories;
struct store;

#define ADMISSION_POLICY_MAX 4096

struct admission_request {
	int side;         /* enum hello_side */
	char license[17]; /* "lic_…" */
	uint8_t device[32], nonce[32], exporter[32], signature[64], secret[10];
	char password[257], totp[17];
	char join[129]; /* one-time token of a redirect (rules/join.h), or "" */
	char kind[17], program[65], name[129], address[64];
	int enrol;
	char inventory[8193]; /* JSON object or "" */
	/* Of a review: it was let in from the cache, by this (as in the verdict). */
	int recheck;
	uint8_t credential[32];
};

struct admission_verdict {
	int status; /* 0 or -REASON_* */
	int64_t retry_ms;
	const char *detail;
	const char *license, *tenant, *holder, *tenant_name, *host_name;
	const char *policy; /* JSON object: what the company permits, for OPEN */
	int64_t expires_ms; /* of the license, 0: never; a session ends then */
	/* 0, or it may only go on with a session that was cut; a new one is refused with this reason. */
	int resume_only;
	/* Not NULL: the store is away, and it is let in by what was known before. It may go to no other host than this
	 * device, at this node, and is to be looked at again by `credential` (admission_review) when the store is
	 * back. 32 bytes each. */
	const uint8_t *cached_host, *credential;
};

typedef void (*admission_done)(void *ctx, const struct admission_verdict *verdict);

struct admission_settings {
	int64_t lockout_failures; /* per license and address prefix (5) */
	int64_t lockout_ms;       /* (15 min) */
	int64_t address_failures; /* per address prefix in 10 min, whatever license (20) */
	int64_t cache_ms; /* how long viewers are let in from the cache when the store is away; 0: never. Cannot be set later */
};

/* `node` is the name that proofs must carry. `directories` is borrowed; NULL: there are none. */
MUST_CHECK int admission_new(struct store *store, struct directories *directories,
	const char *node, const struct admission_settings *settings,
	struct admission **ret);
void admission_check(struct admission *admission, const struct admission_request *request,
	struct post_box *box, admission_done done, void *ctx);
/* A viewer that was let in before is looked at again: license, company, policy, kind, address, device and hours as
 * they are now. `request` has side, license, device, kind and address; no proof, no secret, no row. */
void admission_review(struct admission *admission,
	const struct admission_request *request, struct post_box *box,
	admission_done done, void *ctx);
/* Something was ordered about this license or company ("": any): what is known of it is not used while the store is
 * away. Any thread. */
void admission_spoil(struct admission *admission, const char *license,
	const char *tenant);
/* New settings for the checks that start from now on. */
void admission_set(struct admission *admission,
	const struct admission_settings *settings);
/* Waits for the checks under way. Accepts NULL, returns NULL. */
struct admission *admission_free(struct admission *admission);

#endif
