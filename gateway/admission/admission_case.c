#include "admission/admission_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission_away.h"
#include "admission/admission_cache.h"
#include "admission/admission_join.h"
#include "admission/admission_policy.h"
#include "admission/admission_store.h"
#include "admission/admission_totp.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/device_book.h"
#include "rules/host_binding.h"
#include "rules/host_inventory.h"
#include "rules/policy.h"
#include "store/store_wait.h"
#include "wire/hello.h"
#include "wire/proof.h"

#define WHOLE_LICENSE_FAILURES 20
#define ADDRESS_WINDOW_MS (10 * 60 * 1000)

struct lockout_limits admission_case_limits(const struct admission_case *one)
{
	const struct admission_settings *settings = &one->settings;
	return (struct lockout_limits){settings->lockout_failures, WHOLE_LICENSE_FAILURES,
		settings->lockout_ms, settings->lockout_ms};
}

static struct admission_tries tries_of_license(const struct admission_case *one)
{
	return (struct admission_tries){"license", one->license.id, one->license.tenant,
		one->prefix, admission_case_limits(one), one->now_ms};
}

static struct admission_tries tries_of_address(const struct admission_case *one)
{
	const struct admission_settings *settings = &one->settings;
	return (struct admission_tries){"address", one->prefix, "", one->prefix,
		{settings->address_failures, 0, settings->lockout_ms, ADDRESS_WINDOW_MS},
		one->now_ms};
}

static void set_detail(struct admission_case *one, const char *text)
{
	text_clip(one->detail, sizeof(one->detail), text);
}

/* What strangers say of themselves is shown to people and stored: only plain text of it. */
static void make_plain(struct admission_case *one)
{
	struct admission_request *request = &one->request;
	char text[129];
	field_plain(text, sizeof(request->name), request->name);
	memcpy(request->name, text, sizeof(request->name));
	field_plain(text, sizeof(request->program), request->program);
	memcpy(request->program, text, sizeof(request->program));
	field_plain(text, sizeof(request->kind), request->kind);
	memcpy(request->kind, text, sizeof(request->kind));
	field_plain(text, sizeof(request->address), request->address);
	memcpy(request->address, text, sizeof(request->address));
}

/* The clock, the device's id, where it comes from: what every row needs, refused or not. */
static int prepare(struct admission_case *one)
{
	one->now_ms = clock_wall_ms();
	make_plain(one);
	ip_rule_prefix(one->request.address, one->prefix);
	int r = digest_device(one->request.device, one->device_id);
	if (r)
		return r;
	if (license_key_id_parse(one->request.license, one->public_id))
		return -REASON_LICENSE_UNKNOWN;
	license_key_id(one->public_id, one->license_id);
	return 0;
}

static int check_address(struct admission_case *one)
{
	struct admission_tries tries = tries_of_address(one);
	int r = admission_store_wait(one->store, &tries, &one->retry_ms);
	return r ? r : one->retry_ms ? -REASON_THROTTLED : 0;
}

int admission_case_prove(const struct admission_case *one)
{
	const struct admission_request *request = &one->request;
	uint8_t bytes[PROOF_BYTES_MAX];
	size_t len;
	struct proof proof = {.nonce = request->nonce,
		.side = request->side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.license = one->public_id,
		.node = one->node,
		.exporter = request->exporter};
	int r = proof_bytes(&proof, bytes, &len);
	return r ? r : digest_verify(request->device, bytes, len, request->signature);
}

/* -REASON_LICENSE_UNKNOWN: there is none, or the secret is not its secret; nobody learns which. */
static int load_license(struct admission_case *one)
{
	struct field_error error;
	char *body;
	int r = admission_store_get(one->store, STATE_LICENSE, one->license_id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? -REASON_LICENSE_UNKNOWN : r;
	r = license_read(body, &one->license, &error);
	free(body);
	if (r)
		return -REASON_STATE_DAMAGED;
	one->trusted = license_has_secret(&one->license, one->request.secret);
	return one->trusted ? 0 : -REASON_LICENSE_UNKNOWN;
}

static int load_tenant(struct admission_case *one)
{
	struct field_error error;
	char *body;
	if (!*one->license.tenant)
		return 0;
	int r = admission_store_get(one->store, STATE_TENANT, one->license.tenant, &body);
	if (r == -REASON_NOT_FOUND)
		return -REASON_TENANT_DISABLED;
	if (r)
		return r;
	r = tenant_read(body, &one->tenant, &error);
	free(body);
	return r ? -REASON_STATE_DAMAGED : 0;
}

int admission_case_judge(const struct admission_case *one)
{
	if (one->tenant.state != TENANT_ENABLED)
		return -REASON_TENANT_DISABLED;
	return license_admit(&one->license, one->now_ms);
}

static int check_license(struct admission_case *one)
{
	int r = load_tenant(one);
	return r ? r : admission_case_judge(one);
}

struct binding_change {
	struct admission_case *one;
	char *inventory;
	int recorded;
};

/* Recorded before it is done: what cannot be recorded is not done. */
static int record_binding(struct binding_change *change, const char *before)
{
	const struct admission_case *one = change->one;
	json_t *fields = json_pack("{s:s, s:s, s:s, s:s*}", "license", one->license.id,
		"device", one->device_id, "name", one->request.name, "before", before);
	int r = admission_store_audit(one->store,
		before ? AUDIT_HOST_REBOUND : AUDIT_HOST_BOUND, one->license.tenant,
		one->license.id, "host", one->request.address, fields);
	change->recorded = r == 0;
	return r;
}

static int fill_binding(const struct binding_change *change, struct host_binding *binding)
{
	const struct admission_case *one = change->one;
	const struct admission_request *request = &one->request;
	memcpy(binding->device, request->device, sizeof(binding->device));
	memcpy(binding->device_id, one->device_id, sizeof(binding->device_id));
	memcpy(binding->name, request->name, sizeof(binding->name));
	memcpy(binding->program, request->program, sizeof(binding->program));
	memcpy(binding->address, request->address, sizeof(binding->address));
	binding->seen_ms = one->now_ms;
	/* A host that says nothing this time keeps what it said before. */
	if (*request->inventory && text_copy(binding->inventory,
					   sizeof(binding->inventory), change->inventory))
		return -REASON_BAD_MESSAGE;
	return 0;
}

/* The new document of the host, if this device may be it. */
static int bind_host(void *ctx, const char *body, char **ret_body)
{
	struct binding_change *change = ctx;
	const struct admission_request *request = &change->one->request;
	struct field_error error;
	struct host_binding binding = {0};
	int r = 0;
	if (body && host_binding_read(body, &binding, &error))
		return -REASON_STATE_DAMAGED;
	int same = body &&
		   secret_equal(binding.device, request->device, sizeof(binding.device));
	if (!same && !request->enrol)
		return -REASON_HOST_NOT_BOUND;
	if (!same && !change->recorded)
		r = record_binding(change, body ? binding.device_id : NULL);
	if (!same)
		binding = (struct host_binding){.bound_ms = change->one->now_ms};
	if (r == 0)
		r = fill_binding(change, &binding);
	return r ? r : host_binding_write(&binding, ret_body);
}

static int admit_host(struct admission_case *one)
{
	struct binding_change change = {.one = one};
	int r = host_inventory_clean(one->request.inventory, &change.inventory);
	if (r)
		return r;
	r = admission_store_update(one->store, STATE_HOST, one->license.id,
		one->license.tenant, bind_host, &change);
	free(change.inventory);
	text_clip(one->host_name, sizeof(one->host_name), one->request.name);
	return r;
}

/* Locked already: said at once, without a place in the queue for scrypt. */
static int check_lock(struct admission_case *one)
{
	struct admission_tries tries = tries_of_license(one);
	int r = admission_store_wait(one->store, &tries, &one->retry_ms);
	return r ? r : one->retry_ms ? -REASON_LOCKED_OUT : 0;
}

static int needs_password(const struct admission_case *one)
{
	/* Strangers go the same way, so that they learn nothing from the time. */
	return one->request.side == HELLO_VIEWER && !one->joined &&
	       (one->status == 0 || one->status == -REASON_LICENSE_UNKNOWN) &&
	       *one->license_id;
}

/* A host guesses secrets of 80 bits, but each guess is counted against its address. */
static void charge_stranger(struct admission_case *one)
{
	struct admission_tries tries = tries_of_address(one);
	int64_t wait_ms;
	int locks, r = admission_store_charge(one->store, &tries, &wait_ms, &locks);
	if (r)
		one->status = r;
}

enum admission_case_next admission_case_open(struct admission_case *one)
{
	int r = prepare(one);
	if (r == 0)
		r = check_address(one);
	if (r == 0)
		r = admission_case_prove(one);
	if (r == 0)
		r = load_license(one);
	if (r == 0)
		r = check_license(one);
	if (r == 0)
		r = one->request.side == HELLO_HOST ? admit_host(one) : check_lock(one);
	if (r == 0 && one->request.side == HELLO_VIEWER && *one->request.join)
		r = admission_join_take(one);
	one->status = r;
	if (r == -REASON_STORE_UNAVAILABLE)
		return admission_away_open(one) ? ADMISSION_CASE_WE
						: ADMISSION_CASE_NOBODY;
	if (needs_password(one))
		return one->trusted && *one->license.directory ? ADMISSION_CASE_DIRECTORY
							       : ADMISSION_CASE_WE;
	if (r == -REASON_LICENSE_UNKNOWN || r == -REASON_JOIN_SPENT)
		charge_stranger(one);
	return ADMISSION_CASE_NOBODY;
}

static int charge_license(struct admission_case *one, int *ret_locks)
{
	struct admission_tries license = tries_of_license(one);
	*ret_locks = 0;
	if (!one->trusted)
		return 0;
	int r = admission_store_charge(one->store, &license, &one->retry_ms, ret_locks);
	return r ? r : one->retry_ms ? -REASON_LOCKED_OUT : 0;
}

static int charge_both(struct admission_case *one, int *ret_locks)
{
	struct admission_tries address = tries_of_address(one),
			       license = tries_of_license(one);
	int locks, r = charge_license(one, ret_locks);
	if (r)
		return r;
	r = admission_store_charge(one->store, &address, &one->retry_ms, &locks);
	if (r || !one->retry_ms)
		return r;
	/* The password will not be looked at, so it was no try. */
	if (one->trusted)
		r = admission_store_undo(one->store, &license, ADMISSION_GIVE_BACK);
	return r ? r : -REASON_THROTTLED;
}

static int forgive_both(struct admission_case *one)
{
	struct admission_tries address = tries_of_address(one),
			       license = tries_of_license(one);
	int r = admission_store_undo(one->store, &license, ADMISSION_FORGIVE);
	/* Others behind the same address may be guessing: only our own try is given back. */
	return r ? r : admission_store_undo(one->store, &address, ADMISSION_GIVE_BACK);
}

static int give_back_both(struct admission_case *one, int verdict)
{
	struct admission_tries address = tries_of_address(one),
			       license = tries_of_license(one);
	int r = admission_store_undo(one->store, &license, ADMISSION_GIVE_BACK);
	if (r == 0)
		r = admission_store_undo(one->store, &address, ADMISSION_GIVE_BACK);
	return r ? r : verdict;
}

int admission_case_audit_lock(const struct admission_case *one)
{
	return admission_store_audit(one->store, AUDIT_LICENSE_LOCKED,
		one->license.tenant, one->license.id, "viewer", one->request.address,
		json_pack("{s:s, s:s, s:I}", "license", one->license.id, "prefix",
			one->prefix, "until_ms",
			(json_int_t)(one->now_ms + one->settings.lockout_ms)));
}

static int ask_directory(struct admission_case *one)
{
	const struct license *license = &one->license;
	const struct directories_password asked = {license->directory, license->tenant,
		license->directory_user, one->request.password, DIRECTORY_HOLDERS};
	return one->directories ? directories_ask_password(one->directories, &asked)
				: -REASON_DIRECTORY_UNREACHABLE;
}

static int look_at_password(struct admission_case *one)
{
	if (one->trusted && *one->license.directory)
		return ask_directory(one);
	if (one->trusted && *one->license.password)
		return password_check(one->license.password, one->request.password);
	password_spend(one->request.password);
	return one->trusted ? -REASON_PASSWORD_WRONG : -REASON_LICENSE_UNKNOWN;
}

static int check_password(struct admission_case *one)
{
	int locks;
	/* Charged before it is looked at: lockout.h says why. */
	int r = charge_both(one, &locks);
	if (r)
		return r;
	r = look_at_password(one);
	if (r == 0)
		r = admission_totp_check(one);
	if (r == 0)
		return forgive_both(one);
	if (r == -REASON_PASSWORD_WRONG || r == -REASON_LICENSE_UNKNOWN ||
		r == -REASON_TOTP_WRONG) {
		int audited = locks ? admission_case_audit_lock(one) : 0;
		return audited ? audited : r;
	}
	/* Nobody has looked at the password, or it was right and no code was tried: nothing to count,
	 * nothing to forgive. */
	return give_back_both(one, r);
}

void admission_case_password(struct admission_case *one)
{
	/* It may have waited; a lock is counted from now. */
	one->now_ms = clock_wall_ms();
	one->status = one->cached ? admission_away_password(one) : check_password(one);
}

static int record_device(const struct admission_case *one)
{
	return admission_store_audit(one->store, AUDIT_DEVICE_NEW, one->license.tenant,
		one->license.id, "viewer", one->request.address,
		json_pack("{s:s, s:s, s:s, s:s}", "license", one->license.id, "device",
			one->device_id, "name", one->request.name, "kind",
			one->request.kind));
}

/* A new device is recorded before the book knows it: else it would never be new again. */
static int see_device(void *ctx, const char *body, char **ret_body)
{
	struct admission_case *one = ctx;
	const struct admission_request *request = &one->request;
	int recorded = one->new_device;
	int r = device_book_see(body,
		&(struct device_sighting){one->device_id, request->name, request->kind,
			request->program, request->address, one->now_ms, one->proved_ms,
			one->devices_max},
		ret_body, &one->new_device);
	if (r == 0 && one->new_device && !recorded)
		r = record_device(one);
	return r;
}

static int remember_device(struct admission_case *one)
{
	return admission_store_update(one->store, STATE_DEVICE, one->license.id,
		one->license.tenant, see_device, one);
}

static int load_host_name(struct admission_case *one)
{
	struct field_error error;
	struct host_binding binding;
	char *body;
	int r = admission_store_get(one->store, STATE_HOST, one->license.id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? 0 : r;
	if (host_binding_read(body, &binding, &error) == 0)
		memcpy(one->host_name, binding.name, sizeof(one->host_name));
	free(body);
	return 0;
}

static int apply_policy(struct admission_case *one)
{
	struct policy policy;
	int viewer = one->request.side == HELLO_VIEWER, r = 0;
	if (one->cached)
		policy = one->cached->policy;
	else
		r = admission_policy_load(one->store, &one->license, &policy);
	if (r)
		return r;
	one->policy_read = policy;
	if (viewer && !license_permits_device(&one->license, one->device_id)) {
		set_detail(one, "this device is not on the list of the license");
		return -REASON_POLICY;
	}
	one->devices_max = policy.devices_max;
	policy.tenant_rate_max_bytes = one->tenant.rate_max_bytes;
	if (viewer)
		r = policy_admit(&policy, one->request.kind, one->request.address,
			one->now_ms);
	if (r == 0 && viewer && one->tenant.sessions_max)
		r = admission_store_room(one->store, one->license.tenant, one->license.id,
			one->tenant.sessions_max);
	return r ? r : policy_print_open(&policy, one->now_ms, &one->policy);
}

static int write_login(struct admission_case *one, char **ret)
{
	const struct admission_request *request = &one->request;
	json_t *body =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}",
			"result", one->status ? "refused" : "ok", "side",
			hello_side_name(request->side), "reason",
			one->status ? reason_symbol(one->status) : "", "license",
			one->license_id, "holder", one->license.holder, "device",
			one->device_id, "name", request->name, "address",
			request->address, "program", request->program, "kind",
			request->kind, "new_device", one->new_device, "joined",
			one->joined);
	if (!body)
		return -REASON_NO_MEMORY;
	if (one->cached)
		json_object_set_new(body, "cached", json_true());
	int r = field_print(body, ret);
	json_decref(body);
	return r;
}

static struct journal_row login_row(const struct admission_case *one, const char *body)
{
	return (struct journal_row){.kind = JOURNAL_LOGIN,
		.tenant = one->license.tenant,
		.license = one->license_id,
		.at_ms = one->now_ms,
		.body = body};
}

void admission_case_close(struct admission_case *one)
{
	char *body;
	if (one->status == 0)
		one->status = apply_policy(one);
	int is_new = one->request.side == HELLO_VIEWER && !one->cached;
	if (one->status == 0 && is_new)
		one->status = remember_device(one);
	if (one->status == 0 && is_new)
		one->status = load_host_name(one);
	int r = write_login(one, &body);
	if (r == 0) {
		struct journal_row row = login_row(one, body);
		r = store_wait_append(one->store->journal, &row, 1);
		free(body);
	}
	/* Nobody comes in without a record. A refusal stays what it was. */
	if (r && one->status == 0)
		one->status = r;
	if (one->status == 0 && is_new)
		one->status = admission_away_learn(one);
}

/* Nobody comes in here: whoever is in is looked at again. */
void admission_case_review(struct admission_case *one)
{
	struct field_error error;
	char *body = NULL;
	int r = prepare(one);
	if (r == 0)
		r = admission_store_get(one->store, STATE_LICENSE, one->license_id,
			&body);
	if (r == -REASON_NOT_FOUND)
		r = -REASON_LICENSE_UNKNOWN;
	if (r == 0 && license_read(body, &one->license, &error))
		r = -REASON_STATE_DAMAGED;
	free(body);
	if (r == 0)
		r = check_license(one);
	if (r == 0)
		r = apply_policy(one);
	/* Whom another node let in is not known here. */
	if (r == 0 && one->cache &&
		(one->request.recheck || admission_cache_knows(one->cache,
						 one->license_id, one->request.device)))
		r = admission_away_learn(one);
	one->trusted = r == 0;
	one->status = r;
}

void admission_case_record_busy(struct admission_case *one)
{
	char *body;
	/* What can be said without the store; the row is written when there is time. */
	int r = prepare(one);
	one->status = -REASON_BUSY;
	if ((r && r != -REASON_LICENSE_UNKNOWN) || write_login(one, &body))
		return;
	struct journal_row row = login_row(one, body);
	journal_append(one->store->journal, &row, 1, NULL, NULL, NULL);
	free(body);
}
