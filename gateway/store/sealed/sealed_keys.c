#include "store/sealed/sealed_keys.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/store_wait.h"

#define SEALED_KEYS_MAGIC 0x53654b79
#define PAGE 1000
#define SLAB 4096
#define SLAB_KEYS (SLAB / SEALED_BOX_KEY)
#define OPERATOR_ID "#operator"
#define WRAPPED (SEALED_BOX_KEY + SEALED_BOX_MORE)
#define TRIES 20

/* One generation; `key` points into a slab, NULL: destroyed. */
struct entry {
	char tenant[STATE_TENANT_MAX + 1];
	uint32_t generation;
	int missing; /* something names it, but the store has no such key */
	uint8_t *key;
};

struct slab {
	struct slab *next;
	uint8_t *keys; /* secret_alloc */
	size_t used;
};

struct sealed_keys {
	uint32_t magic;
	struct state *state;
	uint8_t *master; /* secret_alloc */
	pthread_rwlock_t lock;
	struct entry *entries; /* in order of tenant and generation */
	size_t count, cap;
	struct slab *slabs;
};

static int key_id(const char *tenant, uint32_t generation,
	char ret[static SEALED_KEYS_ID])
{
	int len = snprintf(ret, SEALED_KEYS_ID, "%s/%" PRIu32,
		*tenant ? tenant : OPERATOR_ID, generation);
	return len < SEALED_KEYS_ID ? 0 : -REASON_LIMIT;
}

/* "acme/3" as its parts. */
static int parse_id(const char *id, char tenant[static STATE_TENANT_MAX + 1],
	uint32_t *ret_generation)
{
	const char *slash = strrchr(id, '/');
	char *end;
	size_t len = slash ? (size_t)(slash - id) : 0;
	if (!len || len > STATE_TENANT_MAX || slash[1] < '1' || slash[1] > '9')
		return -REASON_STATE_DAMAGED;
	unsigned long generation = strtoul(slash + 1, &end, 10);
	if (*end || generation > UINT32_MAX)
		return -REASON_STATE_DAMAGED;
	memcpy(tenant, id, len);
	tenant[len] = 0;
	if (strcmp(tenant, OPERATOR_ID) == 0)
		*tenant = 0;
	*ret_generation = (uint32_t)generation;
	return 0;
}

static int wrapping_key(const uint8_t master[static SEALED_KEYS_MASTER],
	uint8_t ret[static SEALED_BOX_KEY])
{
	return sealed_box_derive(master, NULL, 0, "engawa wraps data keys 1", ret);
}

static struct sealed_place place_of(const char *id)
{
	struct sealed_place place = {0};
	sealed_box_bind(&place, "engawa-key-1");
	sealed_box_bind(&place, id);
	return place;
}

int sealed_keys_unwrap(const uint8_t master[static SEALED_KEYS_MASTER], const char *id,
	const char *body, uint8_t ret[static SEALED_BOX_KEY], int *ret_there)
{
	uint8_t box[WRAPPED], wrapping[SEALED_BOX_KEY];
	size_t len;
	json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const char *wrapped = json_string_value(json_object_get(object, "wrapped"));
	int r = wrapped ? 0 : -REASON_STATE_DAMAGED;
	*ret_there = r == 0 && *wrapped;
	if (*ret_there) {
		struct sealed_place place = place_of(id);
		if (text_unb64(box, sizeof(box), &len, wrapped) || len != sizeof(box))
			r = -REASON_STATE_DAMAGED;
		if (r == 0)
			r = wrapping_key(master, wrapping);
		if (r == 0) {
			r = sealed_box_open(wrapping, &place, box, sizeof(box), ret);
			if (r == -REASON_STATE_DAMAGED)
				r = -REASON_MASTER_KEY_WRONG;
		}
		secret_wipe(wrapping, sizeof(wrapping));
	}
	json_decref(object);
	return r;
}

int sealed_keys_rewrap(const uint8_t master[static SEALED_KEYS_MASTER], const char *id,
	const char *body, const uint8_t key[static SEALED_BOX_KEY], char **ret)
{
	uint8_t box[WRAPPED], wrapping[SEALED_BOX_KEY];
	char text[TEXT_B64_SIZE(WRAPPED)];
	struct sealed_place place = place_of(id);
	json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	int r = json_is_object(object) ? wrapping_key(master, wrapping)
				       : -REASON_STATE_DAMAGED;
	if (r == 0)
		r = sealed_box_close(wrapping, &place, key, SEALED_BOX_KEY, box);
	secret_wipe(wrapping, sizeof(wrapping));
	if (r == 0) {
		text_b64(text, box, sizeof(box));
		char *fresh = json_object_set_new(object, "wrapped", json_string(text))
				      ? NULL
				      : json_dumps(object, JSON_COMPACT);
		r = fresh ? 0 : -REASON_NO_MEMORY;
		if (r == 0)
			*ret = fresh;
	}
	json_decref(object);
	return r;
}

/* The index of the first entry that is not below. */
static size_t find_place(const struct sealed_keys *keys, const char *tenant,
	uint64_t generation)
{
	size_t low = 0, high = keys->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct entry *entry = &keys->entries[middle];
		int order = strcmp(entry->tenant, tenant);
		if (order < 0 || (order == 0 && entry->generation < generation))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint8_t *slab_take(struct sealed_keys *keys)
{
	struct slab *slab = keys->slabs;
	if (!slab || slab->used == SLAB_KEYS) {
		slab = calloc(1, sizeof(*slab));
		if (!slab)
			return NULL;
		slab->keys = secret_alloc(SLAB);
		if (!slab->keys) {
			free(slab);
			return NULL;
		}
		slab->next = keys->slabs;
		keys->slabs = slab;
	}
	return slab->keys + SEALED_BOX_KEY * slab->used++;
}

static int grow(struct sealed_keys *keys)
{
	if (keys->count < keys->cap)
		return 0;
	size_t cap = keys->cap ? keys->cap * 2 : 16;
	struct entry *more = realloc(keys->entries, cap * sizeof(*more));
	if (!more)
		return -REASON_NO_MEMORY;
	keys->entries = more;
	keys->cap = cap;
	return 0;
}

/* Takes a key over into the table, NULL: as destroyed. */
static int learn_locked(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	const uint8_t *key)
{
	size_t at = find_place(keys, tenant, generation);
	struct entry *entry = keys->entries + at;
	int there = at < keys->count && entry->generation == generation &&
		    strcmp(entry->tenant, tenant) == 0;
	if (!there) {
		if (grow(keys))
			return -REASON_NO_MEMORY;
		entry = keys->entries + at;
		memmove(entry + 1, entry, (keys->count - at) * sizeof(*entry));
		*entry = (struct entry){.generation = generation};
		text_clip(entry->tenant, sizeof(entry->tenant), tenant);
		keys->count++;
	}
	if (!key && entry->key) {
		secret_wipe(entry->key, SEALED_BOX_KEY);
		entry->key = NULL;
	}
	if (key && !entry->key && !(entry->key = slab_take(keys)))
		return -REASON_NO_MEMORY;
	entry->missing = 0;
	if (key)
		memcpy(entry->key, key, SEALED_BOX_KEY);
	return 0;
}

static int learn(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	const uint8_t *key)
{
	pthread_rwlock_wrlock(&keys->lock);
	int r = learn_locked(keys, tenant, generation, key);
	pthread_rwlock_unlock(&keys->lock);
	return r;
}

static int learn_doc(struct sealed_keys *keys, const struct state_doc *doc)
{
	char tenant[STATE_TENANT_MAX + 1];
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation;
	int there;
	int r = parse_id(doc->id, tenant, &generation);
	if (r == 0)
		r = sealed_keys_unwrap(keys->master, doc->id, doc->body, key, &there);
	if (r == 0)
		r = learn(keys, tenant, generation, there ? key : NULL);
	secret_wipe(key, sizeof(key));
	return r;
}

/* `tenant` NULL: all of them. */
static int read_docs(struct sealed_keys *keys, const char *tenant)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		r = store_wait_list(keys->state, STATE_KEY, tenant, after, PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = learn_doc(keys, &docs.docs[i]);
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

/* The tenant whose documents these are, as the store's column has it. */
static const char *column_of(const char *tenant)
{
	return *tenant == '#' ? "" : tenant;
}

/* The newest generation that the store really has, or NULL. */
static const struct entry *newest_of(const struct sealed_keys *keys, const char *tenant)
{
	size_t at = find_place(keys, tenant, UINT64_C(1) << 32);
	while (at && keys->entries[at - 1].missing &&
		strcmp(keys->entries[at - 1].tenant, tenant) == 0)
		at--;
	const struct entry *entry = at ? &keys->entries[at - 1] : NULL;
	return entry && strcmp(entry->tenant, tenant) == 0 ? entry : NULL;
}

static uint32_t highest(struct sealed_keys *keys, const char *tenant, int *ret_lives)
{
	pthread_rwlock_rdlock(&keys->lock);
	const struct entry *entry = newest_of(keys, tenant);
	int there = entry != NULL;
	uint32_t generation = there ? entry->generation : 0;
	*ret_lives = there && entry->key;
	pthread_rwlock_unlock(&keys->lock);
	return generation;
}

static int put_key(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	const uint8_t key[static SEALED_BOX_KEY])
{
	char id[SEALED_KEYS_ID], *plain = NULL, *body = NULL;
	int r = key_id(tenant, generation, id);
	json_t *object = json_pack("{s:s, s:I, s:s, s:I, s:I}", "tenant", tenant,
		"generation", (json_int_t)generation, "wrapped", "", "created_ms",
		(json_int_t)clock_wall_ms(), "destroyed_ms", (json_int_t)0);
	if (r == 0 && !(plain = json_dumps(object, JSON_COMPACT)))
		r = -REASON_NO_MEMORY;
	if (r == 0)
		r = sealed_keys_rewrap(keys->master, id, plain, key, &body);
	if (r == 0) {
		struct state_doc doc = {STATE_KEY, id, column_of(tenant), 0, body};
		uint64_t version;
		r = store_wait_put(keys->state, &doc, &version);
	}
	json_decref(object);
	free(plain);
	free(body);
	return r;
}

/* -REASON_CONFLICT: another node was faster; its key is there then. */
static int make_key(struct sealed_keys *keys, const char *tenant, uint32_t generation)
{
	uint8_t key[SEALED_BOX_KEY];
	int r = secret_random(key, sizeof(key));
	if (r == 0)
		r = put_key(keys, tenant, generation, key);
	if (r == 0)
		r = learn(keys, tenant, generation, key);
	secret_wipe(key, sizeof(key));
	return r;
}

/* So that one document with a number that never was, or whose key somebody took away, costs one look and
 * not every answer it is in. */
static int note_missing(struct sealed_keys *keys, const char *tenant, uint32_t generation)
{
	int r = 0;
	pthread_rwlock_wrlock(&keys->lock);
	size_t at = find_place(keys, tenant, generation);
	const struct entry *entry = at < keys->count ? &keys->entries[at] : NULL;
	if (!entry || entry->generation != generation || strcmp(entry->tenant, tenant)) {
		r = learn_locked(keys, tenant, generation, NULL);
		if (r == 0)
			keys->entries[at].missing = 1;
	}
	pthread_rwlock_unlock(&keys->lock);
	return r;
}

int sealed_keys_load(struct sealed_keys *keys, const char *tenant, uint32_t generation)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	int lives, r = read_docs(keys, column_of(tenant));
	if (r == 0 && generation)
		r = note_missing(keys, tenant, generation);
	if (r || generation)
		return r;
	uint32_t newest = highest(keys, tenant, &lives);
	if (lives)
		return 0;
	r = make_key(keys, tenant, newest + 1);
	return r == -REASON_CONFLICT ? read_docs(keys, column_of(tenant)) : r;
}

int sealed_keys_rotate(struct sealed_keys *keys, const char *tenant,
	uint32_t *ret_generation)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	int lives, r = -REASON_CONFLICT;
	for (int i = 0; i < TRIES && r == -REASON_CONFLICT; i++) {
		r = read_docs(keys, column_of(tenant));
		if (r)
			return r;
		uint32_t next = highest(keys, tenant, &lives) + 1;
		r = make_key(keys, tenant, next);
		if (r == 0)
			*ret_generation = next;
	}
	return r;
}

static int destroy_doc(struct sealed_keys *keys, const struct state_doc *doc)
{
	uint64_t version;
	json_t *object = json_loads(doc->body, 0, NULL);
	int r = json_is_object(object) ? 0 : -REASON_STATE_DAMAGED;
	if (r == 0 && (json_object_set_new(object, "wrapped", json_string("")) ||
			      json_object_set_new(object, "destroyed_ms",
				      json_integer(clock_wall_ms()))))
		r = -REASON_NO_MEMORY;
	char *body = r ? NULL : json_dumps(object, JSON_COMPACT);
	if (r == 0 && !body)
		r = -REASON_NO_MEMORY;
	if (r == 0) {
		struct state_doc fresh = *doc;
		fresh.body = body;
		r = store_wait_put(keys->state, &fresh, &version);
	}
	free(body);
	json_decref(object);
	return r;
}

int sealed_keys_destroy_one(struct sealed_keys *keys, const struct state_doc *doc)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	char tenant[STATE_TENANT_MAX + 1];
	uint32_t generation;
	int r = parse_id(doc->id, tenant, &generation);
	if (r == 0)
		r = destroy_doc(keys, doc);
	return r ? r : learn(keys, tenant, generation, NULL);
}

static int destroy_one(struct sealed_keys *keys, const char *tenant,
	const struct state_doc *doc, size_t *count)
{
	char owner[STATE_TENANT_MAX + 1];
	uint32_t generation;
	int r = parse_id(doc->id, owner, &generation);
	if (r || strcmp(owner, tenant))
		return r;
	r = sealed_keys_destroy_one(keys, doc);
	*count += r == 0;
	return r;
}

int sealed_keys_destroy(struct sealed_keys *keys, const char *tenant, size_t *ret_count)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	struct store_docs docs = {0};
	size_t count = 0;
	/* One page: nobody renews a key a thousand times. */
	int r = *tenant ? store_wait_list(keys->state, STATE_KEY, column_of(tenant), NULL,
				  PAGE, &docs)
			: -REASON_FORBIDDEN;
	for (size_t i = 0; i < docs.count && r == 0; i++)
		r = destroy_one(keys, tenant, &docs.docs[i], &count);
	store_docs_free(&docs);
	if (r == 0)
		*ret_count = count;
	return r;
}

void sealed_keys_forget(struct sealed_keys *keys, const char *tenant)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	pthread_rwlock_wrlock(&keys->lock);
	size_t from = find_place(keys, tenant, 0), to = from;
	while (to < keys->count && strcmp(keys->entries[to].tenant, tenant) == 0) {
		if (keys->entries[to].key)
			secret_wipe(keys->entries[to].key, SEALED_BOX_KEY);
		to++;
	}
	memmove(keys->entries + from, keys->entries + to,
		(keys->count - to) * sizeof(*keys->entries));
	keys->count -= to - from;
	pthread_rwlock_unlock(&keys->lock);
}

int sealed_keys_find(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	uint8_t ret[static SEALED_BOX_KEY], uint32_t *ret_generation)
{
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	int r = 1;
	pthread_rwlock_rdlock(&keys->lock);
	size_t at = generation ? find_place(keys, tenant, generation) : 0;
	const struct entry *entry = !generation        ? newest_of(keys, tenant)
				    : at < keys->count ? &keys->entries[at]
						       : NULL;
	if (entry && strcmp(entry->tenant, tenant) == 0 &&
		(!generation || entry->generation == generation)) {
		r = entry->key ? 0 : generation ? -REASON_NOT_FOUND : 1;
		if (r == 0) {
			memcpy(ret, entry->key, SEALED_BOX_KEY);
			*ret_generation = entry->generation;
		}
	}
	pthread_rwlock_unlock(&keys->lock);
	return r;
}

int sealed_keys_look(struct sealed_keys *keys, const char *tenant, uint32_t generation,
	uint32_t *ret_generation)
{
	uint8_t key[SEALED_BOX_KEY];
	int r = sealed_keys_find(keys, tenant, generation, key, ret_generation);
	secret_wipe(key, sizeof(key));
	return r;
}

int sealed_keys_id(struct sealed_keys *keys, enum state_kind kind, const char *name,
	char *ret)
{
	uint8_t key[SEALED_BOX_KEY], mac[32];
	char text[64 + STATE_ID_MAX];
	unsigned int len = sizeof(mac);
	uint32_t generation;
	int r = sealed_keys_find(keys, SEALED_KEYS_IDS, 1, key, &generation);
	if (r)
		return -REASON_STATE_DAMAGED;
	int size = snprintf(text, sizeof(text), "%s/%s", state_kind_name(kind), name);
	if (size >= (int)sizeof(text))
		r = -REASON_LIMIT;
	else if (!HMAC(EVP_sha256(), key, sizeof(key), (const uint8_t *)text,
			 (size_t)size, mac, &len))
		r = -REASON_NO_MEMORY;
	secret_wipe(key, sizeof(key));
	if (r)
		return r;
	/* 144 bits: nobody finds two names with the same. */
	ret[0] = '~';
	text_b64(ret + 1, mac, 18);
	return 0;
}

static int make_first(struct sealed_keys *keys, const char *tenant)
{
	int lives;
	highest(keys, tenant, &lives);
	return lives ? 0 : sealed_keys_load(keys, tenant, 0);
}

int sealed_keys_open(struct state *state, const uint8_t master[static SEALED_KEYS_MASTER],
	struct sealed_keys **ret)
{
	struct sealed_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return -REASON_NO_MEMORY;
	keys->magic = SEALED_KEYS_MAGIC;
	keys->state = state;
	CHECK(pthread_rwlock_init(&keys->lock, NULL) == 0);
	keys->master = secret_alloc(SEALED_KEYS_MASTER);
	int r = keys->master ? 0 : -REASON_NO_MEMORY;
	if (r == 0) {
		memcpy(keys->master, master, SEALED_KEYS_MASTER);
		r = read_docs(keys, NULL);
	}
	if (r == 0)
		r = make_first(keys, SEALED_KEYS_OPERATOR);
	if (r == 0)
		r = make_first(keys, SEALED_KEYS_IDS);
	if (r)
		sealed_keys_free(keys);
	else
		*ret = keys;
	return r;
}

struct sealed_keys *sealed_keys_free(struct sealed_keys *keys)
{
	if (!keys)
		return NULL;
	CHECK_OBJ(keys, SEALED_KEYS_MAGIC);
	for (struct slab *slab = keys->slabs, *next; slab; slab = next) {
		next = slab->next;
		secret_free(slab->keys, SLAB);
		free(slab);
	}
	secret_free(keys->master, SEALED_KEYS_MASTER);
	free(keys->entries);
	pthread_rwlock_destroy(&keys->lock);
	keys->magic = 0;
	free(keys);
	return NULL;
}
