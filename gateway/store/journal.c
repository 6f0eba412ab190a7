#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "store/journal_chain.h"
#include "store/state.h"

const char *journal_kind_name(enum journal_kind kind)
{
	static const char *const names[] = {"audit", "login", "session", "bandwidth"};
	_Static_assert(ARRAY_LEN(names) == JOURNAL_KINDS, "every kind has a name");
	return (unsigned)kind < JOURNAL_KINDS ? names[kind] : "unknown";
}

int journal_rows_check(const struct journal_row *rows, size_t count)
{
	if (count > JOURNAL_APPEND_MAX)
		return -REASON_LIMIT;
	for (size_t i = 0; i < count; i++) {
		const struct journal_row *row = &rows[i];
		CHECK((unsigned)row->kind < JOURNAL_KINDS);
		size_t body =
			state_is_boxed(row->body) ? JOURNAL_BOX_MAX : JOURNAL_BODY_MAX;
		if (strnlen(row->tenant, STATE_TENANT_MAX + 1) > STATE_TENANT_MAX ||
			strnlen(row->license, STATE_ID_MAX + 1) > STATE_ID_MAX ||
			strnlen(row->body, body + 1) > body ||
			(row->series && strnlen(row->series, JOURNAL_SERIES_MAX + 1) >
						JOURNAL_SERIES_MAX))
			return -REASON_LIMIT;
	}
	return 0;
}

enum journal_class journal_class_of(enum journal_kind kind)
{
	return kind == JOURNAL_BANDWIDTH ? JOURNAL_COUNTS : JOURNAL_RECORDS;
}

int64_t journal_purge_before(const struct journal_purge *purge, enum journal_kind kind,
	const char *tenant)
{
	enum journal_class class = journal_class_of(kind);
	for (size_t i = 0; class == JOURNAL_RECORDS && i < purge->count; i++)
		if (strcmp(purge->tenants[i].tenant, tenant) == 0)
			return purge->tenants[i].before_ms;
	return purge->before_ms[class];
}

int64_t journal_purge_latest(const struct journal_purge *purge, enum journal_kind kind)
{
	enum journal_class class = journal_class_of(kind);
	int64_t latest = purge->before_ms[class];
	for (size_t i = 0; class == JOURNAL_RECORDS && i < purge->count; i++)
		if (purge->tenants[i].before_ms > latest)
			latest = purge->tenants[i].before_ms;
	return latest;
}

struct journal_purge *journal_purge_copy(const struct journal_purge *purge)
{
	size_t text = 0, list = purge->count * sizeof(*purge->tenants);
	for (size_t i = 0; i < purge->count; i++)
		text += strlen(purge->tenants[i].tenant) + 1;
	struct journal_purge *copy = malloc(sizeof(*copy) + list + text);
	if (!copy)
		return NULL;
	struct journal_keep *tenants = (struct journal_keep *)(copy + 1);
	char *at = (char *)(tenants + purge->count);
	*copy = *purge;
	copy->tenants = tenants;
	for (size_t i = 0; i < purge->count; i++) {
		size_t size = strlen(purge->tenants[i].tenant) + 1;
		tenants[i] =
			(struct journal_keep){memcpy(at, purge->tenants[i].tenant, size),
				purge->tenants[i].before_ms};
		at += size;
	}
	return copy;
}

int journal_is_stub(const struct journal_row *row)
{
	return !*row->node;
}

void journal_stub_row(const struct journal_stub *stub, struct journal_row *ret,
	char ret_body[static 2 * JOURNAL_HASH + 1])
{
	text_hex(ret_body, stub->rest, JOURNAL_HASH);
	*ret = (struct journal_row){.kind = stub->kind,
		.tenant = "",
		.license = "",
		.at_ms = stub->at_ms,
		.body = ret_body,
		.seq = stub->seq,
		.node = ""};
	memcpy(ret->hash, stub->hash, JOURNAL_HASH);
}

int journal_row_stub(const struct journal_row *row, struct journal_stub *ret)
{
	*ret = (struct journal_stub){
		.seq = row->seq, .kind = row->kind, .at_ms = row->at_ms};
	memcpy(ret->hash, row->hash, JOURNAL_HASH);
	return text_unhex(ret->rest, JOURNAL_HASH, row->body) ? -REASON_STATE_DAMAGED : 0;
}
