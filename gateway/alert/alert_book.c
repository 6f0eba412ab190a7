#include "alert/alert_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"
#include "rules/alert_count.h"

#define BUCKETS 4096
#define RULES_MOST 20000

/* One rule and what or whom it is about. */
struct subject {
	struct list node;
	char alert[ALERT_ID_SIZE], name[ALERT_SUBJECT_SIZE];
	int when, reported;
	struct alert_count count;
	char alarm[ALARM_ID_SIZE]; /* the one that is open; "": none */
	int64_t quiet_until_ms;
};

struct alert_book {
	struct alert *rules;
	size_t rule_count, rule_room;
	struct list buckets[BUCKETS];
	size_t subject_count;
	int full_told;
};

int alert_book_new(struct alert_book **ret)
{
	struct alert_book *book = calloc(1, sizeof(*book));

	if (!book)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&book->buckets[i]);
	*ret = book;
	return 0;
}

static void drop(struct alert_book *book, struct subject *subject)
{
	list_remove(&subject->node);
	book->subject_count--;
	free(subject);
}

struct alert_book *alert_book_free(struct alert_book *book)
{
	if (!book)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_EACH(node, &book->buckets[i])
		{
			drop(book, LIST_ENTRY(node, struct subject, node));
		}
	free(book->rules);
	free(book);
	return NULL;
}

void alert_book_forget_rules(struct alert_book *book)
{
	book->rule_count = 0;
}

int alert_book_add_rule(struct alert_book *book, const struct alert *alert)
{
	if (book->rule_count == RULES_MOST)
		return -REASON_LIMIT;
	if (book->rule_count == book->rule_room) {
		size_t room = book->rule_room ? book->rule_room * 2 : 64;
		struct alert *more = realloc(book->rules, room * sizeof(*more));
		if (!more)
			return -REASON_NO_MEMORY;
		book->rules = more;
		book->rule_room = room;
	}
	book->rules[book->rule_count++] = *alert;
	return 0;
}

const struct alert *alert_book_rule(const struct alert_book *book, enum alert_when when,
	const char *tenant, size_t *at)
{
	while (*at < book->rule_count) {
		const struct alert *rule = &book->rules[(*at)++];
		if (rule->when == (int)when && rule->state == ALERT_ENABLED &&
			(!tenant || !strcmp(rule->tenant, tenant)))
			return rule;
	}
	return NULL;
}

/* FNV-1a: subjects are named by strangers, but a bucket too long costs only time, and never more than
 * the bound of the book. */
static size_t bucket_of(const char *alert, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *alert; alert++)
		hash = (hash ^ (uint8_t)*alert) * 16777619u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash % BUCKETS;
}

static struct subject *find(struct alert_book *book, const char *alert, const char *name)
{
	LIST_EACH(node, &book->buckets[bucket_of(alert, name)])
	{
		struct subject *subject = LIST_ENTRY(node, struct subject, node);
		if (!strcmp(subject->alert, alert) && !strcmp(subject->name, name))
			return subject;
	}
	return NULL;
}

/* NULL when there is no room. */
static struct subject *find_or_add(struct alert_book *book, const char *alert, int when,
	const char *name)
{
	struct subject *subject = find(book, alert, name);

	if (subject)
		return subject;
	if (book->subject_count < ALERT_BOOK_SUBJECTS)
		subject = calloc(1, sizeof(*subject));
	if (!subject) {
		if (!book->full_told++)
			log_line(LOG_WARN, "alerts count no further subjects",
				LOG_U("most", ALERT_BOOK_SUBJECTS));
		return NULL;
	}
	snprintf(subject->alert, sizeof(subject->alert), "%s", alert);
	snprintf(subject->name, sizeof(subject->name), "%s", name);
	subject->when = when;
	list_add_tail(&book->buckets[bucket_of(alert, name)], &subject->node);
	book->subject_count++;
	return subject;
}

int alert_book_open(struct alert_book *book, const struct alarm *alarm)
{
	struct subject *subject =
		find_or_add(book, alarm->alert, alarm->when, alarm->subject);

	if (!subject)
		return -REASON_NO_MEMORY;
	size_t at = 0;
	const struct alert *rule;
	while ((rule = alert_book_rule(book, (enum alert_when)alarm->when, alarm->tenant,
			&at)))
		if (!strcmp(rule->id, alarm->alert))
			subject->quiet_until_ms = alarm->at_ms + rule->quiet_ms;
	memcpy(subject->alarm, alarm->id, sizeof(subject->alarm));
	return 0;
}

int alert_book_count(struct alert_book *book, const struct alert *rule,
	const struct alert_event *event, int64_t *ret_value)
{
	struct subject *subject = find_or_add(book, rule->id, rule->when, event->subject);

	if (!subject)
		return 0;
	int64_t value = alert_count_add(&subject->count, rule->window_ms, event->at_ms,
		event->amount);
	if (value < rule->threshold || event->at_ms < subject->quiet_until_ms)
		return 0;
	alert_count_reset(&subject->count);
	*ret_value = value;
	return 1;
}

int alert_book_lasts(struct alert_book *book, const struct alert *rule,
	const char *subject_name, int64_t now_ms)
{
	struct subject *subject = find_or_add(book, rule->id, rule->when, subject_name);

	if (!subject)
		return 0;
	subject->reported = 1;
	return !*subject->alarm && now_ms >= subject->quiet_until_ms;
}

void alert_book_raised(struct alert_book *book, const struct alert *rule,
	const struct alarm *alarm)
{
	struct subject *subject = find(book, rule->id, alarm->subject);

	if (!subject)
		return;
	memcpy(subject->alarm, alarm->id, sizeof(subject->alarm));
	subject->quiet_until_ms = alarm->at_ms + rule->quiet_ms;
}

static void end_alarm(struct subject *subject, alert_book_over over, void *ctx)
{
	if (*subject->alarm)
		over(ctx, subject->alarm);
	*subject->alarm = '\0';
}

void alert_book_sweep(struct alert_book *book, int64_t now_ms, alert_book_over over,
	void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_EACH(node, &book->buckets[i])
		{
			struct subject *subject = LIST_ENTRY(node, struct subject, node);
			if (alert_kind_at((size_t)subject->when)->measure ==
				ALERT_MEASURE_STATE)
				continue;
			if (now_ms < subject->quiet_until_ms)
				continue;
			end_alarm(subject, over, ctx);
			if (alert_count_is_over(&subject->count, now_ms))
				drop(book, subject);
		}
	book->full_told = 0;
}

void alert_book_sweep_states(struct alert_book *book, enum alert_when when,
	alert_book_over over, void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_EACH(node, &book->buckets[i])
		{
			struct subject *subject = LIST_ENTRY(node, struct subject, node);
			if (subject->when != (int)when)
				continue;
			if (subject->reported) {
				subject->reported = 0;
				continue;
			}
			end_alarm(subject, over, ctx);
			drop(book, subject);
		}
}
