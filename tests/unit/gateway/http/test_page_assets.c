/* What a cluster adds to the built page: its nodes, in the policy and for the page itself, and the
 * signature of the offline file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "http/page_assets.h"

static const struct assets_file files[] = {
	{"/", "text/html", "aaaa", ASSETS_ASK, {{(const uint8_t *)"page", 4}}, NULL},
};
static const struct assets built = {
	files, 1, "default-src 'none'; connect-src 'self'; img-src 'self'"};

static struct page_assets *page;

static const struct assets *made(const char *const *nodes, size_t count)
{
	const struct page_assets_more more = {nodes, count, (const uint8_t *)"sig", 3};

	assert_int_equal(page_assets_new(&built, &more, &page), 0);
	return page_assets_files(page);
}

static void assert_text(const struct assets *assets, const char *path, const char *text)
{
	const struct assets_file *file = assets_find(assets, path);

	assert_non_null(file);
	assert_int_equal(file->forms[ASSETS_PLAIN].len, strlen(text));
	assert_memory_equal(file->forms[ASSETS_PLAIN].bytes, text, strlen(text));
}

static void alone_it_may_call_itself_only(void **state)
{
	(void)state;
	const struct assets *assets = made(NULL, 0);

	assert_string_equal(assets->policy, built.policy);
	assert_text(assets, "/", "page");
	assert_text(assets, "/gateways.json", "{\"here\":true,\"gateways\":[]}");
	assert_text(assets, "/offline.html.sig", "sig");
	assert_int_equal(assets_find(assets, "/gateways.json")->life, ASSETS_FRESH);
	page_assets_free(page);
}

static void other_nodes_may_be_called(void **state)
{
	static const char *const nodes[] = {"gw1.example.jp:443", "*.gw.example.jp:7443"};
	(void)state;
	const struct assets *assets = made(nodes, 2);

	assert_string_equal(assets->policy,
		"default-src 'none'; connect-src 'self' wss://gw1.example.jp:443 "
		"wss://*.gw.example.jp:7443; img-src 'self'");
	assert_text(assets, "/gateways.json",
		"{\"here\":true,\"gateways\":[\"gw1.example.jp:443\"]}");
	page_assets_free(page);
}

static void more_than_a_header_holds_is_an_error(void **state)
{
	static char name[300];
	const char *nodes[8];
	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	for (size_t i = 0; i < 8; i++)
		nodes[i] = name;
	const struct page_assets_more more = {nodes, 8, NULL, 0};
	assert_int_equal(page_assets_new(&built, &more, &page), -REASON_CONFIG);
	const struct page_assets_more fewer = {nodes, 6, NULL, 0};
	assert_int_equal(page_assets_new(&built, &fewer, &page), 0);
	assert_null(assets_find(page_assets_files(page), "/offline.html.sig"));
	page_assets_free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_it_may_call_itself_only),
		cmocka_unit_test(other_nodes_may_be_called),
		cmocka_unit_test(more_than_a_header_holds_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
