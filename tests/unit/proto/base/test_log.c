#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"

static int ends[2]; /* of a pipe: read, write */

static int open_pipe(void **state)
{
	(void)state;
	clock_fake(0, 1795327200123);
	return pipe2(ends, O_NONBLOCK);
}

static int close_pipe(void **state)
{
	(void)state;
	clock_fake(-1, -1);
	log_open("test", 2, LOG_TEXT, LOG_INFO);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static const char *read_back(void)
{
	static char text[65536];
	ssize_t n = read(ends[0], text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static json_t *read_json(void)
{
	const char *text = read_back();
	json_error_t error;
	assert_non_null(strchr(text, '\n'));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(object);
	return object;
}

#define START "time=2026-11-22T06:00:00.123Z level="

static void text_lines(void **state)
{
	(void)state;
	log_open("engawa-host", ends[1], LOG_TEXT, LOG_INFO);
	log_line(LOG_INFO, "session opened", LOG_S("session", "s1"), LOG_U("fence", 42));
	assert_string_equal(read_back(), START "info program=engawa-host event=\"session "
					       "opened\" session=s1 fence=42\n");
	log_line(LOG_ERROR, "plain");
	assert_string_equal(read_back(), START "error program=engawa-host event=plain\n");
	log_line(LOG_DEBUG, "below the least level");
	assert_string_equal(read_back(), "");
	log_line(LOG_WARN, "x", LOG_S("empty", ""), LOG_S("quoted", "a \"b\\"),
		LOG_U("n", -3));
	assert_string_equal(read_back(),
		START "warn program=engawa-host event=x empty=\"\" quoted=\"a "
		      "\\\"b\\\\\" n=-3\n");
}

static void no_value_forges_a_line(void **state)
{
	(void)state;
	static const char evil[] =
		"x\nlevel=error event=\"hacked\"\r\x1B[2J\xE2\x80\xAE\xFF\xE2\x80\xA8";
	log_open("p", ends[1], LOG_TEXT, LOG_INFO);
	log_line(LOG_INFO, "e", LOG_S("name", evil));
	const char *text = read_back();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	for (const char *at = text; at[1]; at++)
		assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7F);
	assert_null(strstr(text, " event=\"hacked\""));
	assert_non_null(strstr(text, "\\\"hacked\\\""));
}

static void json_lines(void **state)
{
	(void)state;
	log_open("engawa-gateway", ends[1], LOG_JSON, LOG_DEBUG);
	log_line(LOG_DEBUG, "縁側", LOG_S("quote", "a\"b\\c"), LOG_U("big", INT64_MAX));
	json_t *object = read_json();
	assert_string_equal(json_string_value(json_object_get(object, "time")),
		"2026-11-22T06:00:00.123Z");
	assert_string_equal(json_string_value(json_object_get(object, "level")), "debug");
	assert_string_equal(json_string_value(json_object_get(object, "program")),
		"engawa-gateway");
	assert_string_equal(json_string_value(json_object_get(object, "event")), "縁側");
	assert_string_equal(json_string_value(json_object_get(object, "quote")),
		"a\"b\\c");
	assert_true(json_integer_value(json_object_get(object, "big")) == INT64_MAX);
	json_decref(object);
}

/* Whatever bytes a peer sends, the line stays one JSON object. */
static void json_survives_hostile_bytes(void **state)
{
	(void)state;
	char bytes[600];
	log_open("p", ends[1], LOG_JSON, LOG_INFO);
	srand(3);
	for (int turn = 0; turn < 2000; turn++) {
		size_t len = (size_t)rand() % sizeof(bytes);
		for (size_t i = 0; i < len; i++) {
			static const char favourites[] =
				"\"\\\n\r\t\x7F\xC3\xA9\xE2\x80\xAE\xF0\xFF{}";
			int pick = rand();
			bytes[i] = pick % 3 ? favourites[(size_t)pick / 3 %
							 (sizeof(favourites) - 1)]
					    : (char)(1 + pick / 3 % 255);
		}
		bytes[len ? len - 1 : 0] = 0;
		log_line(LOG_INFO, bytes, LOG_S("name", bytes));
		json_t *object = read_json();
		assert_in_range(json_string_length(json_object_get(object, "name")), 0,
			256);
		json_decref(object);
	}
}

static void too_long_lines_stay_whole(void **state)
{
	(void)state;
	char value[400];
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	struct log_field fields[41] = {0};
	char keys[40][16];
	for (int i = 0; i < 40; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		fields[i] = LOG_S(keys[i], value);
	}
	log_open("p", ends[1], LOG_JSON, LOG_INFO);
	log_fields(LOG_INFO, "long", fields);
	json_t *object = read_json();
	assert_int_equal(json_integer_value(json_object_get(object, "cut")), 1);
	assert_non_null(json_object_get(object, "k0"));
	assert_null(json_object_get(object, "k39"));
	json_decref(object);
}

/* Lines of every length around the limit: whole JSON, and never more than a pipe takes at once. */
static void every_length_around_the_limit(void **state)
{
	(void)state;
	char value[257];
	int cut = 0, uncut = 0;
	log_open("p", ends[1], LOG_JSON, LOG_INFO);
	for (int last = 0; last <= 256; last++) {
		struct log_field fields[18] = {0};
		memset(value, 'x', sizeof(value));
		value[256] = 0;
		for (int i = 0; i < 14; i++)
			fields[i] = LOG_S("longer_key", value);
		fields[14] = LOG_S("last", value + 256 - last);
		fields[15] = LOG_U("n", 1);
		fields[16] = LOG_U("n", 2);
		log_fields(LOG_INFO, "long", fields);
		const char *text = read_back();
		size_t len = strlen(text);
		json_error_t error;
		json_t *object = json_loads(text, 0, &error);
		assert_non_null(object);
		assert_true(len <= 4096 && text[len - 1] == '\n');
		if (json_object_get(object, "cut"))
			cut++;
		else
			uncut++;
		json_decref(object);
	}
	assert_true(cut > 10 && uncut > 10);
}

/* A pipe that is full takes a part of a line, or none; the next line stands by itself. */
static void full_pipe_does_not_glue_lines(void **state)
{
	(void)state;
	char filler[4096];
	memset(filler, '.', sizeof(filler));
	while (write(ends[1], filler, sizeof(filler)) > 0)
		;
	log_open("p", ends[1], LOG_JSON, LOG_INFO);
	errno = 7;
	log_line(LOG_INFO, "lost");
	assert_int_equal(errno, 7);
	while (*read_back())
		;
	log_line(LOG_INFO, "kept");
	json_t *object = read_json();
	assert_string_equal(json_string_value(json_object_get(object, "event")), "kept");
	json_decref(object);
}

static void torn_line_is_closed(void **state)
{
	(void)state;
	char name[] = "/tmp/engawa-test-log-XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	unlink(name);
	pid_t child = fork();
	if (child == 0) {
		/* RLIMIT_FSIZE cuts a write in the middle, as a full disk does. */
		struct rlimit limit = {30, RLIM_INFINITY};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		log_open("p", fd, LOG_JSON, LOG_INFO);
		log_line(LOG_INFO, "torn");
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &limit);
		log_line(LOG_INFO, "whole");
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	char text[600] = "";
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 30);
	close(fd);
	assert_int_equal(text[30], '\n');
	json_error_t error;
	json_t *object = json_loads(text + 31, 0, &error);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "whole");
	json_decref(object);
}

static void *log_many(void *word)
{
	for (int i = 0; i < 100; i++)
		log_line(LOG_INFO, "turn", LOG_S("word", word), LOG_U("i", i));
	return NULL;
}

static void threads_write_whole_lines(void **state)
{
	(void)state;
	char words[3][2] = {"a", "b", "c"};
	pthread_t threads[3];
	int lines = 0;
	log_open("p", ends[1], LOG_JSON, LOG_INFO);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, words[i]),
			0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	char *save = NULL, *copy = strdup(read_back());
	for (char *line = strtok_r(copy, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		json_error_t error;
		json_t *object = json_loads(line, 0, &error);
		assert_non_null(object);
		json_decref(object);
		lines++;
	}
	free(copy);
	assert_int_equal(lines, 300);
}

static void formats_by_name(void **state)
{
	(void)state;
	enum log_format format;
	assert_int_equal(log_format_parse("json", &format), 0);
	assert_int_equal(format, LOG_JSON);
	assert_int_equal(log_format_parse("text", &format), 0);
	assert_int_equal(format, LOG_TEXT);
	assert_int_equal(log_format_parse("xml", &format), -REASON_USAGE);
	assert_int_equal(log_format_parse("", &format), -REASON_USAGE);
	assert_int_equal(format, LOG_TEXT);
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPE(text_lines),
		WITH_PIPE(no_value_forges_a_line),
		WITH_PIPE(json_lines),
		WITH_PIPE(json_survives_hostile_bytes),
		WITH_PIPE(too_long_lines_stay_whole),
		WITH_PIPE(every_length_around_the_limit),
		WITH_PIPE(full_pipe_does_not_glue_lines),
		WITH_PIPE(torn_line_is_closed),
		WITH_PIPE(threads_write_whole_lines),
		cmocka_unit_test(formats_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
