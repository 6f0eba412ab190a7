#include "rules/lockout.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "rules/field.h"

int lockout_id(char ret[static LOCKOUT_ID_SIZE], const char *what, const char *name)
{
	char id[LOCKOUT_ID_SIZE];
	int len = snprintf(id, sizeof(id), "%s/%s", what, name);
	return len < LOCKOUT_ID_SIZE ? text_copy(ret, LOCKOUT_ID_SIZE, id)
				     : -REASON_LIMIT;
}

static void read_count(const json_t *object, struct lockout_count *ret)
{
	struct field_error error;
	struct lockout_count count = {0};
	if (field_integer(object, "count", FIELD_MAY, 0, 1000000, &count.count, &error) ==
			0 &&
		field_integer(object, "first_ms", FIELD_MAY, 0, INT64_MAX,
			&count.first_ms, &error) == 0 &&
		field_integer(object, "until_ms", FIELD_MAY, 0, INT64_MAX,
			&count.until_ms, &error) == 0)
		*ret = count;
}

void lockout_read(const char *body, struct lockout_book *ret)
{
	struct field_error error;
	json_t *object, *value;
	const char *prefix;
	*ret = (struct lockout_book){0};
	if (!body || field_parse(body, &object, &error))
		return;
	read_count(json_object_get(object, "whole"), &ret->whole);
	json_object_foreach(json_object_get(object, "prefixes"), prefix, value)
	{
		if (ret->count == LOCKOUT_PREFIXES)
			break;
		if (text_copy(ret->prefixes[ret->count].prefix, IP_RULE_TEXT, prefix))
			continue;
		read_count(value, &ret->prefixes[ret->count++].at);
	}
	json_decref(object);
}

static json_t *count_json(const struct lockout_count *count)
{
	return json_pack("{s:I, s:I, s:I}", "count", (json_int_t)count->count, "first_ms",
		(json_int_t)count->first_ms, "until_ms", (json_int_t)count->until_ms);
}

int lockout_write(const struct lockout_book *book, char **ret)
{
	json_t *prefixes = json_object();
	for (size_t i = 0; i < book->count; i++)
		if (json_object_set_new(prefixes, book->prefixes[i].prefix,
			    count_json(&book->prefixes[i].at))) {
			json_decref(prefixes);
			return -REASON_NO_MEMORY;
		}
	json_t *object = json_pack("{s:o, s:o}", "whole", count_json(&book->whole),
		"prefixes", prefixes);
	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

/* A lock that ends later than any lock can is from a clock that was set back since: it is as long
 * as a fresh one. */
static int64_t left(const struct lockout_count *count, int64_t lock_ms, int64_t now_ms)
{
	int64_t wait = count->until_ms - now_ms;
	return wait > lock_ms ? lock_ms : wait > 0 ? wait : 0;
}

static struct lockout_count *find(struct lockout_book *book, const char *prefix)
{
	for (size_t i = 0; i < book->count; i++)
		if (strcmp(book->prefixes[i].prefix, prefix) == 0)
			return &book->prefixes[i].at;
	return NULL;
}

int64_t lockout_wait(const struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix, int64_t now_ms)
{
	const struct lockout_count *at = find((struct lockout_book *)book, prefix);
	int64_t whole = left(&book->whole, limits->lock_ms, now_ms);
	int64_t own = at ? left(at, limits->lock_ms, now_ms) : 0;
	return own > whole ? own : whole;
}

static int is_over(const struct lockout_count *count, int64_t window_ms, int64_t now_ms)
{
	return now_ms - count->first_ms >= window_ms && count->until_ms <= now_ms;
}

static void rebase(struct lockout_count *count, int64_t lock_ms, int64_t now_ms)
{
	if (count->until_ms > now_ms + lock_ms)
		count->until_ms = now_ms + lock_ms;
}

/* The entry of this prefix; in a full book it takes the place of the oldest: the whole still counts
 * what that one did. */
static struct lockout_count *take(struct lockout_book *book, const char *prefix)
{
	struct lockout_count *at = find(book, prefix);
	if (at)
		return at;
	size_t place = book->count;
	if (place == LOCKOUT_PREFIXES) {
		place = 0;
		for (size_t i = 1; i < LOCKOUT_PREFIXES; i++)
			if (book->prefixes[i].at.first_ms <
				book->prefixes[place].at.first_ms)
				place = i;
	} else {
		book->count++;
	}
	memset(&book->prefixes[place], 0, sizeof(book->prefixes[place]));
	text_clip(book->prefixes[place].prefix, IP_RULE_TEXT, prefix);
	return &book->prefixes[place].at;
}

/* 1: this one brought the lock. */
static int add(struct lockout_count *count, int64_t failures, int64_t lock_ms,
	int64_t window_ms, int64_t now_ms)
{
	if (is_over(count, window_ms, now_ms))
		*count = (struct lockout_count){0};
	/* A lock that is over has been paid for: counting begins anew. */
	if (count->until_ms)
		*count = (struct lockout_count){0};
	if (!count->count++)
		count->first_ms = now_ms;
	if (!failures || count->count < failures)
		return 0;
	count->until_ms = now_ms + lock_ms;
	return 1;
}

int64_t lockout_charge(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix, int64_t now_ms, int *ret_locks)
{
	int64_t lock = limits->lock_ms;
	rebase(&book->whole, lock, now_ms);
	for (size_t i = 0; i < book->count; i++)
		rebase(&book->prefixes[i].at, lock, now_ms);
	int64_t wait = lockout_wait(book, limits, prefix, now_ms);
	*ret_locks = 0;
	if (wait)
		return wait;
	*ret_locks |=
		add(take(book, prefix), limits->prefix_failures, lock, lock, now_ms);
	*ret_locks |= add(&book->whole, limits->whole_failures, lock,
		LOCKOUT_WHOLE_WINDOWS * limits->window_ms, now_ms);
	return 0;
}

void lockout_forgive(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix)
{
	struct lockout_count *whole = &book->whole;
	for (size_t i = 0; i < book->count; i++) {
		if (strcmp(book->prefixes[i].prefix, prefix))
			continue;
		whole->count -= book->prefixes[i].at.count;
		if (whole->count < 0)
			whole->count = 0;
		book->prefixes[i] = book->prefixes[--book->count];
		break;
	}
	if (whole->until_ms && whole->count < limits->whole_failures)
		whole->until_ms = 0;
}

void lockout_give_back(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix)
{
	struct lockout_count *at = find(book, prefix), *whole = &book->whole;
	if (at && at->count)
		at->count--;
	if (at && at->count < limits->prefix_failures)
		at->until_ms = 0;
	if (whole->count)
		whole->count--;
	if (whole->count < limits->whole_failures)
		whole->until_ms = 0;
}

int lockout_is_over(const struct lockout_book *book, const struct lockout_limits *limits,
	int64_t now_ms)
{
	int64_t whole = LOCKOUT_WHOLE_WINDOWS * limits->window_ms;
	if (!is_over(&book->whole, whole, now_ms))
		return 0;
	for (size_t i = 0; i < book->count; i++)
		if (!is_over(&book->prefixes[i].at, limits->window_ms, now_ms))
			return 0;
	return 1;
}
