#include "admin/api_license_bulk.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "admin/license_search.h"
#include "admin/policy_desk.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/lockout.h"

/* Of one round: documents that are read, rows and documents that are written together. */
#define ROUND 256
#define IDS_MOST 4000

typedef char license_id[LICENSE_KEY_ID_SIZE];

/* One license in a round. */
struct item {
	license_id id;
	int status;
	struct license license; /* as it will be */
	char tenant[STATE_TENANT_MAX + 1];
	struct state_doc doc;
	struct journal_row row;
};

struct bulk {
	struct call *call;
	int removes;
	json_t *changes; /* borrowed, or NULL when it removes */
	enum audit_event event;
	license_id *ids;
	size_t count;
	struct item *items;
	size_t item_count;
	json_int_t done;
	json_t *failed;
};

/* what and which */

static int read_act(struct bulk *bulk, const json_t *object)
{
	const char *act = json_string_value(json_object_get(object, "act"));
	json_t *change = json_object_get(object, "change");
	struct license probe = {.holder = "x"};
	struct field_error error;

	if (!act || (strcmp(act, "enable") && strcmp(act, "disable") &&
			    strcmp(act, "delete") && strcmp(act, "change")))
		return call_wrong(bulk->call, "act", "enable, disable, delete or change");
	if (strcmp(act, "change") && change)
		return call_wrong(bulk->call, "change", "only with the act change");
	bulk->removes = !strcmp(act, "delete");
	bulk->event = bulk->removes            ? AUDIT_LICENSE_DELETED
		      : !strcmp(act, "change") ? AUDIT_LICENSE_CHANGED
		      : !strcmp(act, "enable") ? AUDIT_LICENSE_ENABLED
					       : AUDIT_LICENSE_DISABLED;
	if (bulk->event == AUDIT_LICENSE_CHANGED && !json_object_size(change))
		return call_wrong(bulk->call, "change", "nothing to change");
	if (bulk->removes)
		return 0;
	if (json_object_get(change, "directory"))
		return call_wrong(bulk->call, "directory", "one license at a time");
	/* To a license null is "not given"; to whoever sends it, it is "never". */
	if (json_is_null(json_object_get(change, "expires"))) {
		json_object_del(change, "expires");
		json_object_set_new(change, "expires_ms", json_integer(0));
	}
	bulk->changes = change ? json_incref(change)
			       : json_pack("{s:s}", "state",
					 *act == 'e' ? "enabled" : "disabled");
	/* What is wrong for one is wrong for all: said before anything is done. */
	return license_change(&probe, bulk->changes, &error)
		       ? call_wrong(bulk->call, error.field, error.message)
		       : 0;
}

static int take_ids(struct bulk *bulk, const json_t *ids)
{
	char public_id[LICENSE_KEY_PUBLIC_SIZE];
	const json_t *id;
	size_t i;

	if (!json_is_array(ids) || json_array_size(ids) > IDS_MOST)
		return call_wrong(bulk->call, "ids", "a list of at most 4000 ids");
	bulk->ids = calloc(json_array_size(ids) + 1, sizeof(*bulk->ids));
	if (!bulk->ids)
		return call_fail(bulk->call, -REASON_NO_MEMORY, NULL);
	json_array_foreach(ids, i, id)
	{
		const char *text = json_string_value(id);
		if (!text || license_key_id_parse(text, public_id))
			return call_wrong(bulk->call, "ids",
				"an id is lic_ and nine characters");
		license_key_id(public_id, bulk->ids[bulk->count++]);
	}
	return 0;
}

static int take_filtered(struct bulk *bulk, const json_t *object)
{
	struct license_index_page page = {0};
	struct license_filter filter;
	int status = license_search_of_object(bulk->call, object, &filter);

	if (status)
		return status;
	/* An empty one is rather a mistake than the wish to delete everything. */
	if (!license_card_narrows(&filter) && !filter.tenant)
		return call_wrong(bulk->call, "filter", "names nothing");
	status = license_index_find(bulk->call->admin->licenses, &filter, NULL,
		LICENSE_INDEX_MOST, &page);
	if (status)
		return call_fail(bulk->call, status, NULL);
	bulk->ids = page.ids;
	bulk->count = page.count;
	return 0;
}

static int read_which(struct bulk *bulk, const json_t *object)
{
	const json_t *ids = json_object_get(object, "ids");
	const json_t *filter = json_object_get(object, "filter");
	static const char *const known[] = {"act", "ids", "filter", "change", NULL};
	struct field_error error;

	if (field_known(object, known, &error))
		return call_wrong(bulk->call, error.field, error.message);
	if (!ids == !filter)
		return call_wrong(bulk->call, "ids", "either ids or filter is needed");
	if (filter && !json_is_object(filter))
		return call_wrong(bulk->call, "filter", "an object is expected");
	return ids ? take_ids(bulk, ids) : take_filtered(bulk, filter);
}

/* one license */

static json_t *fields_of(const struct bulk *bulk, const struct license *license)
{
	json_t *fields = json_pack("{s:s}", "license", license->id);

	if (bulk->removes)
		json_object_set_new(fields, "holder", json_string(license->holder));
	else if (bulk->event == AUDIT_LICENSE_CHANGED)
		json_object_set(fields, "changes", bulk->changes);
	return fields;
}

static int make_row(const struct bulk *bulk, struct item *item)
{
	char *text;
	int status = audit_body(bulk->event, bulk->call->by.name,
		bulk->call->exchange->address, fields_of(bulk, &item->license), &text);

	if (!status)
		item->row = (struct journal_row){.kind = JOURNAL_AUDIT,
			.tenant = item->tenant,
			.license = item->id,
			.at_ms = clock_wall_ms(),
			.body = text};
	return status;
}

/* What is to be written of a document that was read. */
static int prepare(const struct bulk *bulk, struct item *item,
	const struct state_doc *before)
{
	struct field_error error;
	char *body = NULL;

	if (!call_may_see(bulk->call, before->tenant))
		return -REASON_NOT_FOUND;
	if (license_read(before->body, &item->license, &error))
		return -REASON_STATE_DAMAGED;
	snprintf(item->tenant, sizeof(item->tenant), "%s", before->tenant);
	if (!bulk->removes && license_change(&item->license, bulk->changes, &error))
		return -REASON_BAD_VALUE;
	if (!bulk->removes) {
		item->license.changed_ms = clock_wall_ms();
		int status = license_write(&item->license, before->body, &body);
		if (status)
			return status;
	}
	item->doc = (struct state_doc){.kind = STATE_LICENSE,
		.id = item->id,
		.tenant = item->tenant,
		.version = before->version,
		.body = body};
	/* A second try after a conflict was recorded by the first. */
	return item->row.body ? 0 : make_row(bulk, item);
}

static void item_done(struct item *item)
{
	char *body = (char *)item->doc.body;

	if (body)
		secret_wipe(body, strlen(body));
	free(body);
	item->doc.body = NULL;
	secret_wipe(&item->license, sizeof(item->license));
}

/* a round */

static void read_all(struct bulk *bulk)
{
	const char *ids[ROUND];
	struct store_docs docs = {0};
	size_t asked = 0, next = 0;

	for (size_t i = 0; i < bulk->item_count; i++)
		if (bulk->items[i].status == -REASON_CONFLICT)
			ids[asked++] = bulk->items[i].id;
	int status = store_wait_get_many(call_store(bulk->call)->state, STATE_LICENSE,
		ids, asked, &docs);
	for (size_t i = 0; i < bulk->item_count; i++) {
		struct item *item = &bulk->items[i];
		if (item->status != -REASON_CONFLICT)
			continue;
		item_done(item);
		if (status)
			item->status = status;
		else if (next < docs.count && !strcmp(docs.docs[next].id, item->id))
			item->status = prepare(bulk, item, &docs.docs[next++]);
		else
			item->status = -REASON_NOT_FOUND;
	}
	store_docs_free(&docs);
}

/* Of those that were not recorded yet. What cannot be recorded is not done. */
static void record_all(struct bulk *bulk, int first)
{
	struct journal_row rows[ROUND];
	size_t count = 0;

	for (size_t i = 0; first && i < bulk->item_count; i++)
		if (!bulk->items[i].status)
			rows[count++] = bulk->items[i].row;
	int status =
		count ? store_wait_append(call_store(bulk->call)->journal, rows, count)
		      : 0;
	for (size_t i = 0; status && i < bulk->item_count; i++)
		if (!bulk->items[i].status)
			bulk->items[i].status = -REASON_RECORDING_FAILED;
}

static int write_many(struct bulk *bulk, struct state_doc *docs, size_t count,
	int *ret_status)
{
	struct state *state = call_store(bulk->call)->state;
	const char *ids[ROUND];

	for (size_t i = 0; i < count; i++)
		ids[i] = docs[i].id;
	return bulk->removes ? store_wait_remove_many(state, STATE_LICENSE, ids, count,
				       ret_status)
			     : store_wait_put_many(state, docs, count, ret_status);
}

/* Those that are written have status 0 afterwards; of those that were changed in between it is
 * CONFLICT. */
static void write_all(struct bulk *bulk)
{
	struct state_doc docs[ROUND];
	struct item *items[ROUND];
	int statuses[ROUND];
	size_t count = 0;

	for (size_t i = 0; i < bulk->item_count; i++)
		if (!bulk->items[i].status) {
			items[count] = &bulk->items[i];
			docs[count++] = bulk->items[i].doc;
		}
	int status = write_many(bulk, docs, count, statuses);
	for (size_t i = 0; i < count; i++)
		items[i]->status = status ? status : statuses[i];
}

static void remove_belongings(struct bulk *bulk)
{
	static const enum state_kind kinds[] = {STATE_HOST, STATE_DEVICE, STATE_ATTEMPTS};
	char locks[ROUND][LOCKOUT_ID_SIZE];
	const char *ids[ROUND];
	int statuses[ROUND];

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		size_t count = 0;
		for (size_t i = 0; i < bulk->item_count; i++) {
			const struct item *item = &bulk->items[i];
			if (item->status)
				continue;
			ids[count] = item->id;
			if (kinds[k] == STATE_ATTEMPTS &&
				!lockout_id(locks[count], "license", item->id))
				ids[count] = locks[count];
			count++;
		}
		if (store_wait_remove_many(call_store(bulk->call)->state, kinds[k], ids,
			    count, statuses))
			return;
	}
}

/* Who may no longer come in must not stay in either. An order that is not given is told by the
 * first of them; the act itself is done. */
static int order_one(struct bulk *bulk, const struct item *item)
{
	int status = license_admit(&item->license, clock_wall_ms());

	if (bulk->removes)
		return license_desk_revoke(bulk->call, item->id, "LICENSE_UNKNOWN");
	if (status)
		return license_desk_revoke(bulk->call, item->id, reason_symbol(status));
	return bulk->event == AUDIT_LICENSE_CHANGED
		       ? policy_desk_order(bulk->call, item->license.tenant, item->id)
		       : 0;
}

/* It was recorded before, so that it was not done is recorded too. */
static void record_undone(struct bulk *bulk, const struct item *item)
{
	int status = call_record(bulk->call, AUDIT_ACT_UNDONE, item->tenant, item->id,
		json_pack("{s:s, s:s, s:s}", "of", audit_at(bulk->event)->name, "reason",
			reason_symbol(item->status), "license", item->id));

	if (status)
		log_line(LOG_ERROR, "an act that failed could not be recorded as such",
			LOG_S("license", item->id),
			LOG_S("reason", reason_symbol(status)));
}

static void add_failure(struct bulk *bulk, const struct item *item)
{
	enum reason_lang lang = bulk->call->exchange->lang;

	if (item->row.body && item->status != -REASON_RECORDING_FAILED)
		record_undone(bulk, item);
	json_array_append_new(bulk->failed,
		json_pack("{s:s, s:s, s:s}", "id", item->id, "code",
			reason_symbol(item->status), "message",
			reason_text(-item->status, lang)));
}

/* -REASON_*: answered. */
static int settle(struct bulk *bulk)
{
	int status = 0;

	for (size_t i = 0; i < bulk->item_count; i++) {
		struct item *item = &bulk->items[i];
		license_index_touch(bulk->call->admin->licenses, item->id);
		if (item->status)
			add_failure(bulk, item);
		else if (!status)
			status = order_one(bulk, item);
		bulk->done += !item->status;
		item_done(item);
		free((char *)item->row.body);
		item->row.body = NULL;
	}
	return status;
}

static int run_round(struct bulk *bulk, size_t at)
{
	bulk->item_count = bulk->count - at < ROUND ? bulk->count - at : ROUND;
	for (size_t i = 0; i < bulk->item_count; i++) {
		memcpy(bulk->items[i].id, bulk->ids[at + i], sizeof(license_id));
		bulk->items[i].status = -REASON_CONFLICT;
	}
	int again = 1;
	for (int try = 0; again && try < LICENSE_DESK_TRIES; try++) {
		read_all(bulk);
		record_all(bulk, try == 0);
		write_all(bulk);
		again = 0;
		for (size_t i = 0; i < bulk->item_count; i++)
			again |= bulk->items[i].status == -REASON_CONFLICT;
	}
	if (bulk->removes)
		remove_belongings(bulk);
	return settle(bulk);
}

static void run(struct bulk *bulk)
{
	int status = 0;

	bulk->items = secret_alloc(ROUND * sizeof(*bulk->items));
	if (!bulk->items || !bulk->failed) {
		call_fail(bulk->call, -REASON_NO_MEMORY, NULL);
		return;
	}
	for (size_t at = 0; !status && at < bulk->count; at += ROUND)
		status = run_round(bulk, at);
	if (bulk->done)
		call_changed(bulk->call, "license", "", bulk->call->by.tenant,
			bulk->removes ? "deleted" : "changed");
	if (!status)
		exchange_json(bulk->call->exchange, 200,
			json_pack("{s:I, s:O}", "done", bulk->done, "failed",
				bulk->failed));
}

void api_license_bulk(void *admin UNUSED, struct exchange *exchange)
{
	struct bulk bulk = {.call = call_of(exchange)};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	bulk.failed = json_array();
	if (!read_which(&bulk, body.object) && !read_act(&bulk, body.object))
		run(&bulk);
	if (bulk.items)
		secret_free(bulk.items, ROUND * sizeof(*bulk.items));
	free(bulk.ids);
	json_decref(bulk.changes);
	json_decref(bulk.failed);
	body_done(&body);
}
