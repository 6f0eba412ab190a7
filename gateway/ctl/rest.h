/* rest: the gateway's REST API as engawactl uses it: over TLS that is checked against one CA, with
 * one token.
 *
 * Thread: main. Owner: the caller; answers are new references. Errors are told to the person at
 * once (program_fail) and returned as -REASON_*; reasons of the gateway keep their symbol.
 */
#ifndef CTL_REST_H
#define CTL_REST_H

#include <jansson.h>
#include <stdio.h>

#include "base/check.h"
#include "ctl/ctl_options.h"

struct rest;

/* From --data (DIR/run/admin, DIR/admin.token, DIR/ca.pem), or --url, --token-file and --ca. */
MUST_CHECK int rest_open(const struct ctl_options *options, struct rest **ret);
struct rest *rest_close(struct rest *rest);

/* `body` is borrowed and may be NULL, so may `ret` (the answer is dropped). */
MUST_CHECK int rest_call(struct rest *rest, const char *method, const char *path,
	const json_t *body, json_t **ret);
/* Gets the rows of one page, borrowed. */
typedef void (*rest_page)(void *ctx, const json_t *rows);
/* All pages of {"items":[…],"next":…}, one after the other, so that a list of any length needs no
 * more memory than a page; at most `limit` rows, 0: all. An empty list is one empty page. */
MUST_CHECK int rest_pages(struct rest *rest, const char *path, size_t limit,
	rest_page take, void *ctx);
/* An answer of any length, as it comes. */
MUST_CHECK int rest_stream(struct rest *rest, const char *path, FILE *out);
MUST_CHECK int rest_stream_as(struct rest *rest, const char *method, const char *path,
	FILE *out);

struct rest_file {
	const char *type, *bytes;
	size_t len;
};
/* One line of an answer, without its end. */
typedef void (*rest_line)(void *ctx, const char *line, size_t len);
/* POSTs a file of any type; the answer is lines, handed over as they come. */
MUST_CHECK int rest_upload(struct rest *rest, const char *path,
	const struct rest_file *file, rest_line take, void *ctx);

#define REST_PATH 1024
/* A path with its query, built piece by piece; values are percent-encoded. */
struct rest_path {
	char text[REST_PATH];
	int queries, overflow;
};
void rest_path(struct rest_path *path, const char *base);
void rest_path_segment(struct rest_path *path, const char *segment);
void rest_path_plain(struct rest_path *path, const char *text);
/* Nothing when `value` is NULL. */
void rest_path_query(struct rest_path *path, const char *name, const char *value);

#endif
