/* page: a part of a list, and how to get the next: ?limit=N&after=CURSOR; the answer is
 * {"items":[…],"next":CURSOR or null}.
 *
 * Thread: that of the call. Lists of documents are in order of id, the cursor is the last id looked
 * at; journal rows are in order of seq.
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include "admin/call.h"

#define PAGE_DEFAULT 100
#define PAGE_MOST 1000
#define PAGE_CURSOR_MAX 512

struct page {
	size_t limit;
	const char *after; /* NULL: from the start */
};

/* -REASON_*: answered. */
MUST_CHECK int page_parse(struct call *call, struct page *ret);

/* Makes an item of a document: a new reference, or NULL to leave it out. */
typedef json_t *(*page_item)(struct call *call, const struct state_doc *doc);

/* Lists documents of the caller's reach and answers. */
void page_documents(struct call *call, enum state_kind kind, page_item item);
/* Those of `tenant`, NULL: all, also to somebody of one company: for what concerns everybody. */
void page_documents_of(struct call *call, enum state_kind kind, const char *tenant,
	page_item item);
/* Hands every document to `each`, however many; stops at its first error. -REASON_* is not
 * answered. */
MUST_CHECK int page_each(struct call *call, enum state_kind kind, const char *tenant,
	int (*each)(struct call *call, const struct state_doc *doc, void *ctx),
	void *ctx);

#endif
