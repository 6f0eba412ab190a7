/* The operator's notices, in two languages and whatever a gateway may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/check.h"
#include "link/news.h"

#define STOP                                                                             \
	"{\"id\":\"ntc_1\",\"kind\":\"planned_stop\",\"from_ms\":1795442400000,\"to_"    \
	"ms\":"                                                                          \
	"1795446000000,\"text\":{\"en\":\"New disks.\",\"ja\":\"ディスク交換\"}}"
#define LATER                                                                            \
	"{\"id\":\"ntc_2\",\"kind\":\"planned_stop\",\"from_ms\":1795528800000,\"to_"    \
	"ms\":"                                                                          \
	"1795618800000,\"text\":{\"en\":\"Moving.\"}}"
#define OTHER                                                                            \
	"{\"id\":\"ntc_3\",\"kind\":\"news\",\"from_ms\":1,\"to_ms\":0,\"text\":{"       \
	"\"ja\":"                                                                        \
	"\"新しい版\"}}"

static void in_both_languages(void **state)
{
	struct news news;
	char line[NEWS_LINE];
	(void)state;
	news_read(&news, "{\"items\":[" LATER "," OTHER "," STOP "]}");
	assert_int_equal(news.count, 3);
	/* The next stop comes before everything else. */
	const struct news_item *first = news_first(&news, 1795440000000);
	assert_string_equal(first->id, "ntc_1");
	news_line(first, REASON_EN, line);
	assert_string_equal(line,
		"Planned stop, 2026-11-23 23:00 to 2026-11-24 00:00: New "
		"disks.");
	news_line(first, REASON_JA, line);
	assert_string_equal(line,
		"【計画停止】2026-11-23 23:00～2026-11-24 00:00 ディスク交換");
	/* When it is over, the one after it; a text that is missing is the other language's. */
	first = news_first(&news, 1795446000000);
	assert_string_equal(first->id, "ntc_2");
	news_line(first, REASON_JA, line);
	assert_non_null(strstr(line, "Moving."));
	assert_ptr_equal(news_next_stop(&news, 1795446000000), first);
	assert_null(news_next_stop(&news, 1795618800000));
	first = news_first(&news, 1795618800000);
	news_line(first, REASON_EN, line);
	assert_string_equal(line, "Notice: 新しい版");
}

static void nonsense_is_no_news(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"items\":7}",
		"{\"items\":[7,{},{\"text\":7},{\"text\":{\"en\":\"\"}}]}", "null"};
	struct news news;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		news.count = 5;
		news_read(&news, texts[i]);
		assert_int_equal(news.count, 0);
		assert_null(news_first(&news, 0));
	}
	char line[NEWS_LINE];
	news_read(&news,
		"{\"items\":[{\"id\":\"a\\u001b[2J\",\"kind\":\"planned_stop\","
		"\"from_ms\":9000000000000000000,\"to_ms\":-5,\"text\":{\"en\":\"x"
		"\\u202e\\n\\u0007y\"}}]}");
	assert_int_equal(news.count, 1);
	news_line(&news.items[0], REASON_EN, line);
	assert_null(strpbrk(line, "\x1b\n\x07"));
	assert_null(strstr(line, "\xe2\x80\xae"));
	/* No more than there is room for. */
	char many[4000] = "{\"items\":[", item[] = "{\"text\":{\"en\":\"x\"}},";
	for (int i = 0; i < 100; i++)
		strcat(many, item);
	strcat(many, "7]}");
	news_read(&news, many);
	assert_int_equal(news.count, NEWS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_both_languages),
		cmocka_unit_test(nonsense_is_no_news),
	};
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
