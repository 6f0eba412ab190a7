#include "admin/license_index.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/license_index_inside.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/post.h"
#include "base/reason.h"
#include "store/store_open.h"

#define INDEX_MAGIC 0x6c696478
#define COMPARE_EVERY_MS 300000
#define RETRY_MS 2000
/* How long a question waits for the first reading. */
#define PATIENCE_S 20

/* ---- touched ones ------------------------------------------------------------------------- */

void license_index_note(struct license_index *index, const char *id)
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
		license_index_note(index, id);
	else
		index->compare_now = 1;
	pthread_mutex_unlock(&index->lock);
}

void license_index_put(struct license_index *index, struct license_card *card)
{
	pthread_mutex_lock(&index->lock);
	/* Without memory it is missed until the next comparison. */
	if (card_shelf_put(&index->shelf, card))
		index->compare_now = 1;
	pthread_mutex_unlock(&index->lock);
}

/* ---- the thread --------------------------------------------------------------------------- */

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
			int status = license_index_read(index);
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
	card_shelf_done(&index->shelf);
	free(index->touched);
	pthread_cond_destroy(&index->loaded_cond);
	pthread_mutex_destroy(&index->lock);
	pthread_mutex_destroy(&index->reading);
	index->magic = 0;
	free(index);
	return NULL;
}

/* ---- questions ---------------------------------------------------------------------------- */

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

static int get_ready(struct license_index *index, const struct license_filter *filter)
{
	int status = wait_until_loaded(index);

	if (!status)
		status = license_index_read_touched(index);
	if (!status && (filter->online >= 0 || filter->presence))
		status = license_index_read_online(index);
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
	for (size_t i = 0; !status && i < index->shelf.count; i++)
		if (license_card_matches(filter, index->shelf.cards[i], now_ms))
			status = each(ctx, index->shelf.cards[i]);
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
