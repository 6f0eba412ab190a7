/* rest: the gateway's REST API as engawactl uses it: over TLS that is checked against one CA, with
 * one token.
 *
 * Where it is: from --data (DIR/run/admin, DIR/admin.token, DIR/ca.pem), or --url, --token-file and --ca.
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

/* One question. `body` is borrowed and may be NULL, so may `ret` (the answer is dropped). */
MUST_CHECK int rest_ask(const struct ctl_options *options, const char *method,
	const char *path, const json_t *body, json_t **ret);
/* One question with an answer of any length, which goes out as it comes. */
MUST_CHECK int rest_ask_stream(const struct ctl_options *options, const char *method,
	const char *path, FILE *out);

/* Several questions, over one connection. Close accepts NULL, returns NULL. */
MUST_CHECK int rest_open(const struct ctl_options *options, struct rest **ret);
struct rest *rest_close(struct rest *rest);

/* Gets the rows of one page, borrowed. */
typedef void (*rest_page)(void *ctx, const json_t *rows);
/* All pages of {"items":[…],"next":…}, one after the other, so that a list of any length needs no
 * more memory than a page; at most `limit` rows, 0: all. An empty list is one empty page. */
MUST_CHECK int rest_pages(struct rest *rest, const char *path, size_t limit,
	rest_page take, void *ctx);

struct rest_file {
	const char *type, *bytes;
	size_t len;
};
/* One line of an answer, without its end. */
typedef void (*rest_line)(void *ctx, const char *line, size_t len);
/* POSTs a file of any type; the answer is lines, handed over as they come. */
MUST_CHECK int rest_upload(struct rest *rest, const char *path,
	const struct rest_file *file, rest_line take, void *ctx);

#endif
