/* page_assets: the files of the viewer's page as one node serves them: what was built, and what this
 * cluster adds: which nodes the page may open sessions with, and a signature of the offline file.
 *
 *   /gateways.json       {"here":true,"gateways":["gw.example.jp:443"]}: for the page; a company that
 *                        serves the page itself puts a file of its own there, without "here"
 *   /offline.html.sig    ECDSA by the cluster's CA over SHA-256 of /offline.html
 *
 * Thread: any; new and free from main, constant in between. Owner: gateway_web. The built files are
 * borrowed. Errors: -REASON_CONFIG (more nodes than a header has room for), -REASON_NO_MEMORY.
 */
#ifndef HTTP_PAGE_ASSETS_H
#define HTTP_PAGE_ASSETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "http/assets.h"

struct page_assets;

#define PAGE_ASSETS_OFFLINE "/offline.html"

struct page_assets_more {
	const char *const *nodes; /* "gw1.example.jp:443", "*.gw.example.jp:443" */
	size_t node_count;
	const uint8_t *signature; /* NULL: none */
	size_t signature_len;
};

MUST_CHECK int page_assets_new(const struct assets *built,
	const struct page_assets_more *more, struct page_assets **ret);
const struct assets *page_assets_files(const struct page_assets *page);
/* Accepts NULL, returns NULL. */
struct page_assets *page_assets_free(struct page_assets *page);

#endif
