#include "admission/admission_away.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission_cache.h"
#include "admission/admission_store.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/device_book.h"
#include "rules/host_binding.h"
#include "wire/hello.h"

/* ---- from the cache ---------------------------------------------------------------------- */

static int recall(struct admission_case *one)
{
	struct admission_cached *cached = secret_alloc(sizeof(*cached));
	if (!cached)
		return -REASON_NO_MEMORY;
	int r = admission_cache_get(one->cache, one->license_id, one->request.device,
		cached);
	if (r) {
		secret_free(cached, sizeof(*cached));
		return -REASON_STORE_UNAVAILABLE;
	}
	one->cached = cached;
	one->license = cached->license;
	one->tenant = cached->tenant;
	text_clip(one->host_name, sizeof(one->host_name), cached->host_name);
	return 0;
}

/* What these need is in the store alone. */
static int needs_the_store(const struct admission_case *one)
{
	return *one->license.directory || one->tenant.sessions_max || *one->request.join;
}

int admission_away_open(struct admission_case *one)
{
	if (!one->cache || one->request.side != HELLO_VIEWER || !*one->license_id)
		return 0;
	int r = admission_case_prove(one);
	if (r == 0)
		r = recall(one);
	if (r == 0) {
		one->trusted = license_has_secret(&one->license, one->request.secret);
		r = one->trusted ? admission_case_judge(one) : -REASON_LICENSE_UNKNOWN;
	}
	if (r == 0 && needs_the_store(one))
		r = -REASON_STORE_UNAVAILABLE;
	one->status = r;
	return r == 0;
}

/* A code is used up in the store, or not at all. Without one a session that was cut may go on, as ever. */
static int check_code(struct admission_case *one)
{
	int64_t proved_ms = one->cached->proved_ms;
	int64_t confirmed_ms = one->license.totp.confirmed_ms;
	if (!confirmed_ms)
		return 0;
	if (*one->request.totp || !proved_ms || proved_ms < confirmed_ms ||
		one->now_ms - proved_ms >= HOLDER_TOTP_REMEMBER_MS)
		return -REASON_STORE_UNAVAILABLE;
	one->resume_only = REASON_TOTP_NEEDED;
	return 0;
}

int admission_away_password(struct admission_case *one)
{
	struct lockout_limits limits = admission_case_limits(one);
	int locks, r = -REASON_PASSWORD_WRONG;
	/* Charged before it is looked at: lockout.h says why. */
	one->retry_ms = admission_cache_charge(one->cache, one->license.id, &limits,
		one->prefix, one->now_ms, &locks);
	if (one->retry_ms)
		return -REASON_LOCKED_OUT;
	if (*one->license.password)
		r = password_check(one->license.password, one->request.password);
	if (r == 0)
		r = check_code(one);
	if (r == 0)
		admission_cache_forgive(one->cache, one->license.id, &limits,
			one->prefix);
	else if (r != -REASON_PASSWORD_WRONG)
		admission_cache_give_back(one->cache, one->license.id, &limits,
			one->prefix);
	else if (locks)
		r = admission_case_audit_lock(one) ? -REASON_STORE_UNAVAILABLE : r;
	return r;
}

/* ---- into the cache ---------------------------------------------------------------------- */

int admission_away_credential(const struct license *license,
	uint8_t ret[static DIGEST_SIZE])
{
	struct {
		uint8_t secret_hash[DIGEST_SIZE], totp[TOTP_SECRET];
		char password[PASSWORD_RECORD], directory[DIRECTORY_ID_SIZE],
			user[DIRECTORY_USER_SIZE];
		int64_t confirmed_ms;
	} what;
	memset(&what, 0, sizeof(what));
	memcpy(what.secret_hash, license->secret_hash, sizeof(what.secret_hash));
	text_clip(what.password, sizeof(what.password), license->password);
	text_clip(what.directory, sizeof(what.directory), license->directory);
	text_clip(what.user, sizeof(what.user), license->directory_user);
	what.confirmed_ms = license->totp.confirmed_ms;
	if (what.confirmed_ms)
		memcpy(what.totp, license->totp.secret, sizeof(what.totp));
	int r = digest_sha256(&what, sizeof(what), ret);
	secret_wipe(&what, sizeof(what));
	return r;
}

static int check_credential(const struct admission_case *one)
{
	uint8_t now[DIGEST_SIZE];
	if (!one->request.recheck)
		return 0;
	int r = admission_away_credential(&one->license, now);
	if (r)
		return r;
	return secret_equal(now, one->request.credential, sizeof(now))
		       ? 0
		       : -REASON_PASSWORD_WRONG;
}

static int check_book(const struct admission_case *one, int64_t *ret_proved_ms)
{
	char *body;
	int r = admission_store_get(one->store, STATE_DEVICE, one->license.id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? -REASON_DEVICE_REVOKED : r;
	int is_in_it = device_book_has(body, one->device_id);
	*ret_proved_ms = device_book_proved_ms(body, one->device_id);
	free(body);
	return is_in_it ? 0 : -REASON_DEVICE_REVOKED;
}

static int read_host(const struct admission_case *one, struct admission_cached *cached)
{
	struct field_error error;
	struct host_binding *binding = calloc(1, sizeof(*binding));
	char *body = NULL;
	int r = binding ? admission_store_get(one->store, STATE_HOST, one->license.id,
				  &body)
			: -REASON_NO_MEMORY;
	if (r == 0)
		r = host_binding_read(body, binding, &error);
	if (r == 0) {
		memcpy(cached->host, binding->device, sizeof(cached->host));
		text_clip(cached->host_name, sizeof(cached->host_name), binding->name);
	}
	free(body);
	free(binding);
	return r;
}

static int read_tries(const struct admission_case *one, struct lockout_book *ret)
{
	char id[LOCKOUT_ID_SIZE], *body = NULL;
	int r = lockout_id(id, "license", one->license.id);
	if (r == 0)
		r = admission_store_get(one->store, STATE_ATTEMPTS, id, &body);
	if (r && r != -REASON_NOT_FOUND)
		return r;
	lockout_read(body, ret);
	free(body);
	return 0;
}

/* What cannot be read whole is not remembered; nobody is refused for that. */
static void remember(const struct admission_case *one, int64_t proved_ms)
{
	struct admission_cached *cached = secret_alloc(sizeof(*cached));
	struct lockout_book *tries = calloc(1, sizeof(*tries));
	if (cached && tries && read_host(one, cached) == 0 &&
		read_tries(one, tries) == 0) {
		cached->license = one->license;
		cached->tenant = one->tenant;
		cached->policy = one->policy_read;
		cached->proved_ms = proved_ms;
		admission_cache_put(one->cache, cached, one->request.device, tries);
	}
	free(tries);
	secret_free(cached, sizeof(*cached));
}

int admission_away_learn(struct admission_case *one)
{
	int64_t proved_ms = 0;
	if (!one->cache || one->request.side != HELLO_VIEWER)
		return 0;
	int r = check_credential(one);
	int book = r ? r : check_book(one, &proved_ms);
	if (r == 0 && one->request.recheck)
		r = book;
	if (book == 0)
		remember(one, proved_ms);
	return r;
}
