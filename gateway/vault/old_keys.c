#include "vault/old_keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reason.h"
#include "rules/retention.h"
#include "rules/tenant.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PAGE 1000
#define DAY_MS INT64_C(86400000)
/* Rows go a while after their time (they wait in spools, purges run daily), keys after them. */
#define LATER_DAYS 30

struct old_keys {
	struct store *store;
	int64_t records_days, now_ms;
};

static int64_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* How long rows of this tenant are kept at most. */
static int64_t days_of(const struct old_keys *keys, const char *tenant)
{
	struct store_docs docs = {0};
	struct tenant own = {0};
	struct field_error error;
	if (*tenant && *tenant != '#' &&
		store_wait_get(keys->store->state, STATE_TENANT, tenant, &docs) == 0 &&
		tenant_read(docs.docs[0].body, &own, &error))
		own.retention_days = RETENTION_MAX_DAYS;
	store_docs_free(&docs);
	int64_t days = keys->records_days > RETENTION_MIN_DAYS ? keys->records_days
							       : RETENTION_MIN_DAYS;
	return (own.retention_days > days ? own.retention_days : days) + LATER_DAYS;
}

/* Whether documents may still wait for the newer key. */
static int is_resealing(const struct old_keys *keys, const char *tenant)
{
	char id[STATE_ID_MAX + 1];
	struct store_docs docs = {0};
	snprintf(id, sizeof(id), "reseal/%s", tenant);
	int r = store_wait_get(keys->store->state, STATE_META, id, &docs);
	store_docs_free(&docs);
	return r != -REASON_NOT_FOUND;
}

/* When its successor was made, which is when the last row was written under it; 0: there is none. */
static int64_t replaced_ms(const struct old_keys *keys, const char *tenant,
	int64_t generation)
{
	char id[SEALED_KEYS_ID];
	struct store_docs docs = {0};
	int64_t at_ms = 0;
	snprintf(id, sizeof(id), "%s/%lld", *tenant ? tenant : "#operator",
		(long long)generation + 1);
	if (store_wait_get(keys->store->state, STATE_KEY, id, &docs))
		return 0;
	json_t *object = json_loads(docs.docs[0].body, 0, NULL);
	at_ms = number_of(object, "created_ms");
	json_decref(object);
	store_docs_free(&docs);
	return at_ms;
}

static void look_at(const struct old_keys *keys, const struct state_doc *doc)
{
	json_t *object = json_loads(doc->body, 0, NULL);
	const char *tenant = json_string_value(json_object_get(object, "tenant"));
	int64_t generation = number_of(object, "generation");
	if (!tenant || !generation || number_of(object, "destroyed_ms"))
		goto out;
	int64_t replaced = replaced_ms(keys, tenant, generation);
	if (!replaced || is_resealing(keys, tenant) ||
		replaced + days_of(keys, tenant) * DAY_MS > keys->now_ms)
		goto out;
	int r = sealed_keys_destroy_one(sealed_store_keys(keys->store), doc);
	if (r == 0)
		r = sealed_store_tell(keys->store, tenant);
	log_line(r ? LOG_WARN : LOG_INFO,
		r ? "an old data key was not destroyed" : "an old data key destroyed",
		LOG_S("key", doc->id), LOG_S("reason", reason_symbol(r)));
out:
	json_decref(object);
}

void old_keys_destroy(struct store *store, int64_t records_days, int64_t now_ms)
{
	struct old_keys keys = {store, records_days, now_ms};
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	while (count == PAGE) {
		struct store_docs docs = {0};
		int r = store_wait_list(store->state, STATE_KEY, NULL, after, PAGE,
			&docs);
		count = r ? 0 : docs.count;
		for (size_t i = 0; i < count; i++)
			look_at(&keys, &docs.docs[i]);
		if (count)
			snprintf(after, sizeof(after), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
}
