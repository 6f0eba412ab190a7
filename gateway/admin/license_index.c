#include "admin/license_index.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "base/secret.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define INDEX_MAGIC 0x6c696478
#define STEP 1000
/* Read again at once: so many documents are asked for together. */
#define TOGETHER 512
#define COMPARE_EVERY_MS 300000
#define RETRY_MS 2000
/* How long a question waits for the first reading. */
#define PATIENCE_S 20
/* Presence is asked for anew when a question is about it and the last answer is older. */
#define ONLINE_FRESH_MS 2000

typedef char license_id[LICENSE_KEY_ID_SIZE];

struct license_index {
	uint32_t magic;
	struct store *store;
	struct post_pump *pump;
	pthread_t thread;
	/* one reader of the store at a time: what was read earlier is never put over what was read
	 * later. Taken before `lock`. */
	pthread_mutex_t reading;
	pthread_mutex_t lock;
	pthread_cond_t loaded_cond;
	/* under the lock: */
	struct license_card **cards; /* in order of id */
	size_t count, room;
	license_id *touched;
	size_t touched_count, touched_room;
	int loaded, stopping, compare_now;
	int64_t online_ms; /* monotonic */
};

/* cards; under the lock */

static size_t position(const struct license_index *index, const char *id)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(index->cards[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct license_card *card_at(const struct license_index *index, size_t at,
	const char *id)
{
	return at < index->count && !strcmp(index->cards[at]->id, id) ? index->cards[at]
								      : NULL;
}

static void take_out(struct license_index *index, const char *id)
{
	size_t at = position(index, id);
	struct license_card *card = card_at(index, at, id);

	if (!card)
		return;
	memmove(index->cards + at, index->cards + at + 1,
		(index->count - at - 1) * sizeof(*index->cards));
	index->count--;
	free(card);
}

static int grow(struct license_index *index)
{
	if (index->count < index->room)
		return 0;
	size_t room = index->room ? index->room * 2 : STEP;
	struct license_card **cards = realloc(index->cards, room * sizeof(*cards));
	if (!cards)
		return -REASON_NO_MEMORY;
	index->cards = cards;
	index->room = room;
	return 0;
}

/* Takes the card over. */
static int put_in(struct license_index *index, struct license_card *card)
{
	size_t at = position(index, card->id);
	struct license_card *before = card_at(index, at, card->id);

	if (before) {
		card->online = before->online;
		index->cards[at] = card;
		free(before);
		return 0;
	}
	int status = grow(index);
	if (status) {
		free(card);
		return status;
	}
	memmove(index->cards + at + 1, index->cards + at,
		(index->count - at) * sizeof(*index->cards));
	index->cards[at] = card;
	index->count++;
	return 0;
}

static int put_document(struct license_index *index, const struct state_doc *doc)
{
	struct field_error error;
	struct license license;
	struct license_card *card;
	int status = 0;

	/* A damaged document is not found by anything; license show names it. */
	if (license_read(doc->body, &license, &error)) {
		pthread_mutex_lock(&index->lock);
		take_out(index, doc->id);
		pthread_mutex_unlock(&index->lock);
		return 0;
	}
	status = license_card_make(&license, doc->version, &card);
	secret_wipe(&license, sizeof(license));
	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	status = put_in(index, card);
	pthread_mutex_unlock(&index->lock);
	return status;
}

/* touched ones */

static void touch(struct license_index *index, const char *id)
{
	if (index->touched_count == index->touched_room) {
		size_t room = index->touched_room ? index->touched_room * 2 : 64;
		license_id *more = realloc(index->touched, room * sizeof(*more));
		if (!more) {
			index->compare_now = 1;
			return;
		}
		index->touched = more;
		index->touched_room = room;
	}
	snprintf(index->touched[index->touched_count++], sizeof(license_id), "%s", id);
}

void license_index_touch(struct license_index *index, const char *id)
{
	if (strlen(id) >= sizeof(license_id))
		return;
	pthread_mutex_lock(&index->lock);
	if (*id)
		touch(index, id);
	else
		index->compare_now = 1;
	pthread_mutex_unlock(&index->lock);
}

void license_index_put(struct license_index *index, struct license_card *card)
{
	pthread_mutex_lock(&index->lock);
	/* Without memory it is missed until the next comparison. */
	if (put_in(index, card))
		index->compare_now = 1;
	pthread_mutex_unlock(&index->lock);
}

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
		take_out(index, ids[i]);
		pthread_mutex_unlock(&index->lock);
	}
	store_docs_free(&docs);
	return status;
}

static int read_touched(struct license_index *index)
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
			touch(index, ids[at + i]);
		pthread_mutex_unlock(&index->lock);
	}
	pthread_mutex_unlock(&index->reading);
	free(ids);
	return status;
}

/* all of them */

/* Those of the index up to `last` (NULL: to the end) that the page does not have, or has otherwise. */
static void compare_page(struct license_index *index, const char *after,
	const struct store_docs *docs, const char *last)
{
	pthread_mutex_lock(&index->lock);
	size_t at = *after ? position(index, after) : 0;
	if (*after && card_at(index, at, after))
		at++;
	for (size_t i = 0; i < docs->count; i++) {
		const struct state_doc *doc = &docs->docs[i];
		for (; at < index->count && strcmp(index->cards[at]->id, doc->id) < 0;
			at++)
			touch(index, index->cards[at]->id);
		struct license_card *card = card_at(index, at, doc->id);
		if (!card || card->version != doc->version)
			touch(index, doc->id);
		at += card != NULL;
	}
	for (; !last && at < index->count; at++)
		touch(index, index->cards[at]->id);
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

static int load(struct license_index *index)
{
	pthread_mutex_lock(&index->lock);
	int again = index->loaded;
	index->compare_now = 0;
	pthread_mutex_unlock(&index->lock);
	if (again) {
		int status = read_all(index, AGAIN);
		return status ? status : read_touched(index);
	}
	pthread_mutex_lock(&index->reading);
	int status = read_all(index, FIRST);
	pthread_mutex_unlock(&index->reading);
	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	index->loaded = 1;
	pthread_cond_broadcast(&index->loaded_cond);
	log_line(LOG_DEBUG, "license index", LOG_U("licenses", index->count));
	pthread_mutex_unlock(&index->lock);
	return 0;
}

/* the thread */

static void on_news(void *ctx, const char *topic UNUSED, const char *json)
{
	struct license_index *index = ctx;
	json_t *news = json_loads(json, 0, NULL);
	const char *type = json_string_value(json_object_get(news, "type"));
	const char *id = json_string_value(json_object_get(news, "id"));

	CHECK_OBJ(index, INDEX_MAGIC);
	if (type && id && !strcmp(type, "license"))
		license_index_touch(index, id);
	json_decref(news);
}

static void do_nothing(struct post_item *item)
{
	free(item);
}

static int wants(struct license_index *index, int *ret_compare)
{
	pthread_mutex_lock(&index->lock);
	int stopping = index->stopping;
	*ret_compare = index->compare_now;
	pthread_mutex_unlock(&index->lock);
	return !stopping;
}

static void *work(void *arg)
{
	struct license_index *index = arg;
	struct bus_subscription *news = NULL;
	int64_t due_ms = 0;
	int compare;

	pthread_setname_np(pthread_self(), "license-index");
	if (bus_subscribe(index->store->bus, "news", post_pump_box(index->pump), on_news,
		    index, &news))
		log_line(LOG_WARN, "license index hears no news");
	while (wants(index, &compare)) {
		int64_t now_ms = clock_mono_ms();
		if (compare || now_ms >= due_ms) {
			int status = load(index);
			due_ms = clock_mono_ms() + (status ? RETRY_MS : COMPARE_EVERY_MS);
		}
		/* Not longer than a second: news of many changes set compare_now. */
		post_pump_run(index->pump, 1000);
	}
	if (news)
		bus_unsubscribe(index->store->bus, news);
	return NULL;
}

int license_index_new(struct store *store, struct license_index **ret)
{
	struct license_index *index = calloc(1, sizeof(*index));

	if (!index)
		return -REASON_NO_MEMORY;
	index->magic = INDEX_MAGIC;
	index->store = store;
	pthread_mutex_init(&index->reading, NULL);
	pthread_mutex_init(&index->lock, NULL);
	pthread_cond_init(&index->loaded_cond, NULL);
	int status = post_pump_new(&index->pump);
	if (!status && pthread_create(&index->thread, NULL, work, index)) {
		index->pump = post_pump_free(index->pump);
		status = -REASON_NO_MEMORY;
	}
	if (status) {
		free(index);
		return status;
	}
	*ret = index;
	return 0;
}

struct license_index *license_index_free(struct license_index *index)
{
	if (!index)
		return NULL;
	CHECK_OBJ(index, INDEX_MAGIC);
	pthread_mutex_lock(&index->lock);
	index->stopping = 1;
	pthread_mutex_unlock(&index->lock);
	struct post_item *wake = calloc(1, sizeof(*wake));
	if (wake) {
		wake->run = do_nothing;
		post_put(post_pump_box(index->pump), wake);
	}
	pthread_join(index->thread, NULL);
	post_pump_free(index->pump);
	for (size_t i = 0; i < index->count; i++)
		free(index->cards[i]);
	free(index->cards);
	free(index->touched);
	pthread_cond_destroy(&index->loaded_cond);
	pthread_mutex_destroy(&index->lock);
	pthread_mutex_destroy(&index->reading);
	index->magic = 0;
	free(index);
	return NULL;
}

/* questions */

static int wait_until_loaded(struct license_index *index)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&index->lock);
	while (!index->loaded)
		if (pthread_cond_timedwait(&index->loaded_cond, &index->lock, &until))
			break;
	int loaded = index->loaded;
	pthread_mutex_unlock(&index->lock);
	return loaded ? 0 : -REASON_STORE_UNAVAILABLE;
}

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
		size_t at = position(index, ids[i]);
		struct license_card *card = card_at(index, at, ids[i]);
		if (card)
			card->online = online[i];
	}
	index->online_ms = clock_mono_ms();
	pthread_mutex_unlock(&index->lock);
}

static int read_online(struct license_index *index)
{
	pthread_mutex_lock(&index->reading);
	pthread_mutex_lock(&index->lock);
	size_t count = index->count;
	int fresh =
		index->online_ms && clock_mono_ms() - index->online_ms < ONLINE_FRESH_MS;
	license_id *ids = fresh ? NULL : calloc(count + 1, sizeof(*ids));
	uint8_t *online = calloc(count + 1, 1);
	for (size_t i = 0; ids && i < count; i++)
		memcpy(ids[i], index->cards[i]->id, sizeof(*ids));
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

static int get_ready(struct license_index *index, const struct license_filter *filter)
{
	int status = wait_until_loaded(index);

	if (!status)
		status = read_touched(index);
	if (!status && (filter->online >= 0 || filter->presence))
		status = read_online(index);
	return status;
}

int license_index_each(struct license_index *index, const struct license_filter *filter,
	int (*each)(void *ctx, const struct license_card *card), void *ctx)
{
	int64_t now_ms = clock_wall_ms();
	int status = get_ready(index, filter);

	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	for (size_t i = 0; !status && i < index->count; i++)
		if (license_card_matches(filter, index->cards[i], now_ms))
			status = each(ctx, index->cards[i]);
	pthread_mutex_unlock(&index->lock);
	return status;
}

static int count_one(void *ctx, const struct license_card *card UNUSED)
{
	++*(long *)ctx;
	return 0;
}

long license_index_count(struct license_index *index, const struct license_filter *filter)
{
	long count = 0;
	int status = license_index_each(index, filter, count_one, &count);
	return status ? status : count;
}

struct finding {
	struct license_index_page page;
	const char *after;
	size_t limit, room;
};

static int find_one(void *ctx, const struct license_card *card)
{
	struct finding *finding = ctx;
	struct license_index_page *page = &finding->page;

	page->total++;
	if (finding->after && strcmp(card->id, finding->after) <= 0)
		return 0;
	if (page->count == finding->limit) {
		page->more = 1;
		return 0;
	}
	if (page->count == finding->room) {
		size_t room = finding->room ? finding->room * 2 : 256;
		license_id *ids = realloc(page->ids, room * sizeof(*ids));
		if (!ids)
			return -REASON_NO_MEMORY;
		page->ids = ids;
		finding->room = room;
	}
	memcpy(page->ids[page->count++], card->id, sizeof(card->id));
	return 0;
}

int license_index_find(struct license_index *index, const struct license_filter *filter,
	const char *after, size_t limit, struct license_index_page *ret)
{
	struct finding finding = {.after = after, .limit = limit};

	int status = license_index_each(index, filter, find_one, &finding);
	if (status)
		free(finding.page.ids);
	else
		*ret = finding.page;
	return status;
}
