#include "http/detail.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

static const struct {
	const char *en, *ja;
} table[] = {
#define D(en, ja) {en, ja},
#include "http/detail.def"
#undef D
};

#define WILD 4

struct part {
	const char *text;
	size_t len;
};

/* The text against a pattern; what stood for each '*' comes back in `ret`. */
static int matches(const char *pattern, const char *text, struct part ret[static WILD])
{
	size_t found = 0;

	for (;;) {
		size_t plain = strcspn(pattern, "*");
		if (strncmp(pattern, text, plain) != 0)
			return 0;
		pattern += plain;
		text += plain;
		if (!*pattern)
			return !*text;
		pattern++;
		/* As far as what follows: the text between two '*' is never empty. */
		size_t next = strcspn(pattern, "*");
		const char *end = text + strlen(text);
		if (next) {
			char after[DETAIL_MAX];
			if (next >= sizeof(after))
				return 0;
			memcpy(after, pattern, next);
			after[next] = '\0';
			end = strstr(text, after);
		}
		if (!end || found == WILD)
			return 0;
		ret[found++] = (struct part){text, (size_t)(end - text)};
		text = end;
	}
}

static size_t add(char *ret, size_t at, const char *text, size_t len)
{
	if (at + len >= DETAIL_MAX)
		len = DETAIL_MAX - 1 - at;
	memcpy(ret + at, text, len);
	return at + len;
}

static void fill(char *ret, size_t at, const char *pattern, const struct part *parts)
{
	while (*pattern) {
		size_t plain = strcspn(pattern, "*");
		at = add(ret, at, pattern, plain);
		pattern += plain;
		if (!*pattern)
			break;
		pattern++;
		at = add(ret, at, parts->text, parts->len);
		parts++;
	}
	ret[text_utf8_span(ret, at)] = '\0';
}

/* Whether the text as a whole is in the table; what it says goes behind `at` bytes. */
static int translate(const char *text, char *ret, size_t at)
{
	struct part parts[WILD];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (matches(table[i].en, text, parts)) {
			fill(ret, at, table[i].ja, parts);
			return 1;
		}
	return 0;
}

const char *detail_in(enum reason_lang lang, const char *detail,
	char ret[static DETAIL_MAX])
{
	if (!detail || lang != REASON_JA)
		return detail;
	if (translate(detail, ret, 0))
		return ret;
	/* "FIELD: what is wrong with it" */
	const char *colon = strstr(detail, ": ");
	size_t head = colon ? (size_t)(colon - detail) + 2 : 0;
	if (!head || head >= DETAIL_MAX / 2)
		return detail;
	memcpy(ret, detail, head);
	return translate(detail + head, ret, head) ? ret : detail;
}
