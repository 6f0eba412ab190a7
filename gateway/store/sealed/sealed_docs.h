/* sealed_docs: documents as they stand in a store, and back: which kinds are sealed, under whose key, and
 * what binds a box to its place (kind, id, tenant, generation of the key).
 *
 * Kinds that hold nothing personal stay clear (nodes, counts, keys, outages, notices, the operator's
 * statements, marks of the store itself). Ids, tenants and versions stay clear, for they are looked
 * for; but the ids of accounts and of lockouts are names and addresses, so the store has a keyed
 * hash there, and the name stands in the box. Lists of these two are in the order of the hashes.
 *
 * Thread: any. Results: 0; 1: the key is not known here, sealed_keys_load() first; -REASON_*.
 */
#ifndef SEALED_SEALED_DOCS_H
#define SEALED_SEALED_DOCS_H

#include "store/sealed/sealed_keys.h"
#include "store/state.h"

int sealed_docs_is_sealed(enum state_kind kind);
/* The id under which the store has it; `ret` may be `name` itself for kinds whose ids stay. */
MUST_CHECK int sealed_docs_id(struct sealed_keys *keys, enum state_kind kind,
	const char *name, char ret[static STATE_ID_MAX + 1]);

/* A document for the store. `ret` borrows what did not change; the caller frees *ret_body. */
struct sealed_doc {
	struct state_doc doc;
	char id[STATE_ID_MAX + 1];
	char *body; /* NULL: the kind is not sealed */
};
MUST_CHECK int sealed_docs_close(struct sealed_keys *keys, const struct state_doc *doc,
	struct sealed_doc *ret);
void sealed_docs_done(struct sealed_doc *doc);

/* Documents of one answer, opened. */
struct sealed_page {
	struct state_doc *docs;
	char *text;
	size_t size;
};
enum sealed_docs_mercy {
	SEALED_DOCS_STRICT, /* one that does not open: -REASON_STATE_DAMAGED */
	SEALED_DOCS_MARK    /* it gets the body {"damaged":true} instead */
};
/* 1: *ret_missing is a document whose key has to be loaded. */
MUST_CHECK int sealed_docs_open(struct sealed_keys *keys, const struct state_doc *docs,
	size_t count, enum sealed_docs_mercy mercy, struct sealed_page *ret,
	size_t *ret_missing);
/* Wipes. */
void sealed_docs_wipe(struct sealed_page *page);

#endif
