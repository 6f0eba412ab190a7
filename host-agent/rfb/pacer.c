#include "rfb/pacer.h"

/* A screen that changes all the time is shown 60 to 120 times a second where the line and the
 * processor bear it. The first change after a rest waits for nothing. */
#define INTERVAL_LEAST_US 8000
#define INTERVAL_MOST_US 40000
/* One update is this much time of the line: what a key press may find in front of it. */
#define SLICE_US 15000
#define SLICE_LEAST 6144 /* bytes; smaller ones are mostly headers */
#define SLICE_MOST                                                                       \
	(192 * 1024) /* must fit the stream, so that the encoder never waits in write(2) */
/* The tunnel's budget is never under 64 KiB: what is waited for must be able to come. */
#define WANT_MOST (32 * 1024)
#define RATE_UNKNOWN 2500000
#define PIXELS_LEAST 4096
#define REST_US 250000
#define BYTES_PER_PIXEL_LEAST 0.02
/* Until it is known. What is sent without loss are mostly plain areas and text; at worst the first slice
 * of an unknown line comes to SLICE_MOST. */
#define EXACT_START 0.6
#define LOSSY_START 0.5

void pacer_init(struct pacer *pacer)
{
	*pacer = (struct pacer){
		.frame_us = INT64_MIN / 2, .bytes_per_pixel = {EXACT_START, LOSSY_START}};
}

int pacer_quality(int64_t rate, int wish)
{
	static const struct {
		int64_t rate;
		int quality;
	} rows[] = {{200000, 1}, {400000, 2}, {700000, 3}, {1100000, 4}, {1700000, 5},
		{4000000, 6}, {8000000, 7}, {16000000, 8}};
	int best = 9;
	for (int i = (int)(sizeof(rows) / sizeof(rows[0])) - 1; i >= 0; i--)
		if (rate < rows[i].rate)
			best = rows[i].quality;
	return wish < best ? wish : best;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

static int64_t rate_of(const struct pacer_state *state)
{
	return state->rate > 0 ? state->rate : RATE_UNKNOWN;
}

static int64_t slice_bytes(const struct pacer_state *state)
{
	return clamp(rate_of(state) / 1000 * SLICE_US / 1000, SLICE_LEAST, SLICE_MOST);
}

static int64_t slice_pixels(const struct pacer *pacer, const struct pacer_state *state,
	enum pacer_kind kind)
{
	int64_t bytes = slice_bytes(state);
	bytes = bytes < state->room ? bytes : state->room;
	return clamp((int64_t)((double)bytes / pacer->bytes_per_pixel[kind]),
		PIXELS_LEAST, INT64_MAX);
}

/* At most half of the time goes into encoding, so that input and the office's own programs come to
 * their turn. */
static int64_t interval(const struct pacer *pacer)
{
	return clamp(2 * pacer->cost_us, INTERVAL_LEAST_US, INTERVAL_MOST_US);
}

/* The frame that is under way goes on slice by slice; a new look at the screen waits. */
static struct pacer_step send(const struct pacer *pacer, const struct pacer_state *state)
{
	int64_t due = pacer->frame_us + interval(pacer);
	if (!state->dirty && state->now_us < due)
		return (struct pacer_step){.what = PACER_LATER, .at_us = due};
	int64_t want = clamp(slice_bytes(state) / 2, 0, WANT_MOST);
	if (state->room < want)
		return (struct pacer_step){.what = PACER_WAIT_ROOM, .want = want};
	int quality = state->wish == PACER_LOSSLESS
			      ? PACER_LOSSLESS
			      : pacer_quality(rate_of(state), state->wish);
	return (struct pacer_step){.what = PACER_SEND,
		.quality = quality,
		.capture = state->damaged && state->now_us >= due,
		.pixels = slice_pixels(pacer, state,
			quality == PACER_LOSSLESS ? PACER_EXACT : PACER_LOSSY)};
}

struct pacer_step pacer_next(const struct pacer *pacer, const struct pacer_state *state)
{
	if (state->damaged || state->dirty)
		return send(pacer, state);
	if (!state->lossy)
		return (struct pacer_step){.what = PACER_REST};
	if (state->now_us < state->changed_us + REST_US)
		return (struct pacer_step){
			.what = PACER_LATER, .at_us = state->changed_us + REST_US};
	int64_t want = clamp(slice_bytes(state), 0, WANT_MOST);
	if (state->room < want)
		return (struct pacer_step){.what = PACER_WAIT_ROOM, .want = want};
	return (struct pacer_step){.what = PACER_MEND,
		.quality = PACER_LOSSLESS,
		.pixels = slice_pixels(pacer, state, PACER_EXACT)};
}

void pacer_began(struct pacer *pacer, int64_t now_us)
{
	pacer->frame_us = now_us;
}

void pacer_encoded(struct pacer *pacer, enum pacer_kind kind, int64_t pixels,
	int64_t bytes)
{
	double *mean = &pacer->bytes_per_pixel[kind];
	if (pixels < PIXELS_LEAST)
		return;
	double now = (double)bytes / (double)pixels;
	/* Dearer counts at once, cheaper by and by: a slice too large is paid for with latency. */
	*mean = now > *mean ? (*mean + 3 * now) / 4 : (3 * *mean + now) / 4;
	if (*mean < BYTES_PER_PIXEL_LEAST)
		*mean = BYTES_PER_PIXEL_LEAST;
}

void pacer_took(struct pacer *pacer, int64_t us)
{
	pacer->cost_us = (3 * pacer->cost_us + us) / 4;
}
