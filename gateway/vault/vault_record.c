#include "vault/vault_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PREFIX "backup/"
#define MOST 1000
#define TRIES 20

static int get(struct store *store, const char *id, json_t **ret, uint64_t *ret_version)
{
	struct store_docs docs = {0};
	int r = store_wait_get(store->state, STATE_META, id, &docs);
	if (r)
		return r;
	json_t *object = json_loads(docs.docs[0].body, 0, NULL);
	*ret_version = docs.docs[0].version;
	store_docs_free(&docs);
	if (!json_is_object(object)) {
		json_decref(object);
		return -REASON_STATE_DAMAGED;
	}
	*ret = object;
	return 0;
}

static int put(struct store *store, const char *id, uint64_t version,
	const json_t *object)
{
	char *body = json_dumps(object, JSON_COMPACT);
	struct state_doc doc = {STATE_META, id, "", version, body};
	int r = body ? store_wait_put(store->state, &doc, &version) : -REASON_NO_MEMORY;
	free(body);
	return r;
}

int vault_record_get(struct store *store, const char *id, json_t **ret)
{
	char full[128];
	uint64_t version;
	if (snprintf(full, sizeof(full), PREFIX "%s", id) >= (int)sizeof(full))
		return -REASON_NOT_FOUND;
	return get(store, full, ret, &version);
}

int vault_record_list(struct store *store, json_t **ret)
{
	struct store_docs docs = {0};
	json_t *array = json_array();
	int r = array ? store_wait_list(store->state, STATE_META, NULL, PREFIX, MOST,
				&docs)
		      : -REASON_NO_MEMORY;
	for (size_t i = 0; i < docs.count && r == 0; i++) {
		if (strncmp(docs.docs[i].id, PREFIX, sizeof(PREFIX) - 1))
			break;
		json_t *record = json_loads(docs.docs[i].body, 0, NULL);
		if (json_is_object(record))
			json_array_insert(array, 0, record);
		json_decref(record);
	}
	store_docs_free(&docs);
	if (r)
		json_decref(array);
	else
		*ret = array;
	return r;
}

static int overwrite(struct store *store, const char *id, const json_t *value)
{
	int r = -REASON_CONFLICT;
	for (int i = 0; i < TRIES && r == -REASON_CONFLICT; i++) {
		json_t *old = NULL;
		uint64_t version = 0;
		r = get(store, id, &old, &version);
		json_decref(old);
		if (r == 0 || r == -REASON_NOT_FOUND || r == -REASON_STATE_DAMAGED)
			r = put(store, id, version, value);
	}
	return r;
}

int vault_record_put(struct store *store, const json_t *record)
{
	char id[128];
	snprintf(id, sizeof(id), PREFIX "%s",
		json_string_value(json_object_get(record, "id")));
	return overwrite(store, id, record);
}

int vault_record_remove(struct store *store, const char *id)
{
	char full[128];
	snprintf(full, sizeof(full), PREFIX "%s", id);
	return store_wait_remove(store->state, STATE_META, full, 0);
}

int vault_record_mark(struct store *store, const char *id, const json_t *value)
{
	if (value)
		return overwrite(store, id, value);
	int r = store_wait_remove(store->state, STATE_META, id, 0);
	return r == -REASON_NOT_FOUND ? 0 : r;
}

int vault_record_turn(struct store *store, const char *id, const char *node,
	int64_t now_ms, int64_t every_ms, int64_t first_ms)
{
	json_t *old = NULL;
	uint64_t version = 0;
	int r = get(store, id, &old, &version);
	int64_t due_ms = first_ms;
	if (r == 0)
		due_ms = json_integer_value(json_object_get(old, "at_ms")) + every_ms;
	json_decref(old);
	if ((r && r != -REASON_NOT_FOUND && r != -REASON_STATE_DAMAGED) ||
		now_ms < due_ms)
		return 0;
	json_t *mine = json_pack("{s:I, s:s}", "at_ms", (json_int_t)now_ms, "node", node);
	r = mine ? put(store, id, version, mine) : -REASON_NO_MEMORY;
	json_decref(mine);
	return r == 0;
}
