/* The page as it is linked in: strict policy, no script in the page itself, nothing from elsewhere, names
 * with hashes, every form. Holds for the page that says why there is none, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/viewer_web.h"

/* What a browser that loads it all takes over the line; licenses, which nothing asks for, are not in it. */
#define BUDGET (250 * 1024)

static const struct assets_file *find(const char *path)
{
	for (size_t i = 0; i < viewer_web_assets.count; i++)
		if (!strcmp(viewer_web_assets.files[i].path, path))
			return &viewer_web_assets.files[i];
	return NULL;
}

static char *text_of(const struct assets_file *file)
{
	char *text = strndup((const char *)file->forms[ASSETS_PLAIN].bytes,
		file->forms[ASSETS_PLAIN].len);
	assert_non_null(text);
	return text;
}

static void policy_is_strict(void **state)
{
	(void)state;
	const char *policy = viewer_web_assets.policy;

	for (const char *const *part = (const char *const[]){"default-src 'none';",
		     "script-src 'self';", "worker-src 'self';", "style-src 'self';",
		     "connect-src 'self';", "img-src 'self' data: blob:;",
		     "frame-ancestors 'none';", "base-uri 'none';", "form-action 'none';",
		     "require-trusted-types-for 'script';", NULL};
		*part; part++)
		assert_non_null(strstr(policy, *part));
	assert_null(strstr(policy, "unsafe"));
	assert_null(strchr(policy, '*'));
	assert_null(strstr(policy, "http:"));
}

static void page_has_no_script_of_its_own_and_nothing_foreign(void **state)
{
	(void)state;
	char *page = text_of(find("/"));

	for (char *at = page; (at = strstr(at, "<script")); at++) {
		char *end = strchr(at, '>');
		assert_non_null(end);
		assert_int_equal(strncmp(end, "></script>", 10), 0);
	}
	assert_null(strstr(page, "<style"));
	assert_null(strstr(page, "://"));
	assert_non_null(strstr(page, "lang=\"ja\""));
	assert_non_null(strstr(page, "lang=\"en\""));
	assert_null(strchr(page, '{'));
	free(page);
}

static void what_the_page_names_is_there_for_ever(void **state)
{
	(void)state;
	char *page = text_of(find("/")), path[128];

	assert_int_equal(find("/")->life, ASSETS_ASK);
	for (char *at = page; (at = strstr(at, "\"/assets/")); at++) {
		assert_int_equal(sscanf(at, "\"%127[^\"]", path), 1);
		const struct assets_file *file = find(path);
		assert_non_null(file);
		assert_int_equal(file->life, ASSETS_LASTING);
	}
	free(page);
}

static void all_of_it_is_small(void **state)
{
	(void)state;
	size_t sum = 0;

	for (size_t i = 0; i < viewer_web_assets.count; i++) {
		const struct assets_file *file = &viewer_web_assets.files[i];
		int is_big = file->forms[ASSETS_PLAIN].len > 1400;
		assert_true(!is_big || file->forms[ASSETS_BROTLI].bytes);
		assert_true(!is_big || file->forms[ASSETS_GZIP].bytes);
		if (strcmp(file->path, "/assets/licenses.txt") != 0 &&
			strncmp(file->path, "/offline", 8) != 0)
			sum += file->forms[assets_choose(file, "br, gzip")].len;
	}
	assert_in_range(sum, 100, BUDGET);
}

/* Its script, its style and its worker are in it, and nothing is asked for. */
static void the_offline_file_is_whole(void **state)
{
	(void)state;
	const struct assets_file *file = find("/offline.html");

	if (!file) { /* built without the page */
		assert_int_equal(viewer_web_assets.count, 1);
		return;
	}
	char *page = text_of(file), *sum = text_of(find("/offline.html.sha256"));
	assert_string_equal(file->saved_as, "engawa-viewer-offline.html");
	assert_non_null(strstr(sum, "  engawa-viewer-offline.html\n"));
	for (const char *const *part = (const char *const[]){"default-src 'none';",
		     "script-src 'sha256-", "worker-src blob:;", "style-src 'sha256-",
		     "connect-src wss:;", "base-uri 'none';", "form-action 'none';",
		     "require-trusted-types-for 'script'", NULL};
		*part; part++)
		assert_non_null(strstr(page, *part));
	assert_null(strstr(page, "unsafe"));
	assert_null(strstr(page, " src="));
	assert_null(strstr(page, "rel=\"stylesheet\""));
	free(sum);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_is_strict),
		cmocka_unit_test(page_has_no_script_of_its_own_and_nothing_foreign),
		cmocka_unit_test(what_the_page_names_is_there_for_ever),
		cmocka_unit_test(all_of_it_is_small),
		cmocka_unit_test(the_offline_file_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
