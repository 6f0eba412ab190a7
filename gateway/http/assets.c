#include "http/assets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

static const char lasting[] = "public, max-age=31536000, immutable";

static const struct {
	const char *name, *tag;
} codings[ASSETS_FORMS] = {{"identity", ""}, {"gzip", "-g"}, {"br", "-b"}};

const struct assets_file *assets_find(const struct assets *assets, const char *path)
{
	for (size_t i = 0; i < assets->count; i++)
		if (!strcmp(assets->files[i].path, path))
			return &assets->files[i];
	return NULL;
}

/* "gzip;q=0" says no; any other quality says yes. */
static int is_refused(const char *parameters, size_t len)
{
	const char *q = memmem(parameters, len, "q=", 2);

	return q && strtod(q + 2, NULL) <= 0;
}

/* RFC 9110 section 12.5.3, without "*": nobody needs it who speaks gzip. */
static int accepts(const char *accept, const char *coding)
{
	while (*accept) {
		accept += strspn(accept, " \t,");
		size_t len = strcspn(accept, ","), name = strcspn(accept, " \t,;");
		if (name == strlen(coding) && !strncasecmp(accept, coding, name))
			return !is_refused(accept + name, len - name);
		accept += len;
	}
	return 0;
}

enum assets_form assets_choose(const struct assets_file *file, const char *accept)
{
	for (int form = ASSETS_BROTLI; accept && form > ASSETS_PLAIN; form--)
		if (file->forms[form].bytes && accepts(accept, codings[form].name))
			return (enum assets_form)form;
	return ASSETS_PLAIN;
}

/* If-None-Match is a list of tags; ours has no character that would need a parser. */
static int is_known(const struct exchange *exchange, const char *tag)
{
	const char *known = request_header(exchange->request, "If-None-Match");

	return known && strstr(known, tag);
}

static void send_file(struct exchange *exchange, int status, const struct assets *assets,
	const struct assets_file *file)
{
	const char *accept = request_header(exchange->request, "Accept-Encoding");
	enum assets_form form = assets_choose(file, accept);
	int is_kept = file->life != ASSETS_FRESH;
	char tag[64], saved[128];

	snprintf(tag, sizeof(tag), "\"%s%s\"", is_kept ? file->sum : "",
		codings[form].tag);
	exchange_header(exchange, "Content-Security-Policy", assets->policy);
	if (is_kept) {
		exchange_header(exchange, "Cache-Control",
			file->life == ASSETS_LASTING ? lasting : "no-cache");
		exchange_header(exchange, "ETag", tag);
	}
	exchange_header(exchange, "Vary", "Accept-Encoding");
	if (file->saved_as) {
		snprintf(saved, sizeof(saved), "attachment; filename=\"%s\"",
			file->saved_as);
		exchange_header(exchange, "Content-Disposition", saved);
	}
	if (is_kept && status == 200 && is_known(exchange, tag)) {
		exchange_whole(exchange, 304, NULL, "", 0);
	} else {
		if (form != ASSETS_PLAIN)
			exchange_header(exchange, "Content-Encoding", codings[form].name);
		exchange_whole(exchange, status, file->type, file->forms[form].bytes,
			file->forms[form].len);
	}
	exchange->header_count = 0; /* `tag` and `saved` end here */
}

static int is_look(const struct exchange *exchange)
{
	return exchange->request->method == REQUEST_GET ||
	       exchange->request->method == REQUEST_HEAD;
}

int assets_answer(const struct assets *assets, struct exchange *exchange)
{
	const struct assets_file *file =
		is_look(exchange) ? assets_find(assets, exchange->request->path) : NULL;

	if (!file || !strcmp(file->path, ASSETS_MISSING))
		return 0;
	send_file(exchange, 200, assets, file);
	return 1;
}

int assets_missing(const struct assets *assets, struct exchange *exchange)
{
	const struct request *request = exchange->request;
	const char *accept = request_header(request, "Accept");
	const struct assets_file *file = assets_find(assets, ASSETS_MISSING);

	if (!file || !is_look(exchange) || !accept || !strstr(accept, "text/html") ||
		!strncmp(request->path, "/api/", 5))
		return 0;
	send_file(exchange, 404, assets, file);
	return 1;
}
