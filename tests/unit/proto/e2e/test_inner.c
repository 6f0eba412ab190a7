/* Control messages: golden bytes, every kind both ways, everything that is refused. */
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/inner.h"

static int parse(const void *bytes, size_t len, enum seal_side from,
	struct inner_message *ret)
{
	struct cursor cursor = cursor_of(bytes, len);
	int result = inner_parse(&cursor, from, ret);
	if (result == 0)
		assert_int_equal(cursor_left(&cursor), 0);
	else
		assert_int_equal(cursor_left(&cursor), len);
	return result;
}

/* Fills every member with something that is legal. */
static void fill(struct inner_message *message, enum inner_kind kind)
{
	memset(message, 0, sizeof(*message));
	message->kind = kind;
	switch (kind) {
	case INNER_NOTICE:
		message->notice.reason = 0x0601;
		strcpy(message->notice.en, "It ends.\nSoon.");
		strcpy(message->notice.ja, "終了します。");
		break;
	case INNER_ACK:
		message->ack.lanes =
			(struct inner_acks){3, {4, 0, 2}, {1, UINT64_MAX, 3}};
		break;
	case INNER_MONITORS:
		message->monitors.rects = (struct inner_rects){
			2, {{0, 0, 1920, 1080}, {1920, 60, UINT16_MAX - 1920, 1024}}};
		break;
	case INNER_HELLO_OK:
		memset(&message->hello_ok, 0x5a,
			offsetof(struct inner_hello_ok, host_name));
		strcpy(message->hello_ok.host_name, "会社のPC");
		break;
	case INNER_PAIRED:
		memset(message->paired.pair_psk, 0x77, sizeof(message->paired.pair_psk));
		strcpy(message->paired.host_name, "office-7");
		break;
	default:
		memset((char *)message + offsetof(struct inner_message, deny), 0x5a,
			sizeof(*message) - offsetof(struct inner_message, deny));
	}
}

static void every_kind_comes_back(void **state)
{
	(void)state;
	static const enum inner_kind kinds[] = {
#define MESSAGE(number, upper, lower, sender) INNER_##upper,
#include "e2e/inner.def"
	};
	assert_int_equal(ARRAY_LEN(kinds), 17);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct inner_message message, back;
		uint8_t bytes[INNER_MESSAGE_MAX], again[INNER_MESSAGE_MAX];
		size_t len, again_len;
		fill(&message, kinds[i]);
		assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len), 0);
		assert_string_not_equal(inner_name(kinds[i]), "UNKNOWN");
		int from_host = parse(bytes, len, SEAL_HOST, &back);
		int from_viewer = parse(bytes, len, SEAL_VIEWER, &back);
		assert_true(from_host == 0 || from_viewer == 0);
		assert_int_equal(back.kind, kinds[i]);
		assert_int_equal(inner_pack(&back, again, sizeof(again), &again_len), 0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, bytes, len);
		/* Every shorter one is refused, with its length corrected or not. */
		for (size_t cut = 0; cut < len; cut++) {
			assert_int_equal(parse(bytes, cut,
						 from_host == 0 ? SEAL_HOST : SEAL_VIEWER,
						 &back),
				-REASON_BAD_MESSAGE);
			if (cut < 3)
				continue;
			memcpy(again, bytes, cut);
			again[1] = (uint8_t)((cut - 3) >> 8);
			again[2] = (uint8_t)(cut - 3);
			assert_int_equal(parse(again, cut,
						 from_host == 0 ? SEAL_HOST : SEAL_VIEWER,
						 &back),
				-REASON_BAD_MESSAGE);
		}
		for (size_t room = 0; room < len; room++)
			assert_int_equal(inner_pack(&message, again, room, &again_len),
				-REASON_LIMIT);
	}
}

static void hello_has_these_bytes(void **state)
{
	(void)state;
	struct inner_message message = {.kind = INNER_VIEWER_HELLO,
		.viewer_hello = {.fence = 0x0102030405060708,
			.wanted = INNER_RIGHT_VIEW | INNER_RIGHT_CONTROL,
			.features = INNER_FEATURE_CLIPBOARD_LANE,
			.sequence = {0, 1, 2, 3, 0x1000000000000004}}};
	uint8_t bytes[INNER_MESSAGE_MAX];
	size_t len;
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len), 0);
	assert_int_equal(len, 3 + 8 + 2 + 4 + 40);
	assert_memory_equal(bytes,
		"\x01\x00\x36\1\2\3\4\5\6\7\x8\0\3\0\0\0\1"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\x10\0\0"
		"\0\0\0\0\4",
		len);
}

static void the_wrong_side_may_not_say_it(void **state)
{
	(void)state;
	struct inner_message message;
	static const uint8_t rights[] = {0x20, 0, 2, 0, 1},
			     open[] = {0x18, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
	assert_int_equal(parse(rights, sizeof(rights), SEAL_HOST, &message), 0);
	assert_int_equal(parse(rights, sizeof(rights), SEAL_VIEWER, &message),
		-REASON_BAD_MESSAGE);
	assert_int_equal(parse(open, sizeof(open), SEAL_VIEWER, &message), 0);
	assert_int_equal(parse(open, sizeof(open), SEAL_HOST, &message),
		-REASON_BAD_MESSAGE);
}

static void later_versions_may_add(void **state)
{
	(void)state;
	struct inner_message message;
	static const uint8_t longer[] = {0x04, 0, 5, 0x06, 0x01, 9, 9, 9},
			     unknown[] = {0x81, 0, 2, 1, 1},
			     forbidden[] = {0x7f, 0, 2, 1, 1};
	assert_int_equal(parse(longer, sizeof(longer), SEAL_HOST, &message), 0);
	assert_int_equal(message.close.reason, 0x0601);
	assert_int_equal(parse(unknown, sizeof(unknown), SEAL_HOST, &message), 0);
	assert_int_equal(message.kind, INNER_SKIPPED);
	assert_int_equal(parse(forbidden, sizeof(forbidden), SEAL_HOST, &message),
		-REASON_BAD_MESSAGE);
	assert_string_equal(inner_name(INNER_SKIPPED), "UNKNOWN");
}

static void bad_fields_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\x10\0\x01\6", 4},                    /* six acknowledgements */
		{"\x10\0\x0a\1\5\0\0\0\0\0\0\0\1", 13}, /* lane 5 */
		{"\x10\0\x13\2\1\0\0\0\0\0\0\0\1\1\0\0\0\0\0\0\0\1",
			22},                              /* a lane twice */
		{"\x80\0\x09\1\0\0\0\0\0\1\0\0", 12},     /* a monitor without height */
		{"\x80\0\x09\1\xff\xff\0\0\0\1\0\1", 12}, /* beyond the picture */
		{"\x21\0\7\0\0\0\1\xff\0\0", 10},         /* no UTF-8 */
		{"\x21\0\7\0\0\0\1\0\0\0", 10},           /* NUL in a text */
		{"\x21\0\x08\0\0\0\2\xed\xa0\0\0", 11},   /* half a surrogate */
		{"\x08\0\x23"
		 "0123456789abcdef0123456789abcdef\0\1\n",
			38}, /* control in a name */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct inner_message message;
		assert_int_equal(parse(rows[i].bytes, rows[i].len, SEAL_HOST, &message),
			-REASON_BAD_MESSAGE);
	}
}

static void bad_values_are_not_sent(void **state)
{
	(void)state;
	struct inner_message message = {.kind = INNER_NOTICE};
	uint8_t bytes[4096];
	size_t len;
	strcpy(message.notice.en, "\xff");
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len),
		-REASON_BAD_VALUE);
	memset(message.notice.en, 'a', sizeof(message.notice.en)); /* no end */
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len),
		-REASON_BAD_VALUE);
	message.notice.en[INNER_TEXT_MAX] = 0;
	memcpy(message.notice.ja, message.notice.en, sizeof(message.notice.ja));
	assert_int_equal(inner_pack(&message, bytes, INNER_MESSAGE_MAX, &len), 0);
	message.kind = INNER_ACK;
	message.ack.lanes = (struct inner_acks){2, {1, 1}, {0, 0}};
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len),
		-REASON_BAD_VALUE);
	message.kind = INNER_MONITORS;
	message.monitors.rects = (struct inner_rects){.count = INNER_RECTS_MAX + 1};
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len),
		-REASON_BAD_VALUE);
	message.kind = (enum inner_kind)0x7f;
	assert_int_equal(inner_pack(&message, bytes, sizeof(bytes), &len),
		-REASON_BAD_VALUE);
}

static void clipboard_is_bounded(void **state)
{
	(void)state;
	uint8_t head[INNER_CLIPBOARD_HEAD];
	uint32_t len = 0;
	inner_clipboard_pack(0x00010203, head);
	struct cursor cursor = cursor_of(head, sizeof(head));
	assert_int_equal(inner_clipboard_parse(&cursor, &len), 0);
	assert_int_equal(len, 0x00010203);
	inner_clipboard_pack(INNER_CLIPBOARD_MAX + 1, head);
	cursor = cursor_of(head, sizeof(head));
	assert_int_equal(inner_clipboard_parse(&cursor, &len), -REASON_LIMIT);
	cursor = cursor_of(head, 3);
	assert_int_equal(inner_clipboard_parse(&cursor, &len), -REASON_BAD_MESSAGE);
	assert_int_equal(len, 0x00010203);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back),
		cmocka_unit_test(hello_has_these_bytes),
		cmocka_unit_test(the_wrong_side_may_not_say_it),
		cmocka_unit_test(later_versions_may_add),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(bad_values_are_not_sent),
		cmocka_unit_test(clipboard_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
