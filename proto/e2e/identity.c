#include "e2e/identity.h"

#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/private_file.h"

#define VERSION 1

struct pair {
	uint8_t private_key[PRIMITIVES_KEY], public_key[PRIMITIVES_KEY];
};

struct identity {
	struct pair sign, tunnel;
	char id[IDENTITY_ID_SIZE];
};

int identity_id_of(const uint8_t sign_public[static PRIMITIVES_KEY],
	char ret[static IDENTITY_ID_SIZE])
{
	uint8_t hash[PRIMITIVES_HASH];
	int result = primitives_sha256(hash, sign_public, PRIMITIVES_KEY, NULL, 0);
	if (result < 0)
		return result;
	memcpy(ret, "dev_", 4);
	text_hex(ret + 4, hash, 8);
	return 0;
}

static int generate(struct identity *ret)
{
	int result =
		primitives_ed25519_generate(ret->sign.private_key, ret->sign.public_key);
	if (result == 0)
		result = primitives_x25519_generate(ret->tunnel.private_key,
			ret->tunnel.public_key);
	return result;
}

static int set_all(json_t *object, const struct identity *identity)
{
	const struct pair *sign = &identity->sign, *tunnel = &identity->tunnel;
	char created[CLOCK_TEXT];
	clock_text(clock_wall_ms(), created);
	if (json_object_set_new(object, "version", json_integer(VERSION)) < 0 ||
		json_object_set_new(object, "created", json_string(created)) < 0)
		return -REASON_NO_MEMORY;
	int result = private_file_set_bytes(object, "sign_private", sign->private_key,
		PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_set_bytes(object, "sign_public", sign->public_key,
			PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_set_bytes(object, "tunnel_private",
			tunnel->private_key, PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_set_bytes(object, "tunnel_public",
			tunnel->public_key, PRIMITIVES_KEY);
	return result;
}

static int create(const char *dir, const char *path, struct identity *identity)
{
	json_t *object = json_object();
	if (!object)
		return -REASON_NO_MEMORY;
	int result = private_file_directory(dir);
	if (result == 0)
		result = generate(identity);
	if (result == 0)
		result = set_all(object, identity);
	if (result == 0)
		result = private_file_create(path, object);
	json_decref(object);
	return result;
}

/* The public halves are stored to be compared: one flipped bit in a private key would else be a new
 * identity that nobody knows. */
static int get_pair(const json_t *object, const char *private_name,
	const char *public_name, int (*derive)(uint8_t *, const uint8_t *),
	struct pair *ret)
{
	uint8_t derived[PRIMITIVES_KEY];
	int result = private_file_get_bytes(object, private_name, ret->private_key,
		PRIMITIVES_KEY);
	if (result == 0)
		result = private_file_get_bytes(object, public_name, ret->public_key,
			PRIMITIVES_KEY);
	if (result == 0)
		result = derive(derived, ret->private_key);
	if (result == 0 && !secret_equal(derived, ret->public_key, PRIMITIVES_KEY))
		result = -REASON_STATE_DAMAGED;
	return result;
}

static int get_all(const json_t *object, struct identity *identity)
{
	int64_t version;
	int result =
		private_file_get_number(object, "version", VERSION, VERSION, &version);
	if (result == 0)
		result = get_pair(object, "sign_private", "sign_public",
			primitives_ed25519_public, &identity->sign);
	if (result == 0)
		result = get_pair(object, "tunnel_private", "tunnel_public",
			primitives_x25519_public, &identity->tunnel);
	return result;
}

static int load(const char *path, struct identity *identity)
{
	json_t *object;
	int result = private_file_read(path, &object);
	if (result < 0)
		return result;
	result = get_all(object, identity);
	json_decref(object);
	return result;
}

int identity_open(const char *dir, struct identity **ret)
{
	char path[PRIVATE_FILE_PATH];
	int result = private_file_path(path, dir, "identity", "json");
	if (result < 0)
		return result;
	struct identity *identity = secret_alloc(sizeof(*identity));
	if (!identity)
		return -REASON_NO_MEMORY;
	result = load(path, identity);
	if (result == -REASON_NOT_FOUND) {
		result = create(dir, path, identity);
		/* Also when another process was faster: what is in the file counts. */
		if (result == 0 || result == -REASON_CONFLICT)
			result = load(path, identity);
	}
	if (result == 0)
		result = identity_id_of(identity->sign.public_key, identity->id);
	if (result < 0) {
		identity_free(identity);
		return result;
	}
	*ret = identity;
	return 0;
}

const char *identity_id(const struct identity *identity)
{
	return identity->id;
}

const uint8_t *identity_sign_public(const struct identity *identity)
{
	return identity->sign.public_key;
}

const uint8_t *identity_tunnel_public(const struct identity *identity)
{
	return identity->tunnel.public_key;
}

const uint8_t *identity_tunnel_private(const struct identity *identity)
{
	return identity->tunnel.private_key;
}

int identity_sign(const struct identity *identity, const void *bytes, size_t len,
	uint8_t ret_signature[static PRIMITIVES_SIGNATURE])
{
	return primitives_ed25519_sign(ret_signature, identity->sign.private_key, bytes,
		len);
}

struct identity *identity_free(struct identity *identity)
{
	return secret_free(identity, sizeof(*identity));
}
