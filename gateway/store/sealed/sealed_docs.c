#include "store/sealed/sealed_docs.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

enum form { CLEAR, SEALED, SEALED_NAME };

static enum form form_of(enum state_kind kind)
{
	switch (kind) {
	case STATE_NODE:
	case STATE_META:
	case STATE_KEY:
	case STATE_NOTICE:
	case STATE_USAGE:
	case STATE_STATEMENT:
	case STATE_OUTAGE:
		return CLEAR;
	case STATE_ACCOUNT:
	case STATE_ATTEMPTS:
		return SEALED_NAME;
	default:
		return SEALED;
	}
}

int sealed_docs_is_sealed(enum state_kind kind)
{
	return form_of(kind) != CLEAR;
}

int sealed_docs_id(struct sealed_keys *keys, enum state_kind kind, const char *name,
	char ret[static STATE_ID_MAX + 1])
{
	if (form_of(kind) == SEALED_NAME)
		return sealed_keys_id(keys, kind, name, ret);
	size_t len = strnlen(name, STATE_ID_MAX + 1);
	if (len > STATE_ID_MAX)
		return -REASON_LIMIT;
	memmove(ret, name, len + 1);
	return 0;
}

static struct sealed_place place_of(const struct state_doc *doc, uint32_t generation)
{
	struct sealed_place place = {0};
	sealed_box_bind(&place, "engawa-doc-1");
	sealed_box_bind(&place, state_kind_name(doc->kind));
	sealed_box_bind(&place, doc->id);
	sealed_box_bind(&place, doc->tenant);
	sealed_box_bind_number(&place, generation);
	return place;
}

/* What is in the box: the body, after the name and its NUL where the id does not tell it. */
static int close_body(struct sealed_keys *keys, const char *name,
	struct sealed_doc *sealed)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation;
	const struct state_doc *doc = &sealed->doc;
	size_t body = strlen(doc->body), head = name ? strlen(name) + 1 : 0;
	int r = sealed_keys_find(keys, doc->tenant, 0, key, &generation);
	if (r)
		return r;
	struct sealed_place place = place_of(doc, generation);
	char *plain = malloc(head + body + 1);
	r = plain ? 0 : -REASON_NO_MEMORY;
	if (r == 0) {
		if (head)
			memcpy(plain, name, head);
		memcpy(plain + head, doc->body, body);
		r = sealed_box_text(key, generation, &place, plain, head + body,
			&sealed->body);
		secret_wipe(plain, head + body);
	}
	free(plain);
	secret_wipe(key, sizeof(key));
	return r;
}

int sealed_docs_close(struct sealed_keys *keys, const struct state_doc *doc,
	struct sealed_doc *ret)
{
	*ret = (struct sealed_doc){.doc = *doc};
	enum form form = form_of(doc->kind);
	if (form == CLEAR)
		return 0;
	int r = sealed_docs_id(keys, doc->kind, doc->id, ret->id);
	if (r)
		return r;
	ret->doc.id = ret->id;
	r = close_body(keys, form == SEALED_NAME ? doc->id : NULL, ret);
	if (r == 0)
		ret->doc.body = ret->body;
	return r;
}

void sealed_docs_done(struct sealed_doc *doc)
{
	free(doc->body);
	doc->body = NULL;
}

/* Opens one into `room`; *ret_used bytes of it are taken. */
static int open_one(struct sealed_keys *keys, const struct state_doc *stored, char *room,
	struct state_doc *ret, size_t *ret_used)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation = sealed_box_generation(stored->body);
	size_t len;
	/* Everything was sealed before the store was used: a clear one was put there by others. */
	if (!generation)
		return -REASON_STATE_DAMAGED;
	int r = sealed_keys_find(keys, stored->tenant, generation, key, &generation);
	if (r)
		return r;
	struct sealed_place place = place_of(stored, generation);
	r = sealed_box_untext(key, &place, stored->body, room, &len);
	secret_wipe(key, sizeof(key));
	if (r)
		return r;
	*ret = *stored;
	ret->body = room;
	*ret_used = len + 1;
	if (form_of(stored->kind) == SEALED_NAME) {
		size_t name = strlen(room);
		if (name >= len)
			return -REASON_STATE_DAMAGED;
		ret->id = room;
		ret->body = room + name + 1;
	}
	return 0;
}

static size_t room_for(const struct state_doc *docs, size_t count)
{
	size_t size = 1;
	for (size_t i = 0; i < count; i++)
		size += sealed_box_room(docs[i].body);
	return size;
}

int sealed_docs_open(struct sealed_keys *keys, const struct state_doc *docs, size_t count,
	enum sealed_docs_mercy mercy, struct sealed_page *ret, size_t *ret_missing)
{
	struct sealed_page page = {.size = room_for(docs, count)};
	int r = 0;
	page.docs = calloc(count + 1, sizeof(*page.docs));
	page.text = malloc(page.size);
	if (!page.docs || !page.text)
		r = -REASON_NO_MEMORY;
	char *at = page.text;
	for (size_t i = 0; i < count && r == 0; i++) {
		size_t used = 0;
		page.docs[i] = docs[i];
		if (form_of(docs[i].kind) == CLEAR)
			continue;
		r = open_one(keys, &docs[i], at, &page.docs[i], &used);
		if (r == 1)
			*ret_missing = i;
		if (r == -REASON_NOT_FOUND)
			r = -REASON_STATE_DAMAGED;
		if (r == -REASON_STATE_DAMAGED && mercy == SEALED_DOCS_MARK) {
			page.docs[i] = docs[i];
			page.docs[i].body = "{\"damaged\":true}";
			r = 0;
		}
		at += used;
	}
	if (r)
		sealed_docs_wipe(&page);
	else
		*ret = page;
	return r;
}

void sealed_docs_wipe(struct sealed_page *page)
{
	if (page->text)
		secret_wipe(page->text, page->size);
	free(page->text);
	free(page->docs);
	*page = (struct sealed_page){0};
}
