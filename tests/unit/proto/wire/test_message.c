#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "wire/message.h"

static int parse_connect(const char *text, struct message_connect *ret)
{
	return message_connect_parse((const uint8_t *)text, strlen(text), ret);
}

static void golden_bytes(void **state)
{
	(void)state;
	static const char golden[] = "\x06\0\0\x41{\"purpose\":1,\"psk_kind\":2,"
				     "\"resume\":\"s1\",\"fence\":9007199254740991}";
	struct message_connect connect = {
		.purpose = 1, .psk_kind = 2, .resume = "s1", .fence = 9007199254740991};
	struct buf out;
	buf_init(&out, FRAME_MAX);
	assert_int_equal(message_connect_write(&connect, &out), 0);
	assert_int_equal(buf_len(&out), sizeof(golden) - 1);
	assert_memory_equal(buf_head(&out), golden, sizeof(golden) - 1);
	struct frame frame;
	struct message_connect back;
	assert_int_equal(frame_parse(buf_head(&out), buf_len(&out), &frame), 1);
	assert_int_equal(message_connect_parse(frame.payload, frame.len, &back), 0);
	assert_memory_equal(&back, &connect, sizeof(back));
	buf_done(&out);
}

static void binary_is_base64url(void **state)
{
	(void)state;
	struct message_open open = {.fence = 7,
		.purpose = 1,
		.psk_kind = 2,
		.viewer_max = 1,
		.policy = "{\"a\":[1,{\"b\":null}]}",
		.peer_name = "縁側\n\"x\""};
	struct buf out;
	struct message_open back;
	buf_init(&out, FRAME_MAX);
	for (int i = 0; i < 16; i++)
		open.session[i] = (uint8_t)(0xF0 + i);
	assert_int_equal(message_open_write(&open, &out), 0);
	char *text = strndup((const char *)buf_head(&out) + 4, buf_len(&out) - 4);
	assert_non_null(strstr(text, "\"session\":\"8PHy8_T19vf4-fr7_P3-_w\""));
	assert_non_null(strstr(text, "\"policy\":{\"a\":[1,{\"b\":null}]}"));
	assert_null(strstr(text, "ticket"));
	assert_non_null(strstr(text, "\"viewer_min\":0")); /* needed, though 0 */
	assert_int_equal(message_open_parse(buf_head(&out) + 4, buf_len(&out) - 4, &back),
		0);
	assert_memory_equal(back.session, open.session, 16);
	assert_string_equal(back.peer_name, open.peer_name);
	assert_string_equal(back.policy, open.policy);
	free(text);
	buf_done(&out);
}

static void what_is_no_connect(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"null",
		"1",
		"{",
		"{}",
		"{\"purpose\":1}",
		"{\"purpose\":1,\"psk_kind\":2} x",
		"{\"purpose\":1,\"psk_kind\":2}{}",
		"{\"purpose\":1,\"psk_kind\":2,\"purpose\":1}",
		"{\"purpose\":1,\"psk_kind\":2,\"x\":1,\"x\":2}",
		"{\"purpose\":1,\"psk_kind\":2,\"x\":{\"y\":1,\"y\":1}}",
		"{\"purpose\":\"1\",\"psk_kind\":2}",
		"{\"purpose\":null,\"psk_kind\":2}",
		"{\"purpose\":1.0,\"psk_kind\":2}",
		"{\"purpose\":-1,\"psk_kind\":2}",
		"{\"purpose\":3,\"psk_kind\":2}",
		"{\"purpose\":1,\"psk_kind\":2,\"fence\":9007199254740992}",
		"{\"purpose\":1,\"psk_kind\":2,\"fence\":99999999999999999999}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":7}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":null}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":\"a\\u0000b\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"x\":\"\\u0000\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"\\u0000\":1}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":\"\xFF\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":\"\xED\xA0\x80\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":\"\\ud800\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":"
		"\"12345678901234567890123456789012345678901\"}",
		"{\"purpose\":1,\"psk_kind\":2,\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
		"\"a\":{\"a\":{}}}}}}}}}",
		"{\"purpose\":1,\"psk_kind\":2,\"a\":[[[[[[[[]]]]]]]]}",
	};
	struct message_connect connect, before;
	memset(&connect, 0x55, sizeof(connect));
	before = connect;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse_connect(bad[i], &connect) != -REASON_BAD_MESSAGE)
			fail_msg("%s", bad[i]);
		assert_memory_equal(&connect, &before, sizeof(connect));
	}
	static const char nul[] = "{\"purpose\":1,\"psk_kind\":2}\0";
	assert_int_equal(message_connect_parse((const uint8_t *)nul, sizeof(nul) - 1,
				 &connect),
		-REASON_BAD_MESSAGE);
}

static void what_is_one_still(void **state)
{
	(void)state;
	static const char *const good[] = {
		"{\"purpose\":1,\"psk_kind\":2}",
		" {\n\"psk_kind\" : 2 , \"purpose\" : 1 }\r\n",
		"{\"purpose\":1,\"psk_kind\":2,\"later\":{\"a\":[true,1.5]},\"縁側\":"
		"null}",
		"{\"purpose\":1,\"psk_kind\":2,\"a\":[[[[[[[\"]]]]]]]]][[[[{{{{\\\"[[\"]]"
		"]]]]]}",
		"{\"purpose\":1,\"psk_kind\":2,\"resume\":\"\"}",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct message_connect connect;
		if (parse_connect(good[i], &connect))
			fail_msg("%s", good[i]);
		assert_true(connect.purpose == 1 && connect.psk_kind == 2 &&
			    connect.fence == 0);
		assert_string_equal(connect.resume, "");
	}
}

static void binary_of_another_size(void **state)
{
	(void)state;
	static const char *const bad[] = {"\"\"", "\"8PHy8_T19vf4-fr7_P3-\"",
		"\"8PHy8_T19vf4-fr7_P3-_w==\"", "\"8PHy8_T19vf4-fr7_P3-_wAA\"",
		"\"8PHy8/T19vf4+fr7/P3+/w\"", "\"8PHy8_T19vf4-fr7_P3-_x\"", "7", "[1]"};
	char text[400];
	static const char format[] =
		"{\"session\":%s,\"fence\":1,\"purpose\":1,\"psk_kind\":1,\"viewer_min\":"
		"1,\"viewer_max\":1,\"host_min\":1,\"host_max\":1}";
	struct message_open open;
	snprintf(text, sizeof(text), format, "\"8PHy8_T19vf4-fr7_P3-_w\"");
	assert_int_equal(message_open_parse((uint8_t *)text, strlen(text), &open), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof(text), format, bad[i]);
		assert_int_equal(message_open_parse((uint8_t *)text, strlen(text), &open),
			-REASON_BAD_MESSAGE);
	}
}

static void objects_are_bounded(void **state)
{
	(void)state;
	static char text[20000];
	struct message_report report = {0};
	for (int size = 8184; size <= 8186; size++) {
		int len = snprintf(text, sizeof(text),
			"{ \"inventory\" : { \"a\" : \"%0*d\" } }", size, 0);
		int r = message_report_parse((uint8_t *)text, (size_t)len, &report);
		assert_int_equal(r, size + 8 <= 8192 ? 0 : -REASON_BAD_MESSAGE);
	}
	assert_int_equal(strlen(report.inventory), 8192);
	assert_memory_equal(report.inventory, "{\"a\":\"000", 9);
	static const char *const bad[] = {
		"{\"inventory\":[]}", "{\"inventory\":\"{}\"}", "{\"inventory\":null}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(message_report_parse((const uint8_t *)bad[i],
					 strlen(bad[i]), &report),
			-REASON_BAD_MESSAGE);
	assert_int_equal(message_report_parse((const uint8_t *)"{\"inventory\":{}}", 16,
				 &report),
		0);
	assert_string_equal(report.inventory, "{}");
	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	assert_int_equal(message_report_parse((uint8_t *)text, FRAME_CONTROL_MAX,
				 &report),
		0);
	assert_string_equal(report.inventory, "");
	assert_int_equal(message_report_parse((uint8_t *)text, FRAME_CONTROL_MAX + 1,
				 &report),
		-REASON_BAD_MESSAGE);
}

/* What the other side would refuse is not sent, and nothing of it stays in the buffer. */
static void writers_refuse(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, FRAME_MAX);
	struct message_connect connect = {.purpose = 3};
	assert_int_equal(message_connect_write(&connect, &out), -REASON_BAD_VALUE);
	connect = (struct message_connect){.resume = "\xFF"};
	assert_int_equal(message_connect_write(&connect, &out), -REASON_BAD_VALUE);
	memset(connect.resume, 'x', sizeof(connect.resume));
	assert_int_equal(message_connect_write(&connect, &out), -REASON_BAD_VALUE);
	struct message_report report = {.inventory = "{\"a\":"};
	assert_int_equal(message_report_write(&report, &out), -REASON_BAD_VALUE);
	report = (struct message_report){.inventory = "[]"};
	assert_int_equal(message_report_write(&report, &out), -REASON_BAD_VALUE);
	report = (struct message_report){
		.inventory =
			"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}"};
	assert_int_equal(message_report_write(&report, &out), -REASON_BAD_VALUE);
	assert_int_equal(buf_len(&out), 0);
	/* Each control character takes six bytes in JSON. */
	static struct message_prove prove;
	memset(prove.password, 1, 256);
	strcpy(prove.inventory, "{\"a\":\"");
	for (int i = 0; i < 1300; i++)
		strcat(prove.inventory, "\\u0001");
	strcat(prove.inventory, "\"}");
	assert_int_equal(message_prove_write(&prove, &out), 0);
	buf_drain(&out, buf_len(&out));
	static struct message_notice notice = {.kind = "message"};
	memset(notice.en, 1, 1024);
	memset(notice.ja, 1, 1024);
	assert_int_equal(message_notice_write(&notice, &out), 0);
	buf_drain(&out, buf_len(&out));
	static struct message_welcome welcome = {.leg = "l"};
	memset(welcome.holder, 1, 256);
	memset(welcome.tenant, 1, 256);
	memset(welcome.notices, 'x', 8192);
	memcpy(welcome.notices, "{\"a\":\"", 6);
	memcpy(welcome.notices + 8190, "\"}", 2);
	assert_int_equal(message_welcome_write(&welcome, &out), 0);
	buf_done(&out);
	buf_init(&out, 20);
	assert_int_equal(message_welcome_write(&welcome, &out), -REASON_LIMIT);
	assert_int_equal(buf_len(&out), 0);
	buf_done(&out);
}

/* One round trip per message, every field at its largest: the table fits its own limits. */
#define STR_FILL(field, size) memset(message.field, 'x', size);
#define NUM_FILL(field, size) message.field = size;
#define BIN_FILL(field, size) memset(message.field, 0xA5, size);
#define OBJ_FILL(field, size) fill_obj(message.field, size);

static void fill_obj(char *field, size_t size)
{
	memset(field, 'x', size);
	memcpy(field, "{\"a\":\"", 6);
	memcpy(field + size - 2, "\"}", 2);
}

static void every_message_at_its_largest(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, FRAME_MAX);
#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	{                                                                                \
		static struct message_##name message, back;                              \
		int (*write)(const struct message_##name *, struct buf *) =              \
			message_##name##_write;                                          \
		int (*parse)(const uint8_t *, size_t, struct message_##name *) =         \
			message_##name##_parse;                                          \
		int type = number;
#define FIELD(name, kind, field, size, need, help) kind##_FILL(field, size)
#define END(name)                                                                        \
	struct frame frame;                                                              \
	assert_int_equal(write(&message, &out), 0);                                      \
	assert_int_equal(frame_parse(buf_head(&out), buf_len(&out), &frame), 1);         \
	assert_int_equal(frame.type, type);                                              \
	assert_int_equal(frame_size(&frame), buf_len(&out));                             \
	assert_int_equal(parse(frame.payload, frame.len, &back), 0);                     \
	assert_memory_equal(&back, &message, sizeof(back));                              \
	buf_drain(&out, buf_len(&out));                                                  \
	}
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	buf_done(&out);
}

/* A needed field that is left out is missed, whichever it is. */
static void every_needed_field_is_needed(void **state)
{
	(void)state;
	struct message_hello hello = {.gen_min = 1,
		.gen_max = 1,
		.side = "host",
		.license = "lic_123456789",
		.kind = "native",
		.program = "p",
		.app_min = 1,
		.app_max = 1};
	struct buf out;
	int needed = 0;
	buf_init(&out, FRAME_MAX);
	assert_int_equal(message_hello_write(&hello, &out), 0);
	json_t *whole =
		json_loadb((const char *)buf_head(&out) + 4, buf_len(&out) - 4, 0, NULL);
	const char *key;
	json_t *value;
	json_object_foreach(whole, key, value)
	{
		json_t *less = json_copy(whole);
		json_object_del(less, key);
		char *text = json_dumps(less, 0);
		assert_int_equal(message_hello_parse((uint8_t *)text, strlen(text),
					 &hello),
			-REASON_BAD_MESSAGE);
		free(text);
		json_decref(less);
		needed++;
	}
	assert_int_equal(needed, 9);
	json_decref(whole);
	buf_done(&out);
}

static void raw_frames(void **state)
{
	(void)state;
	static uint8_t record[FRAME_DATA_MAX + 1];
	struct buf out;
	buf_init(&out, FRAME_MAX);
	assert_int_equal(message_raw_write(FRAME_PING, "12345678", 8, &out), 0);
	assert_int_equal(buf_len(&out), 12);
	assert_memory_equal(buf_head(&out),
		"\x09\0\0\x08"
		"12345678",
		12);
	assert_int_equal(message_raw_write(FRAME_PING, "1234567", 7, &out),
		-REASON_LIMIT);
	assert_int_equal(message_raw_write(FRAME_DATA, record, 15, &out), -REASON_LIMIT);
	assert_int_equal(message_raw_write(FRAME_DATA, record, FRAME_DATA_MAX + 1, &out),
		-REASON_LIMIT);
	assert_int_equal(message_raw_write(FRAME_DATA, record, FRAME_DATA_MAX, &out),
		-REASON_LIMIT);
	buf_drain(&out, 12);
	assert_int_equal(message_raw_write(FRAME_DATA, record, FRAME_DATA_MAX, &out), 0);
	assert_int_equal(buf_len(&out), FRAME_MAX);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(binary_is_base64url),
		cmocka_unit_test(what_is_no_connect),
		cmocka_unit_test(what_is_one_still),
		cmocka_unit_test(binary_of_another_size),
		cmocka_unit_test(objects_are_bounded),
		cmocka_unit_test(writers_refuse),
		cmocka_unit_test(every_message_at_its_largest),
		cmocka_unit_test(every_needed_field_is_needed),
		cmocka_unit_test(raw_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
