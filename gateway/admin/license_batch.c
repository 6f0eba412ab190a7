#include "admin/license_batch.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"

struct license_batch {
	struct call *call;
	size_t count;
	struct license_batch_made made[LICENSE_BATCH];
	struct state_doc docs[LICENSE_BATCH];
	char tenants[LICENSE_BATCH][LICENSE_TENANT_SIZE];
	struct journal_row rows[LICENSE_BATCH];
	struct license_card *cards[LICENSE_BATCH];
};

/* What a new document has. */
#define FIRST_VERSION 1

int license_batch_new(struct call *call, struct license_batch **ret)
{
	struct license_batch *batch = secret_alloc(sizeof(*batch));

	if (!batch)
		return -REASON_NO_MEMORY;
	batch->call = call;
	*ret = batch;
	return 0;
}

static void empty(struct license_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		char *body = (char *)batch->docs[i].body;
		if (body)
			secret_wipe(body, strlen(body));
		free(body);
		free((char *)batch->rows[i].body);
		free(batch->cards[i]);
	}
	batch->count = 0;
}

struct license_batch *license_batch_free(struct license_batch *batch)
{
	if (!batch)
		return NULL;
	empty(batch);
	secret_free(batch, sizeof(*batch));
	return NULL;
}

int license_batch_full(const struct license_batch *batch)
{
	return batch->count == LICENSE_BATCH;
}

static int make_row(struct license_batch *batch, const struct license *license,
	char **ret)
{
	json_t *fields = json_pack("{s:s, s:s, s:s*}", "license", license->id, "holder",
		license->holder, "group", *license->group ? license->group : NULL);

	if (license->expires_ms)
		json_object_set_new(fields, "expires_ms",
			json_integer(license->expires_ms));
	return audit_body(AUDIT_LICENSE_CREATED, batch->call->by.name,
		batch->call->exchange->address, fields, ret);
}

int license_batch_add(struct license_batch *batch, struct license *license, long line)
{
	CHECK(batch->count < LICENSE_BATCH);
	struct license_batch_made *made = &batch->made[batch->count];
	char *tenant = batch->tenants[batch->count], *body = NULL, *row = NULL;
	struct license_card *card = NULL;
	struct license_key key = {0};
	int status = license_issue(license, &key);

	if (!status)
		status = license_desk_password(made->password, license->password);
	license->created_ms = license->changed_ms = clock_wall_ms();
	if (!status)
		status = license_write(license, NULL, &body);
	if (!status)
		status = license_card_make(license, FIRST_VERSION, &card);
	if (!status)
		status = make_row(batch, license, &row);
	if (!status) {
		made->line = line;
		made->status = 0;
		memcpy(made->id, license->id, sizeof(made->id));
		license_key_print(&key, made->key);
		memcpy(tenant, license->tenant, sizeof(license->tenant));
		batch->docs[batch->count] = (struct state_doc){.kind = STATE_LICENSE,
			.id = made->id,
			.tenant = tenant,
			.body = body};
		batch->rows[batch->count] = (struct journal_row){.kind = JOURNAL_AUDIT,
			.tenant = tenant,
			.license = made->id,
			.at_ms = license->created_ms,
			.body = row};
		batch->cards[batch->count] = card;
		batch->count++;
	} else {
		free(body);
		free(card);
	}
	secret_wipe(&key, sizeof(key));
	return status;
}

/* What was recorded and not done is recorded as such. */
static void settle(struct license_batch *batch, const int *statuses)
{
	struct call *call = batch->call;

	for (size_t i = 0; i < batch->count; i++) {
		struct license_batch_made *made = &batch->made[i];
		made->status = statuses[i];
		if (!made->status) {
			license_index_put(call->admin->licenses, batch->cards[i]);
			batch->cards[i] = NULL;
			continue;
		}
		if (call_record(call, AUDIT_ACT_UNDONE, batch->tenants[i], made->id,
			    json_pack("{s:s, s:s, s:s}", "of", "LICENSE_CREATED",
				    "reason", reason_symbol(made->status), "license",
				    made->id)))
			break; /* the store is away: there is nobody to tell */
	}
}

int license_batch_write(struct license_batch *batch,
	const struct license_batch_made **ret, size_t *ret_count)
{
	struct store *store = call_store(batch->call);
	int statuses[LICENSE_BATCH];
	size_t count = batch->count;
	int status = 0;

	if (count)
		status = store_wait_append(store->journal, batch->rows, count);
	if (!status && count)
		status = store_wait_put_many(store->state, batch->docs, count, statuses);
	if (!status && count)
		settle(batch, statuses);
	empty(batch);
	*ret = batch->made;
	*ret_count = status ? 0 : count;
	return status;
}
