#include "rules/license.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/document.h"
#include "rules/policy.h"

static const char *const states[] = {"enabled", "disabled", NULL};

static int read_id(const json_t *object, struct license *license,
	struct field_error *error)
{
	char text[32], public_id[LICENSE_KEY_PUBLIC_SIZE];
	int r = field_text(object, "id", FIELD_NEED, text, sizeof(text), error);
	if (r)
		return r;
	if (license_key_id_parse(text, public_id))
		return field_fail(error, "id", "lic_ and nine characters are expected");
	license_key_id(public_id, license->id);
	return 0;
}

static int is_label_name(const char *name)
{
	size_t len = strlen(name);
	if (!len || len > 32 || !field_is_plain(name))
		return 0;
	/* Beyond ASCII every letter is one: people label in their own language. */
	for (; *name; name++)
		if ((unsigned char)*name < 0x80 && !isalnum((unsigned char)*name) &&
			!strchr("-_.", *name))
			return 0;
	return 1;
}

static int read_labels(const json_t *object, struct license *license,
	struct field_error *error)
{
	const json_t *labels = json_object_get(object, "labels");
	const char *name;
	json_t *value;
	size_t count = 0;
	if (!labels || json_is_null(labels))
		return 0;
	if (!json_is_object(labels) || json_object_size(labels) > LICENSE_LABELS)
		return field_fail(error, "labels",
			"an object of at most %d labels is expected", LICENSE_LABELS);
	json_object_foreach((json_t *)labels, name, value)
	{
		struct license_label *label = &license->labels[count++];
		if (!is_label_name(name))
			return field_fail(error, "labels",
				"\"%.40s\": names are letters, digits, - _ . of at most "
				"32 bytes",
				name);
		CHECK(text_copy(label->name, sizeof(label->name), name) == 0);
		label->value[0] = 0;
		int r = field_text(labels, name, FIELD_MAY, label->value,
			sizeof(label->value), error);
		if (r)
			return r;
	}
	license->label_count = count;
	return 0;
}

static int is_device(const char *text)
{
	return text && strlen(text) == DIGEST_DEVICE_SIZE - 1 &&
	       strncmp(text, "dev_", 4) == 0 &&
	       strspn(text + 4, "0123456789abcdef") == 16;
}

static int read_devices(const json_t *object, struct license *license,
	struct field_error *error)
{
	const json_t *devices = json_object_get(object, "devices"), *item;
	size_t i;
	if (!devices || json_is_null(devices))
		return 0;
	if (!json_is_array(devices) || json_array_size(devices) > LICENSE_DEVICES)
		return field_fail(error, "devices",
			"a list of at most %d devices is expected", LICENSE_DEVICES);
	json_array_foreach(devices, i, item)
	{
		if (!is_device(json_string_value(item)))
			return field_fail(error, "devices",
				"dev_ and 16 hex digits are expected");
		memcpy(license->devices[i], json_string_value(item), DIGEST_DEVICE_SIZE);
	}
	license->device_count = json_array_size(devices);
	return 0;
}

static int read_policy(const json_t *object, struct license *license,
	struct field_error *error)
{
	const json_t *member = json_object_get(object, "policy");
	struct policy policy;
	char *text;
	if (!member)
		return 0;
	if (json_is_null(member)) {
		license->policy[0] = 0;
		return 0;
	}
	int r = policy_read(member, &policy, error);
	if (r == 0)
		r = field_print(member, &text);
	if (r)
		return r;
	r = text_copy(license->policy, sizeof(license->policy), text);
	free(text);
	return r ? field_fail(error, "policy", "longer than %d bytes",
			   LICENSE_POLICY_SIZE - 1)
		 : 0;
}

static int read_directory(const json_t *object, struct license *license,
	struct field_error *error)
{
	int r = field_text(object, "directory", FIELD_MAY, license->directory,
		sizeof(license->directory), error);
	if (r == 0 && *license->directory && !directory_id_good(license->directory))
		r = field_fail(error, "directory", "the id of a directory is expected");
	if (r == 0)
		r = field_text(object, "directory_user", FIELD_MAY,
			license->directory_user, sizeof(license->directory_user), error);
	if (r == 0 && *license->directory &&
		!directory_user_good(license->directory_user))
		r = field_fail(error, "directory_user",
			"the holder's name in the directory is needed");
	return r;
}

/* What people may set, and what only we write alike. */
static int read_open_fields(const json_t *object, struct license *license,
	struct field_error *error)
{
	int r = field_text(object, "holder", FIELD_MAY, license->holder,
		sizeof(license->holder), error);
	if (r == 0)
		r = field_text(object, "group", FIELD_MAY, license->group,
			sizeof(license->group), error);
	if (r == 0)
		r = field_text(object, "note", FIELD_MAY, license->note,
			sizeof(license->note), error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &license->state,
			error);
	if (r == 0)
		r = field_time(object, "expires_ms", &license->expires_ms, error);
	if (r == 0)
		r = read_labels(object, license, error);
	if (r == 0)
		r = read_devices(object, license, error);
	if (r == 0)
		r = read_policy(object, license, error);
	if (r == 0)
		r = read_directory(object, license, error);
	return r;
}

static int read_password(const json_t *object, struct license *license,
	struct field_error *error)
{
	int r = field_text(object, "password", FIELD_MAY, license->password,
		sizeof(license->password), error);
	if (r == 0 && *license->password && password_record_check(license->password))
		r = field_fail(error, "password", "is not a password record");
	return r;
}

static int read_all(const json_t *object, struct license *license,
	struct field_error *error)
{
	int r = read_id(object, license, error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, license->tenant,
			sizeof(license->tenant), error);
	if (r == 0)
		r = field_time(object, "created_ms", &license->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &license->changed_ms, error);
	if (r == 0)
		r = field_hex(object, "secret_hash", FIELD_NEED, license->secret_hash,
			DIGEST_SIZE, error);
	if (r == 0)
		r = read_password(object, license, error);
	if (r == 0)
		r = holder_totp_read(object, &license->totp, error);
	if (r == 0)
		r = read_open_fields(object, license, error);
	return r;
}

int license_read(const char *body, struct license *ret, struct field_error *error)
{
	struct license license = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &license, error);
	json_decref(object);
	if (r == 0)
		*ret = license;
	return r;
}

int license_change(struct license *license, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {"holder", "group", "labels", "note", "state",
		"expires", "expires_ms", "devices", "policy", "directory",
		"directory_user", NULL};
	struct license changed = *license;
	if (!json_is_object(changes))
		return field_fail(error, "", "a JSON object is expected");
	int r = field_known(changes, known, error);
	if (r == 0)
		r = read_open_fields(changes, &changed, error);
	if (r == 0)
		r = field_time(changes, "expires", &changed.expires_ms, error);
	if (r == 0 && !*changed.holder)
		r = field_fail(error, "holder", "is needed");
	if (r == 0)
		*license = changed;
	return r;
}

static json_t *labels_json(const struct license *license)
{
	json_t *labels = json_object();
	for (size_t i = 0; i < license->label_count; i++)
		if (json_object_set_new(labels, license->labels[i].name,
			    json_string(license->labels[i].value))) {
			json_decref(labels);
			return NULL;
		}
	return labels;
}

static json_t *devices_json(const struct license *license)
{
	json_t *devices = json_array();
	for (size_t i = 0; i < license->device_count; i++)
		if (json_array_append_new(devices, json_string(license->devices[i]))) {
			json_decref(devices);
			return NULL;
		}
	return devices;
}

/* Sets the members of what may be shown. */
static int set_open_fields(json_t *object, const struct license *license)
{
	json_t *policy =
		*license->policy ? json_loads(license->policy, 0, NULL) : json_object();
	return document_set(object,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, "
			  "s:o, s:s, s:s}",
			"id", license->id, "tenant", license->tenant, "holder",
			license->holder, "group", license->group, "note", license->note,
			"state", states[license->state], "expires_ms",
			(json_int_t)license->expires_ms, "created_ms",
			(json_int_t)license->created_ms, "changed_ms",
			(json_int_t)license->changed_ms, "labels", labels_json(license),
			"devices", devices_json(license), "policy", policy, "directory",
			license->directory, "directory_user", license->directory_user));
}

int license_write(const struct license *license, const char *before, char **ret)
{
	char hash[TEXT_HEX_SIZE(DIGEST_SIZE)];
	json_t *object;
	int r = document_open(before, &object);
	text_hex(hash, license->secret_hash, DIGEST_SIZE);
	if (r == 0)
		r = set_open_fields(object, license);
	if (r == 0 && (json_object_set_new(object, "secret_hash", json_string(hash)) ||
			      json_object_set_new(object, "password",
				      json_string(license->password))))
		r = -REASON_NO_MEMORY;
	if (r == 0)
		r = holder_totp_write(&license->totp, object);
	return document_close(object, r, ret);
}

int license_show(const struct license *license, char **ret)
{
	json_t *object = json_object();
	int r = set_open_fields(object, license);
	if (r == 0 && json_object_set_new(object, "totp",
			      json_boolean(license->totp.confirmed_ms)))
		r = -REASON_NO_MEMORY;
	return document_close(object, r, ret);
}

int license_rotate(struct license *license, struct license_key *ret_key)
{
	struct license_key key;
	uint8_t hash[DIGEST_SIZE];
	int r = license_key_generate(&key);
	if (r == 0)
		r = digest_sha256(key.secret, sizeof(key.secret), hash);
	/* The id stays: it is in journals, on hosts and in people's notes. */
	if (r == 0 && license_key_id_parse(license->id, key.public_id))
		r = -REASON_BAD_VALUE;
	if (r == 0) {
		memcpy(license->secret_hash, hash, DIGEST_SIZE);
		*ret_key = key;
	}
	secret_wipe(&key, sizeof(key));
	return r;
}

int license_issue(struct license *license, struct license_key *ret_key)
{
	struct license_key key;
	int r = license_key_generate(&key);
	if (r)
		return r;
	license_key_id(key.public_id, license->id);
	secret_wipe(&key, sizeof(key));
	return license_rotate(license, ret_key);
}

int license_has_secret(const struct license *license,
	const uint8_t secret[static LICENSE_KEY_SECRET])
{
	uint8_t hash[DIGEST_SIZE];
	return digest_sha256(secret, LICENSE_KEY_SECRET, hash) == 0 &&
	       secret_equal(hash, license->secret_hash, DIGEST_SIZE);
}

int license_admit(const struct license *license, int64_t now_ms)
{
	if (license->state != LICENSE_ENABLED)
		return -REASON_LICENSE_DISABLED;
	if (license->expires_ms && now_ms >= license->expires_ms)
		return -REASON_LICENSE_EXPIRED;
	return 0;
}

int license_permits_device(const struct license *license, const char *device)
{
	for (size_t i = 0; i < license->device_count; i++)
		if (strcmp(license->devices[i], device) == 0)
			return 1;
	return license->device_count == 0;
}
