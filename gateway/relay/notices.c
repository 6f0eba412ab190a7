#include "relay/notices.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "relay/desk.h"
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "rules/notice.h"
#include "store/state.h"
#include "store/store_open.h"

/* Whether one has become current, or is so no more, is looked at so often. */
#define LOOK_MS 1000

struct notices {
	pthread_mutex_t lock;
	struct notice *items;
	size_t count;
	uint64_t version; /* grows when what is current has changed */
	uint64_t print;   /* of what was current at the last look */
	int reading, again;
	int64_t read_ms, look_ms; /* mono: next time */
};

int notices_new(struct notices **ret)
{
	struct notices *notices = calloc(1, sizeof(*notices));
	if (!notices)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&notices->lock, NULL);
	*ret = notices;
	return 0;
}

struct notices *notices_free(struct notices *notices)
{
	if (!notices)
		return NULL;
	pthread_mutex_destroy(&notices->lock);
	free(notices->items);
	free(notices);
	return NULL;
}

static int is_current(const struct notice *notice, int64_t now_ms)
{
	return notice_concerns(notice, notice->tenant, NOTICE_VIEWER, now_ms) ||
	       notice_concerns(notice, notice->tenant, NOTICE_AGENT, now_ms);
}

/* Which are current, and in which wording: FNV-1a. Under the lock. */
static uint64_t print_of(const struct notices *notices, int64_t now_ms)
{
	uint64_t print = 14695981039346656037u;
	for (size_t i = 0; i < notices->count; i++) {
		const struct notice *notice = &notices->items[i];
		if (!is_current(notice, now_ms))
			continue;
		for (const char *at = notice->id; *at; at++)
			print = (print ^ (uint8_t)*at) * 1099511628211u;
		print = (print ^ (uint64_t)notice->changed_ms) * 1099511628211u;
	}
	return print;
}

/* ---- reading ------------------------------------------------------------------------------- */

static struct notice *parse_all(const struct state_answer *answer, size_t *ret_count)
{
	struct notice *items = calloc(answer->count ? answer->count : 1, sizeof(*items));
	*ret_count = 0;
	for (size_t i = 0; items && i < answer->count; i++) {
		struct field_error error;
		if (notice_read(answer->docs[i].body, &items[*ret_count], &error))
			log_line(LOG_WARN, "notice not understood",
				LOG_S("id", answer->docs[i].id),
				LOG_S("field", error.field));
		else
			++*ret_count;
	}
	return items;
}

static void on_listed(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	struct notices *notices = desk->house->notices;
	size_t count = 0;
	struct notice *items = answer->status ? NULL : parse_all(answer, &count);
	desk->asked--;
	pthread_mutex_lock(&notices->lock);
	if (items) {
		free(notices->items);
		notices->items = items;
		notices->count = count;
		notices->look_ms = 0;
	}
	notices->reading = 0;
	/* An order that came meanwhile may mean one that this answer has not. */
	if (notices->again || !items)
		notices->read_ms = clock_mono_ms() + (items ? 0 : LOOK_MS);
	notices->again = 0;
	pthread_mutex_unlock(&notices->lock);
}

void notices_read(struct desk *desk)
{
	struct notices *notices = desk->house->notices;
	pthread_mutex_lock(&notices->lock);
	int busy = notices->reading;
	notices->again |= busy;
	notices->reading = 1;
	notices->read_ms = clock_mono_ms() + NOTICES_EVERY_MS;
	pthread_mutex_unlock(&notices->lock);
	if (busy)
		return;
	desk->asked++;
	state_list(desk->house->store->state, STATE_NOTICE, NULL, NULL, NOTICES_MAX,
		desk_box(desk), on_listed, desk);
}

/* ---- telling ------------------------------------------------------------------------------- */

static json_t *items_for(struct notices *notices, const struct leg *leg, int64_t now_ms)
{
	unsigned place = leg->side == HELLO_HOST ? NOTICE_AGENT : NOTICE_VIEWER;
	json_t *items = json_array();
	size_t room = NOTICES_TEXT - sizeof("{\"items\":[]}");
	for (size_t i = 0; items && i < notices->count; i++) {
		const struct notice *notice = &notices->items[i];
		/* The operator's own are everybody's; a license without a company sees those alone. */
		if ((*notice->tenant && strcmp(notice->tenant, leg->tenant)) ||
			!notice_concerns(notice, notice->tenant, place, now_ms))
			continue;
		json_t *item = notice_item(notice);
		char *text = item ? json_dumps(item, JSON_COMPACT) : NULL;
		size_t len = text ? strlen(text) + 1 : room + 1;
		free(text);
		if (len > room || json_array_append(items, item))
			log_line(LOG_WARN, "notice left out", LOG_S("id", notice->id));
		else
			room -= len;
		json_decref(item);
	}
	return items;
}

int notices_for(struct notices *notices, const struct leg *leg,
	char ret[static NOTICES_TEXT])
{
	pthread_mutex_lock(&notices->lock);
	json_t *items = items_for(notices, leg, clock_wall_ms());
	pthread_mutex_unlock(&notices->lock);
	int count = (int)json_array_size(items);
	json_t *object = items ? json_pack("{s:o}", "items", items) : NULL;
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	text_clip(ret, NOTICES_TEXT, text ? text : "{\"items\":[]}");
	free(text);
	return count;
}

/* The version as it is now, and whether it is time to read. */
static uint64_t look(struct notices *notices, int64_t now_ms, int *ret_read)
{
	pthread_mutex_lock(&notices->lock);
	if (now_ms >= notices->look_ms) {
		uint64_t print = print_of(notices, clock_wall_ms());
		notices->version += print != notices->print;
		notices->print = print;
		notices->look_ms = now_ms + LOOK_MS;
	}
	*ret_read = now_ms >= notices->read_ms && !notices->reading;
	uint64_t version = notices->version;
	pthread_mutex_unlock(&notices->lock);
	return version;
}

/* Whether everybody on one side is told the same: no current notice is for one company alone. */
static int are_shared(struct notices *notices)
{
	int shared = 1;
	pthread_mutex_lock(&notices->lock);
	for (size_t i = 0; i < notices->count; i++)
		shared &= !*notices->items[i].tenant;
	pthread_mutex_unlock(&notices->lock);
	return shared;
}

/* Thousands of legs on one worker: a text is made anew only where it can be another one. */
static void tell_legs(struct desk *desk)
{
	struct {
		const char *tenant; /* NULL: nothing yet */
		char text[NOTICES_TEXT];
	} last[HELLO_VIEWER + 1] = {{NULL}};
	struct notices *notices = desk->house->notices;
	int shared = are_shared(notices);
	LIST_EACH(node, &desk->legs)
	{
		struct leg *leg = LIST_ENTRY(node, struct leg, node);
		const char *before = last[leg->side].tenant;
		char *text = last[leg->side].text;
		/* One may know of a notice that is over: "none" is news too. */
		if (!before || (!shared && strcmp(before, leg->tenant)))
			(void)notices_for(notices, leg, text);
		last[leg->side].tenant = leg->tenant;
		leg_send_notices(leg, text);
	}
}

void notices_tick(struct desk *desk, int64_t now_ms)
{
	int read;
	uint64_t version = look(desk->house->notices, now_ms, &read);
	if (read && !desk->closing)
		notices_read(desk);
	if (version == desk->notices_version)
		return;
	desk->notices_version = version;
	tell_legs(desk);
}
