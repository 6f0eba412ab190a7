#include "race_judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LICENSE 16

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int by_start(const void *a, const void *b)
{
	const struct race_span *left = a, *right = b;
	int64_t from = max_of(left->host_from, left->viewer_from);
	int64_t other = max_of(right->host_from, right->viewer_from);
	return from < other ? -1 : from > other;
}

void race_judge_spans(const char *license, struct race_span *spans, size_t count,
	struct race_verdict *verdict)
{
	int64_t until_us = 0;
	if (count)
		qsort(spans, count, sizeof(*spans), by_start);
	for (size_t i = 0; i < count; i++) {
		const struct race_span *span = &spans[i];
		verdict->doubled += span->hosts > 1 || span->viewers > 1;
		if (!span->host_from || !span->viewer_from)
			continue;
		int64_t from_us = max_of(span->host_from, span->viewer_from);
		int64_t to_us =
			span->host_to < span->viewer_to ? span->host_to : span->viewer_to;
		if (to_us <= from_us)
			continue;
		verdict->pairs++;
		if (from_us < until_us) {
			verdict->overlaps++;
			fprintf(stderr,
				"%s: two pairs at once, the second with fence %" PRIu64
				"\n",
				license, span->fence);
		}
		until_us = max_of(until_us, to_us);
	}
}

void race_judge_write(FILE *file, const char *license, const struct race_span *spans,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(file,
			"%s %" PRIu64 " %d %d %d %" PRId64 " %" PRId64 " %" PRId64
			" %" PRId64 "\n",
			license, spans[i].fence, spans[i].viewer, spans[i].hosts,
			spans[i].viewers, spans[i].host_from, spans[i].host_to,
			spans[i].viewer_from, spans[i].viewer_to);
}

static int read_line(FILE *file, char license[static LICENSE], struct race_span *ret)
{
	return fscanf(file,
		"%15s %" SCNu64 " %d %d %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
		license, &ret->fence, &ret->viewer, &ret->hosts, &ret->viewers,
		&ret->host_from, &ret->host_to, &ret->viewer_from, &ret->viewer_to);
}

int race_judge_read(FILE *file, struct race_verdict *verdict)
{
	char license[LICENSE], of[LICENSE] = "";
	struct race_span span, *spans = NULL;
	size_t count = 0, room = 0;
	int fields;
	while ((fields = read_line(file, license, &span)) == 9) {
		if (strcmp(license, of)) {
			race_judge_spans(of, spans, count, verdict);
			memcpy(of, license, sizeof(of));
			count = 0;
		}
		if (count == room) {
			room = room * 2 + 64;
			struct race_span *more = realloc(spans, room * sizeof(*spans));
			if (!more)
				break;
			spans = more;
		}
		spans[count++] = span;
	}
	race_judge_spans(of, spans, count, verdict);
	free(spans);
	return fields == EOF ? 0 : -1;
}
