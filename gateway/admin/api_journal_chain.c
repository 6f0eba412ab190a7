#include "admin/api_journal_chain.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/journal_chain.h"
#include "store/journal_checkpoint.h"

#define PAGE 100

/* Takes the reference of `line` over. */
static int put_line(struct call *call, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	int status = text ? exchange_put(call->exchange, text, strlen(text))
			  : -REASON_NO_MEMORY;

	if (!status)
		status = exchange_put(call->exchange, "\n", 1);
	free(text);
	json_decref(line);
	return status;
}

static int put_key(struct call *call)
{
	uint8_t public_key[JOURNAL_CHECKPOINT_PUBLIC];
	char text[TEXT_B64_SIZE(JOURNAL_CHECKPOINT_PUBLIC)];

	journal_checkpoint_signer_public(call->admin->parts.signer, public_key);
	text_b64(text, public_key, sizeof(public_key));
	return put_line(call, json_pack("{s:s}", "public_key", text));
}

static int put_link(struct call *call, const struct journal_row *row)
{
	char rest[TEXT_HEX_SIZE(JOURNAL_HASH)], hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	struct journal_stub stub;
	int status = journal_is_stub(row) ? journal_row_stub(row, &stub)
					  : journal_chain_stub(row, &stub);

	if (status)
		return status;
	text_hex(rest, stub.rest, JOURNAL_HASH);
	text_hex(hash, stub.hash, JOURNAL_HASH);
	return put_line(call,
		json_pack("{s:I, s:s, s:I, s:s, s:s}", "seq", (json_int_t)stub.seq,
			"kind", journal_kind_name(stub.kind), "at_ms",
			(json_int_t)stub.at_ms, "rest", rest, "hash", hash));
}

/* Where the chain begins: everything before was removed when its time was over. */
static int put_anchor(struct call *call, const struct store_rows *rows)
{
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)];

	text_hex(hash, rows->last_hash, JOURNAL_HASH);
	return put_line(call, json_pack("{s:{s:I, s:s}}", "anchor", "seq",
				      (json_int_t)rows->last_seq, "hash", hash));
}

static int put_links(struct call *call)
{
	uint64_t after = 0;
	size_t count = 1;
	int status = 0;

	while (!status && count) {
		struct store_rows rows = {0};
		status = store_wait_copy(call_store(call)->journal, after, &rows);
		count = rows.count;
		if (!status && !after)
			status = put_anchor(call, &rows);
		for (size_t i = 0; !status && i < count; i++) {
			status = put_link(call, &rows.rows[i]);
			after = rows.rows[i].seq;
		}
		store_rows_free(&rows);
	}
	return status;
}

static int put_checkpoints(struct call *call)
{
	char after[STATE_ID_MAX + 1] = JOURNAL_CHECKPOINT_PREFIX;
	const size_t prefix = strlen(JOURNAL_CHECKPOINT_PREFIX);
	size_t count = PAGE;
	int status = 0;

	while (!status && count == PAGE) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(call)->state, STATE_META, NULL, after,
			PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; !status && i < docs.count; i++) {
			if (strncmp(docs.docs[i].id, JOURNAL_CHECKPOINT_PREFIX, prefix)) {
				count = 0;
				break;
			}
			status = put_line(call, json_pack("{s:o}", "checkpoint",
							call_body(&docs.docs[i])));
		}
		if (count)
			text_clip(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static int stream(struct call *call)
{
	int status = exchange_begin(call->exchange, "application/jsonl; charset=utf-8");

	if (!status)
		status = put_key(call);
	if (!status)
		status = put_links(call);
	if (!status)
		status = put_checkpoints(call);
	return status ? status : exchange_end(call->exchange);
}

void api_journal_chain_export(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);

	if (call_audit(call, AUDIT_JOURNAL_EXPORTED, "", "",
		    json_pack("{s:s, s:s, s:{}}", "kind", "chain", "format", "jsonl",
			    "filter")))
		return;
	if (sem_trywait(&call->admin->streams)) {
		call_fail(call, -REASON_BUSY, "too many exports at once");
		return;
	}
	int status = stream(call);
	sem_post(&call->admin->streams);
	if (status)
		call_fail(call, status, NULL);
}
