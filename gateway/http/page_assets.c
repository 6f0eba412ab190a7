#include "http/page_assets.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

#define MORE_FILES 2
#define POLICY_MAX 2048 /* half of an answer's head */
#define CONNECT "connect-src 'self'"

struct page_assets {
	struct assets assets;
	struct assets_file *files;
	char *policy, *gateways;
	uint8_t *signature;
};

/* The built policy, which permits the gateway that served the page, with the other nodes in it. */
static int make_policy(const char *built, const struct page_assets_more *more, char **ret)
{
	const char *at = strstr(built, CONNECT);
	char *text = calloc(1, POLICY_MAX);
	size_t len;

	if (!text)
		return -REASON_NO_MEMORY;
	CHECK(at && strlen(built) < POLICY_MAX);
	at += strlen(CONNECT);
	len = (size_t)(at - built);
	memcpy(text, built, len);
	for (size_t i = 0; i < more->node_count && len < POLICY_MAX; i++)
		len += (size_t)snprintf(text + len, POLICY_MAX - len, " wss://%s",
			more->nodes[i]);
	if (len + strlen(at) >= POLICY_MAX) {
		free(text);
		return -REASON_CONFIG;
	}
	memcpy(text + len, at, strlen(at) + 1);
	*ret = text;
	return 0;
}

/* Patterns permit, they are no address that a page could call. */
static char *make_gateways(const struct page_assets_more *more)
{
	json_t *list = json_array(),
	       *body = json_pack("{s:b,s:o}", "here", 1, "gateways", list);

	for (size_t i = 0; i < more->node_count; i++)
		if (*more->nodes[i] != '*')
			json_array_append_new(list, json_string(more->nodes[i]));
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

static void add(struct page_assets *page, const char *path, const char *type,
	const void *bytes, size_t len)
{
	page->files[page->assets.count++] = (struct assets_file){.path = path,
		.type = type,
		.sum = "made-at-start",
		.life = ASSETS_FRESH,
		.forms[ASSETS_PLAIN] = {bytes, len}};
}

static int fill(struct page_assets *page, const struct assets *built,
	const struct page_assets_more *more)
{
	int status = make_policy(built->policy, more, &page->policy);

	if (status)
		return status;
	page->files = calloc(built->count + MORE_FILES, sizeof(*page->files));
	page->gateways = make_gateways(more);
	if (!page->files || !page->gateways)
		return -REASON_NO_MEMORY;
	memcpy(page->files, built->files, built->count * sizeof(*built->files));
	page->assets = (struct assets){page->files, built->count, page->policy};
	add(page, "/gateways.json", "application/json", page->gateways,
		strlen(page->gateways));
	if (!more->signature)
		return 0;
	page->signature = malloc(more->signature_len);
	if (!page->signature)
		return -REASON_NO_MEMORY;
	memcpy(page->signature, more->signature, more->signature_len);
	add(page, PAGE_ASSETS_OFFLINE ".sig", "application/octet-stream", page->signature,
		more->signature_len);
	return 0;
}

int page_assets_new(const struct assets *built, const struct page_assets_more *more,
	struct page_assets **ret)
{
	struct page_assets *page = calloc(1, sizeof(*page));
	int status = page ? fill(page, built, more) : -REASON_NO_MEMORY;

	if (status) {
		page_assets_free(page);
		return status;
	}
	*ret = page;
	return 0;
}

const struct assets *page_assets_files(const struct page_assets *page)
{
	return &page->assets;
}

struct page_assets *page_assets_free(struct page_assets *page)
{
	if (page) {
		free(page->files);
		free(page->policy);
		free(page->gateways);
		free(page->signature);
	}
	free(page);
	return NULL;
}
