/* license: the document that stands for the right to join one host with one viewer at a time.
 *
 * JSON body (STATE_LICENSE, id = license id):
 *   "id" "lic_7k3qx09fa"   "tenant"   "holder"   "group"   "labels" {"k":"v"}   "note"
 *   "state" "enabled"|"disabled"   "expires_ms" (0: never)   "created_ms"   "changed_ms"
 *   "secret_hash"  SHA-256 of the key's 10 secret bytes, hex: the key itself is shown once
 *   "password"     record of rules/password.h
 *   "devices"      ids of the only viewer devices that may come in; none: any that the host knows
 *   "policy"       rules/policy.h, narrows the levels above
 *   "directory"    id: that directory checks the password instead of us, for its "directory_user"
 *   "totp"         rules/holder_totp.h: the holder needs one-time codes too
 * Members that are not known here are kept by license_write(): other versions may need them.
 *
 * Thread: any; pure: time is an argument. Errors: -REASON_BAD_VALUE and the field.
 */
#ifndef RULES_LICENSE_H
#define RULES_LICENSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "rules/digest.h"
#include "rules/directory.h"
#include "rules/field.h"
#include "rules/holder_totp.h"
#include "rules/password.h"

#define LICENSE_TENANT_SIZE 41
#define LICENSE_HOLDER_SIZE 257
#define LICENSE_GROUP_SIZE 65
#define LICENSE_NOTE_SIZE 513
#define LICENSE_LABELS 16
#define LICENSE_DEVICES 16
#define LICENSE_POLICY_SIZE 4097

enum license_state { LICENSE_ENABLED, LICENSE_DISABLED };

struct license_label {
	char name[33], value[129];
};

struct license {
	char id[LICENSE_KEY_ID_SIZE], tenant[LICENSE_TENANT_SIZE],
		holder[LICENSE_HOLDER_SIZE];
	char group[LICENSE_GROUP_SIZE], note[LICENSE_NOTE_SIZE];
	int state; /* enum license_state */
	int64_t expires_ms, created_ms, changed_ms;
	uint8_t secret_hash[DIGEST_SIZE];
	char password[PASSWORD_RECORD];
	char directory[DIRECTORY_ID_SIZE], directory_user[DIRECTORY_USER_SIZE];
	size_t label_count, device_count;
	struct license_label labels[LICENSE_LABELS];
	char devices[LICENSE_DEVICES][DIGEST_DEVICE_SIZE];
	char policy[LICENSE_POLICY_SIZE]; /* JSON object, or "" */
	struct holder_totp totp;
};

/* The whole document, every field checked. */
MUST_CHECK int license_read(const char *body, struct license *ret,
	struct field_error *error);
/* What people may set (holder, group, labels, note, state, expires, devices, policy, directory,
 * directory_user): takes over what `changes` has, and refuses every other member. "expires" may be a time as text. On error
 * `license` is as before. */
MUST_CHECK int license_change(struct license *license, const json_t *changes,
	struct field_error *error);
/* `before` is the stored body whose unknown members stay, or NULL. The caller frees *ret. */
MUST_CHECK int license_write(const struct license *license, const char *before,
	char **ret);
/* What may be shown: without secret_hash and password; "totp" is whether codes are asked for. */
MUST_CHECK int license_show(const struct license *license, char **ret);

/* A new key: id and secret (create), or only the secret (rotate). -REASON_NO_RANDOM. */
MUST_CHECK int license_issue(struct license *license, struct license_key *ret_key);
MUST_CHECK int license_rotate(struct license *license, struct license_key *ret_key);

/* Constant time. */
int license_has_secret(const struct license *license,
	const uint8_t secret[static LICENSE_KEY_SECRET]);
/* 0, -REASON_LICENSE_DISABLED, -REASON_LICENSE_EXPIRED. */
MUST_CHECK int license_admit(const struct license *license, int64_t now_ms);
int license_permits_device(const struct license *license, const char *device);

#endif
