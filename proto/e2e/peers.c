#include "e2e/peers.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/pins.h"
#include "e2e/private_file.h"

#define VERSION 1

struct peers {
	char dir[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	struct timespec changed;
	ino_t inode;
	off_t size; /* -1: nothing loaded */
	size_t count;
	struct peers_device items[PEERS_MAX];
};

static int get_name(const json_t *object, const char *member,
	char ret[static INNER_NAME_SIZE])
{
	int result = private_file_get_text(object, member, ret, INNER_NAME_SIZE);
	if (result == 0 && !inner_name_valid(ret, strlen(ret)))
		result = -REASON_STATE_DAMAGED;
	return result;
}

static int id_of(const uint8_t key[static PRIMITIVES_KEY], char ret[static PEERS_ID_SIZE])
{
	uint8_t hash[PRIMITIVES_HASH];
	int result = primitives_sha256(hash, key, PRIMITIVES_KEY, NULL, 0);
	if (result < 0)
		return result;
	memcpy(ret, "peer_", 5);
	text_hex(ret + 5, hash, 8);
	return 0;
}

static int get_times(const json_t *object, struct peers_device *device)
{
	const struct {
		const char *member;
		int64_t *ret;
	} times[] = {
		{"added_ms", &device->added_ms},
		{"seen_ms", &device->seen_ms},
		{"revoked_ms", &device->revoked_ms},
		{"old_until_ms", &device->old_until_ms},
	};
	int result = 0;
	for (size_t i = 0; i < ARRAY_LEN(times) && result == 0; i++)
		result = private_file_get_number(object, times[i].member, 0, INT64_MAX,
			times[i].ret);
	return result;
}

static int get_keys(const json_t *object, struct peers_device *device)
{
	int result = private_file_get_bytes(object, "key", device->key, PRIMITIVES_KEY);
	if (result == 0)
		result = id_of(device->key, device->id);
	if (result == 0 && !device->revoked_ms)
		result = private_file_get_bytes(object, "pair_psk", device->pair_psk,
			PRIMITIVES_KEY);
	if (result == 0 && device->old_until_ms)
		result = private_file_get_bytes(object, "old_key", device->old_key,
			PRIMITIVES_KEY);
	return result;
}

static int get_device(const json_t *object, struct peers_device *device)
{
	int64_t class, rights;
	int result = get_times(object, device);
	if (result == 0)
		result = get_keys(object, device);
	if (result == 0)
		result = get_name(object, "name", device->name);
	if (result == 0)
		result = get_name(object, "user", device->user);
	if (result == 0)
		result = private_file_get_number(object, "class", INNER_NATIVE,
			INNER_MOBILE, &class);
	if (result == 0)
		result =
			private_file_get_number(object, "rights", 0, UINT16_MAX, &rights);
	if (result == 0) {
		device->class = (enum inner_class) class;
		device->rights = (uint16_t)rights;
	}
	return result;
}

/* Two entries for one key could disagree on whether it is revoked. */
static bool is_known(const struct peers *peers, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (secret_equal(peers->items[i].key, peers->items[index].key,
			    PRIMITIVES_KEY))
			return true;
	return false;
}

static int get_devices(const json_t *object, struct peers *peers)
{
	const json_t *devices = json_object_get(object, "devices");
	size_t count = json_array_size(devices);
	int64_t version;
	int result =
		private_file_get_number(object, "version", VERSION, VERSION, &version);
	if (result == 0 && (!json_is_array(devices) || count > PEERS_MAX))
		result = -REASON_STATE_DAMAGED;
	for (size_t i = 0; i < count && result == 0; i++) {
		result = get_device(json_array_get(devices, i), &peers->items[i]);
		if (result == 0 && is_known(peers, i))
			result = -REASON_STATE_DAMAGED;
	}
	if (result == 0)
		peers->count = count;
	return result;
}

static void clear(struct peers *peers)
{
	secret_wipe(peers->items, sizeof(peers->items));
	peers->count = 0;
	peers->size = -1;
}

/* The stamp is taken before reading: a change in between is seen at the next reload. */
static int load(struct peers *peers)
{
	struct stat info;
	json_t *object;
	clear(peers);
	if (stat(peers->path, &info) < 0)
		memset(&info, 0, sizeof(info));
	int result = private_file_read(peers->path, &object);
	if (result == 0) {
		result = get_devices(object, peers);
		json_decref(object);
	} else if (result == -REASON_NOT_FOUND) {
		result = 0;
	}
	if (result < 0) {
		clear(peers);
		return result;
	}
	peers->changed = info.st_mtim;
	peers->inode = info.st_ino;
	peers->size = info.st_size;
	return 0;
}

int peers_open(const char *dir, struct peers **ret)
{
	struct peers *peers = secret_alloc(sizeof(*peers));
	if (!peers)
		return -REASON_NO_MEMORY;
	int result = text_copy(peers->dir, sizeof(peers->dir), dir);
	if (result == 0)
		result = private_file_path(peers->path, dir, "peers", "json");
	if (result == 0)
		result = load(peers);
	if (result < 0) {
		peers_free(peers);
		return result;
	}
	*ret = peers;
	return 0;
}

int peers_reload(struct peers *peers)
{
	struct stat info;
	if (stat(peers->path, &info) == 0 && peers->size == info.st_size &&
		peers->inode == info.st_ino &&
		peers->changed.tv_sec == info.st_mtim.tv_sec &&
		peers->changed.tv_nsec == info.st_mtim.tv_nsec && !(info.st_mode & 077))
		return 0;
	return load(peers);
}

static struct peers_device *find(struct peers *peers,
	const uint8_t key[static PRIMITIVES_KEY], int64_t now_ms)
{
	for (size_t i = 0; i < peers->count; i++)
		if (secret_equal(peers->items[i].key, key, PRIMITIVES_KEY))
			return &peers->items[i];
	for (size_t i = 0; i < peers->count; i++)
		if (peers->items[i].old_until_ms > now_ms &&
			secret_equal(peers->items[i].old_key, key, PRIMITIVES_KEY))
			return &peers->items[i];
	return NULL;
}

const struct peers_device *peers_find(const struct peers *peers,
	const uint8_t key[static PRIMITIVES_KEY], int64_t now_ms)
{
	return find((struct peers *)peers, key, now_ms);
}

size_t peers_count(const struct peers *peers)
{
	return peers->count;
}

const struct peers_device *peers_at(const struct peers *peers, size_t index)
{
	return index < peers->count ? &peers->items[index] : NULL;
}

static json_t *device_object(const struct peers_device *device)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I}", "id",
		device->id, "name", device->name, "user", device->user, "class",
		(int)device->class, "rights", (int)device->rights, "added_ms",
		(json_int_t)device->added_ms, "seen_ms", (json_int_t)device->seen_ms,
		"revoked_ms", (json_int_t)device->revoked_ms, "old_until_ms",
		(json_int_t)device->old_until_ms);
	if (!object)
		return NULL;
	int result = private_file_set_bytes(object, "key", device->key, PRIMITIVES_KEY);
	if (result == 0 && !device->revoked_ms)
		result = private_file_set_bytes(object, "pair_psk", device->pair_psk,
			PRIMITIVES_KEY);
	if (result == 0 && device->old_until_ms)
		result = private_file_set_bytes(object, "old_key", device->old_key,
			PRIMITIVES_KEY);
	if (result < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static int store(struct peers *peers)
{
	json_t *devices = json_array();
	json_t *object = json_pack("{s:i, s:o}", "version", VERSION, "devices", devices);
	int result = object ? 0 : -REASON_NO_MEMORY;
	for (size_t i = 0; i < peers->count && result == 0; i++)
		if (json_array_append_new(devices, device_object(&peers->items[i])) < 0)
			result = -REASON_NO_MEMORY;
	if (result == 0)
		result = private_file_write(peers->path, object);
	json_decref(object);
	/* Back to what is on the disk, whether that is the old or the new list. */
	int loaded = load(peers);
	return result < 0 ? result : loaded;
}

/* Every change starts from what is on the disk now, not from what this process knew. */
static int begin(struct peers *peers, int *ret_lock)
{
	int result = private_file_directory(peers->dir);
	if (result == 0)
		result = private_file_lock(peers->dir, ret_lock);
	if (result < 0)
		return result;
	private_file_tidy(peers->dir);
	result = load(peers);
	if (result < 0)
		*ret_lock = private_file_unlock(*ret_lock);
	return result;
}

static void remove_at(struct peers *peers, size_t index)
{
	memmove(&peers->items[index], &peers->items[index + 1],
		(peers->count - index - 1) * sizeof(peers->items[0]));
	peers->count--;
	secret_wipe(&peers->items[peers->count], sizeof(peers->items[0]));
}

static size_t authorised(const struct peers *peers)
{
	size_t count = 0;
	for (size_t i = 0; i < peers->count; i++)
		count += peers->items[i].revoked_ms == 0;
	return count;
}

static void forget_oldest(struct peers *peers)
{
	size_t oldest = peers->count;
	for (size_t i = 0; i < peers->count; i++)
		if (peers->items[i].revoked_ms &&
			(oldest == peers->count ||
				peers->items[i].revoked_ms <
					peers->items[oldest].revoked_ms))
			oldest = i;
	CHECK(oldest < peers->count);
	remove_at(peers, oldest);
}

static int add(struct peers *peers, const struct peers_device *device)
{
	struct peers_device *old = find(peers, device->key, INT64_MAX);
	if (old)
		remove_at(peers, (size_t)(old - peers->items));
	if (authorised(peers) >= PEERS_AUTHORISED_MAX)
		return -REASON_LIMIT;
	if (peers->count == PEERS_MAX)
		forget_oldest(peers);
	struct peers_device *place = &peers->items[peers->count];
	*place = *device;
	place->revoked_ms = 0;
	int result = id_of(place->key, place->id);
	if (result < 0)
		return result;
	peers->count++;
	return store(peers);
}

int peers_authorise(struct peers *peers, const struct peers_device *device)
{
	int lock;
	/* The caller may well hand in an item of this very list. */
	struct peers_device copy = *device;
	if (!inner_name_valid(copy.name, strlen(copy.name)) ||
		!inner_name_valid(copy.user, strlen(copy.user)))
		return -REASON_BAD_VALUE;
	int result = begin(peers, &lock);
	if (result == 0) {
		result = add(peers, &copy);
		/* Refused: back to what is on the disk. */
		if (result == -REASON_LIMIT && load(peers) < 0)
			clear(peers);
		private_file_unlock(lock);
	}
	secret_wipe(&copy, sizeof(copy));
	return result;
}

static int find_named(struct peers *peers, const char *id_or_name,
	struct peers_device **ret)
{
	struct peers_device *found = NULL;
	for (size_t i = 0; i < peers->count; i++) {
		struct peers_device *device = &peers->items[i];
		if (device->revoked_ms)
			continue;
		if (!strcmp(device->id, id_or_name)) {
			*ret = device;
			return 0;
		}
		if (strcmp(device->name, id_or_name) != 0)
			continue;
		if (found)
			return -REASON_CONFLICT;
		found = device;
	}
	if (!found)
		return -REASON_NOT_FOUND;
	*ret = found;
	return 0;
}

int peers_revoke(struct peers *peers, const char *id_or_name, int64_t now_ms)
{
	struct peers_device *device;
	int lock;
	int result = begin(peers, &lock);
	if (result < 0)
		return result;
	result = find_named(peers, id_or_name, &device);
	if (result == 0) {
		device->revoked_ms = now_ms > 0 ? now_ms : 1;
		result = store(peers); /* without its psk */
	}
	private_file_unlock(lock);
	return result;
}

int peers_seen(struct peers *peers, const uint8_t key[static PRIMITIVES_KEY],
	int64_t now_ms)
{
	int lock;
	uint8_t wanted[PRIMITIVES_KEY]; /* `key` may lie in the list that is read anew */
	memcpy(wanted, key, sizeof(wanted));
	int result = begin(peers, &lock);
	if (result < 0)
		return result;
	struct peers_device *device = find(peers, wanted, now_ms);
	if (device && !device->revoked_ms) {
		device->seen_ms = now_ms;
		result = store(peers);
	} else {
		result = -REASON_NOT_FOUND;
	}
	private_file_unlock(lock);
	return result;
}

static int rotate(struct peers *peers, const uint8_t key[static PRIMITIVES_KEY],
	const uint8_t new_key[static PRIMITIVES_KEY], int64_t now_ms)
{
	struct peers_device *device = find(peers, key, now_ms);
	struct peers_device *taken = find(peers, new_key, now_ms);
	if (!device || device->revoked_ms)
		return -REASON_NOT_FOUND;
	if (taken)
		return taken == device ? 0 : -REASON_CONFLICT;
	memcpy(device->old_key, device->key, PRIMITIVES_KEY);
	memcpy(device->key, new_key, PRIMITIVES_KEY);
	device->old_until_ms = now_ms + PINS_ROTATION_MS;
	return store(peers);
}

int peers_rotate(struct peers *peers, const uint8_t key[static PRIMITIVES_KEY],
	const uint8_t new_key[static PRIMITIVES_KEY], int64_t now_ms)
{
	int lock;
	uint8_t old_key[PRIMITIVES_KEY]; /* for the same reason */
	memcpy(old_key, key, sizeof(old_key));
	int result = begin(peers, &lock);
	if (result < 0)
		return result;
	result = rotate(peers, old_key, new_key, now_ms);
	private_file_unlock(lock);
	return result;
}

struct peers *peers_free(struct peers *peers)
{
	return secret_free(peers, sizeof(*peers));
}
