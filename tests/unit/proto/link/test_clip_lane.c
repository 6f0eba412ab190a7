#include "tunnel_pair.h"

#include "link/clip_lane.h"

static struct clip_lane *lanes[2];
static char *heard;
static size_t heard_len;
static int heard_count;

static void on_text(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	free(heard);
	heard = malloc(len + 1);
	memcpy(heard, text, len);
	heard_len = len;
	heard_count++;
}

static void clip_on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes,
	size_t len)
{
	struct pair_end *end = ctx;
	assert_int_equal(lane, SEAL_CLIPBOARD);
	clip_lane_bytes(lanes[end->side], bytes, len);
}

static void clip_on_room(void *ctx, enum seal_lane lane)
{
	struct pair_end *end = ctx;
	(void)lane;
	clip_lane_room(lanes[end->side]);
}

static struct tunnel_events events;

static void replace(struct pair *pair, struct pair_end *end)
{
	tunnel_free(end->tunnel);
	struct tunnel_config config = {.side = end->side,
		.identity = end->identity,
		.license = PAIR_LICENSE,
		.purpose = PROLOGUE_SESSION,
		.device = "laptop"};
	memcpy(config.psk, end->psk, sizeof(config.psk));
	assert_int_equal(tunnel_new(&end->tunnel, pair->base, &config, &events, end), 0);
	assert_int_equal(clip_lane_new(&lanes[end->side], end->tunnel, on_text, end), 0);
}

static struct pair *begin(void)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	events = PAIR_EVENTS;
	events.bytes = clip_on_bytes;
	events.room = clip_on_room;
	replace(pair, &pair->host);
	replace(pair, &pair->viewer);
	heard_count = 0;
	pair_up(pair);
	return pair;
}

static void finish(struct pair *pair)
{
	clip_lane_free(lanes[0]);
	clip_lane_free(lanes[1]);
	pair_free(pair);
	free(heard);
	heard = NULL;
}

static void texts_of_all_sizes(void **state UNUSED)
{
	const size_t sizes[] = {0, 1, 3, 1000, 8188, 8189, 70000, CLIP_LANE_MAX};
	struct pair *pair = begin();
	static char text[CLIP_LANE_MAX + 1];
	for (size_t i = 0; i < CLIP_LANE_MAX; i++)
		text[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		heard_count = 0;
		assert_int_equal(clip_lane_send(lanes[i % 2 ? SEAL_VIEWER : SEAL_HOST],
					 text, sizes[i]),
			0);
		pair_run(pair);
		assert_int_equal(heard_count, 1);
		assert_int_equal(heard_len, sizes[i]);
		assert_memory_equal(heard, text, sizes[i]);
	}
	assert_int_equal(clip_lane_send(lanes[0], text, CLIP_LANE_MAX + 1),
		-REASON_LIMIT);
	assert_int_equal(clip_lane_send(lanes[0], "\xff", 1), -REASON_BAD_VALUE);
	finish(pair);
}

static void only_the_newest_waits(void **state UNUSED)
{
	struct pair *pair = begin();
	static char text[CLIP_LANE_MAX];
	memset(text, 'x', sizeof(text));
	pair_cut(pair);
	assert_int_equal(clip_lane_send(lanes[SEAL_HOST], text, sizeof(text)), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(clip_lane_send(lanes[SEAL_HOST], text, sizeof(text)), 0);
	assert_int_equal(clip_lane_send(lanes[SEAL_HOST], "last", 4), 0);
	pair_up(pair);
	pair_run(pair);
	assert_true(heard_count <= 3);
	assert_int_equal(heard_len, 4);
	finish(pair);
}

static void too_long_or_not_utf8_ends_it(void **state UNUSED)
{
	const struct {
		uint8_t bytes[8];
		size_t len;
		int reason;
	} cases[] = {
		{{0x00, 0x10, 0x00, 0x01}, 4, REASON_LIMIT},
		{{0xff, 0xff, 0xff, 0xff}, 4, REASON_LIMIT},
		{{0x00, 0x00, 0x00, 0x02, 0xc0, 0x80}, 6, REASON_BAD_MESSAGE},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pair *pair = begin();
		tunnel_write(pair->viewer.tunnel, SEAL_CLIPBOARD, cases[i].bytes,
			cases[i].len);
		pair_run(pair);
		assert_int_equal(heard_count, 0);
		assert_int_equal(pair->host.ended, 1);
		assert_int_equal(pair->host.end_reason, cases[i].reason);
		finish(pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_all_sizes),
		cmocka_unit_test(only_the_newest_waits),
		cmocka_unit_test(too_long_or_not_utf8_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
