/* assets: the files of a web application (the console, the viewer's page), linked into the gateway, each
 * as it is and compressed. Nothing is read from the disk while the gateway runs, so what is served is
 * what was built.
 *
 * Thread: any; constant data. The tables are made by assets.mjs; the gateway passes them on. Files whose
 * name has their hash are kept by browsers for ever. Every file has the Content-Security-Policy of its
 * application.
 */
#ifndef HTTP_ASSETS_H
#define HTTP_ASSETS_H

#include <stddef.h>
#include <stdint.h>

#include "http/exchange.h"

enum assets_form { ASSETS_PLAIN, ASSETS_GZIP, ASSETS_BROTLI, ASSETS_FORMS };
/* Asked for each time (ETag), kept for ever, never kept. */
enum assets_life { ASSETS_ASK, ASSETS_LASTING, ASSETS_FRESH };

struct assets_file {
	const char *path; /* "/", "/assets/app-0123456789abcdef.js" */
	const char *type; /* Content-Type */
	const char *sum;  /* of the contents, for the ETag; ASSETS_FRESH has none */
	enum assets_life life;
	/* Without bytes: not in this form. ASSETS_PLAIN is always there. */
	struct {
		const uint8_t *bytes;
		size_t len;
	} forms[ASSETS_FORMS];
	const char *saved_as; /* NULL: to be shown; else the name on the disk */
};

struct assets {
	const struct assets_file *files;
	size_t count;
	const char *policy; /* Content-Security-Policy */
};

/* The page that a browser shows where nothing is. */
#define ASSETS_MISSING "/missing.html"

/* NULL: not there. */
const struct assets_file *assets_find(const struct assets *assets, const char *path);
/* 1: it was a file and is answered (GET and HEAD; 200 or 304); 0: it is none. */
int assets_answer(const struct assets *assets, struct exchange *exchange);
/* To a browser that looks for a page that is not there: 404 with ASSETS_MISSING, and 1. 0: it wants
 * no page (a program, the API), or there is none. */
int assets_missing(const struct assets *assets, struct exchange *exchange);
/* The best form that this Accept-Encoding (may be NULL) and the file permit. */
enum assets_form assets_choose(const struct assets_file *file, const char *accept);

#endif
