/* What the index reads from the store: all licenses, those that were touched, and whose hosts are online. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/license_index_inside.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define STEP 1000
/* Read again at once: so many documents are asked for together. */
#define TOGETHER 512
/* Presence is asked for anew when a question is about it and the last answer is older. */
#define ONLINE_FRESH_MS 2000

static int put_document(struct license_index *index, const struct state_doc *doc)
{
	struct field_error error;
	struct license license;
	struct license_card *card;
	int status = 0;

	/* A damaged document is not found by anything; license show names it. */
	if (license_read(doc->body, &license, &error)) {
		pthread_mutex_lock(&index->lock);
		card_shelf_take_out(&index->shelf, doc->id);
		pthread_mutex_unlock(&index->lock);
		return 0;
	}
	status = license_card_make(&license, doc->version, &card);
	secret_wipe(&license, sizeof(license));
	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	status = card_shelf_put(&index->shelf, card);
	pthread_mutex_unlock(&index->lock);
	return status;
}

/* ---- touched ones ------------------------------------------------------------------------ */

/* What was asked for and is not among the answers is gone. */
static int read_some(struct license_index *index, license_id *ids, size_t count)
{
	const char *names[TOGETHER] = {0};
	struct store_docs docs = {0};

	for (size_t i = 0; i < count; i++)
		names[i] = ids[i];
	int status = store_wait_get_many(index->store->state, STATE_LICENSE, names, count,
		&docs);
	size_t next = 0;
	for (size_t i = 0; !status && i < count; i++) {
		if (next < docs.count && !strcmp(docs.docs[next].id, ids[i])) {
			status = put_document(index, &docs.docs[next++]);
			continue;
		}
		pthread_mutex_lock(&index->lock);
		card_shelf_take_out(&index->shelf, ids[i]);
		pthread_mutex_unlock(&index->lock);
	}
	store_docs_free(&docs);
	return status;
}

int license_index_read_touched(struct license_index *index)
{
	license_id *ids;
	size_t count;
	int status = 0;

	pthread_mutex_lock(&index->reading);
	pthread_mutex_lock(&index->lock);
	ids = index->touched;
	count = index->touched_count;
	index->touched = NULL;
	index->touched_count = index->touched_room = 0;
	pthread_mutex_unlock(&index->lock);
	for (size_t at = 0; at < count; at += TOGETHER) {
		size_t some = count - at < TOGETHER ? count - at : TOGETHER;
		if (!status)
			status = read_some(index, ids + at, some);
		/* Not read: to be tried again by the next question. */
		pthread_mutex_lock(&index->lock);
		for (size_t i = 0; status && i < some; i++)
			license_index_note(index, ids[at + i]);
		pthread_mutex_unlock(&index->lock);
	}
	pthread_mutex_unlock(&index->reading);
	free(ids);
	return status;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Those of the index up to `last` (NULL: to the end) that the page does not have, or has otherwise. */
static void compare_page(struct license_index *index, const char *after,
	const struct store_docs *docs, const char *last)
{
	pthread_mutex_lock(&index->lock);
	size_t at = *after ? card_shelf_place(&index->shelf, after) : 0;
	if (*after && card_shelf_at(&index->shelf, at, after))
		at++;
	for (size_t i = 0; i < docs->count; i++) {
		const struct state_doc *doc = &docs->docs[i];
		for (; at < index->shelf.count &&
			strcmp(index->shelf.cards[at]->id, doc->id) < 0;
			at++)
			license_index_note(index, index->shelf.cards[at]->id);
		struct license_card *card = card_shelf_at(&index->shelf, at, doc->id);
		if (!card || card->version != doc->version)
			license_index_note(index, doc->id);
		at += card != NULL;
	}
	for (; !last && at < index->shelf.count; at++)
		license_index_note(index, index->shelf.cards[at]->id);
	pthread_mutex_unlock(&index->lock);
}

static int take_page(struct license_index *index, const struct store_docs *docs)
{
	int status = 0;

	for (size_t i = 0; !status && i < docs->count; i++)
		status = put_document(index, &docs->docs[i]);
	return status;
}

enum how { FIRST, AGAIN };

static int read_all(struct license_index *index, enum how how)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = STEP;
	int status = 0;

	while (!status && count == STEP) {
		struct store_docs docs = {0};
		status = store_wait_list(index->store->state, STATE_LICENSE, NULL,
			*after ? after : NULL, STEP, &docs);
		if (status)
			break;
		count = docs.count;
		if (how == FIRST)
			status = take_page(index, &docs);
		else
			compare_page(index, after, &docs, count == STEP ? after : NULL);
		if (count)
			snprintf(after, sizeof(after), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

int license_index_read(struct license_index *index)
{
	pthread_mutex_lock(&index->lock);
	int again = index->loaded;
	index->compare_now = 0;
	pthread_mutex_unlock(&index->lock);
	if (again) {
		int status = read_all(index, AGAIN);
		return status ? status : license_index_read_touched(index);
	}
	pthread_mutex_lock(&index->reading);
	int status = read_all(index, FIRST);
	pthread_mutex_unlock(&index->reading);
	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	index->loaded = 1;
	pthread_cond_broadcast(&index->loaded_cond);
	log_line(LOG_DEBUG, "license index", LOG_U("licenses", index->shelf.count));
	pthread_mutex_unlock(&index->lock);
	return 0;
}

/* ---- who is online ----------------------------------------------------------------------- */

/* Where all hosts are now; `ids` and `online` have room for `count`. */
static int locate_all(struct license_index *index, const license_id *ids, size_t count,
	uint8_t *online)
{
	const char *names[TOGETHER];
	int status = 0;

	for (size_t at = 0; !status && at < count; at += TOGETHER) {
		size_t some = count - at < TOGETHER ? count - at : TOGETHER;
		for (size_t i = 0; i < some; i++)
			names[i] = ids[at + i];
		status = store_wait_locate_many(index->store->state, names, some,
			online + at);
	}
	return status;
}

static void set_online(struct license_index *index, const license_id *ids, size_t count,
	const uint8_t *online)
{
	pthread_mutex_lock(&index->lock);
	for (size_t i = 0; i < count; i++) {
		size_t at = card_shelf_place(&index->shelf, ids[i]);
		struct license_card *card = card_shelf_at(&index->shelf, at, ids[i]);
		if (card)
			card->online = online[i];
	}
	index->online_ms = clock_mono_ms();
	pthread_mutex_unlock(&index->lock);
}

int license_index_read_online(struct license_index *index)
{
	pthread_mutex_lock(&index->reading);
	pthread_mutex_lock(&index->lock);
	size_t count = index->shelf.count;
	int fresh =
		index->online_ms && clock_mono_ms() - index->online_ms < ONLINE_FRESH_MS;
	license_id *ids = fresh ? NULL : calloc(count + 1, sizeof(*ids));
	uint8_t *online = calloc(count + 1, 1);
	for (size_t i = 0; ids && i < count; i++)
		memcpy(ids[i], index->shelf.cards[i]->id, sizeof(*ids));
	pthread_mutex_unlock(&index->lock);
	int status = fresh ? 0 : ids && online ? 0 : -REASON_NO_MEMORY;
	if (!fresh && !status)
		status = locate_all(index, ids, count, online);
	if (!fresh && !status)
		set_online(index, ids, count, online);
	pthread_mutex_unlock(&index->reading);
	free(ids);
	free(online);
	return status;
}
