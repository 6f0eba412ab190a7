/* news: the operator's notices as an end shows them: WELCOME and NOTICES bring {"items":[{"id","kind","from_ms",
 * "to_ms","text":{"en","ja"}}]}.
 *
 * Whatever a gateway sends: an item that cannot be understood is left out, and control and bidi characters of
 * texts become visible.
 * Thread: any; values.
 */
#ifndef LINK_NEWS_H
#define LINK_NEWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

#define NEWS_MAX 16
#define NEWS_TEXT 1025
#define NEWS_LINE 1200

enum news_kind { NEWS_PLANNED_STOP, NEWS_END_OF_SERVICE, NEWS_OTHER };

struct news_item {
	char id[33];
	enum news_kind kind;
	int64_t from_ms, to_ms; /* of what is announced; 0: not said */
	char en[NEWS_TEXT], ja[NEWS_TEXT];
};

struct news {
	size_t count;
	struct news_item items[NEWS_MAX];
};

/* "" and nonsense are no news. */
void news_read(struct news *ret, const char *json);
/* What it announces is over. */
int news_is_over(const struct news_item *item, int64_t wall_ms);
/* The one to show where there is room for one: the planned stop that is next, else the first. NULL: none. */
const struct news_item *news_first(const struct news *news, int64_t wall_ms);
/* The planned stop that is next, NULL: none. */
const struct news_item *news_next_stop(const struct news *news, int64_t wall_ms);
/* "Planned stop, 2026-11-23 22:00 to 23:00: …" in the language and the local time of this machine. */
void news_line(const struct news_item *item, enum reason_lang lang,
	char ret[static NEWS_LINE]);

#endif
