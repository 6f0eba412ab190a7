#include "http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "http/problem.h"

#define HELD_MAX 16384
#define HEAD_MAX 4096

/* On every answer, whatever it is: a browser that is tricked into opening an API answer must not
 * run, frame, store or pass on anything of it. The console sets a wider policy for its own page. */
static const char security_headers[] =
	"Strict-Transport-Security: max-age=31536000\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: geolocation=(), camera=(), microphone=()\r\n";
static const char strict_policy[] = "Content-Security-Policy: default-src 'none'; "
				    "frame-ancestors 'none'; base-uri 'none'; "
				    "form-action 'none'\r\n";
static const char no_store[] = "Cache-Control: no-store\r\n";

void exchange_init(struct exchange *exchange, struct request *request,
	const char *address, exchange_sink sink, void *ctx)
{
	const char *lang = request_header(request, "Accept-Language");

	*exchange = (struct exchange){.request = request,
		.address = address,
		.lang = lang && !strncmp(lang, "ja", 2) ? REASON_JA : REASON_EN,
		.keep = request->keep,
		.sink = sink,
		.ctx = ctx};
}

void exchange_done(struct exchange *exchange)
{
	if (!exchange->status)
		exchange_problem(exchange, REASON_INTERNAL, NULL);
	free(exchange->held);
	exchange->held = NULL;
}

const char *exchange_param(const struct exchange *exchange, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < exchange->param_count; i++) {
		const char *found = exchange->params[i].name; /* "id}…", router.c */
		if (!strncmp(found, name, len) && found[len] == '}')
			return exchange->params[i].value;
	}
	return NULL;
}

void exchange_header(struct exchange *exchange, const char *name, const char *value)
{
	CHECK(exchange->header_count < EXCHANGE_HEADERS);
	CHECK(!strpbrk(value, "\r\n"));
	exchange->headers[exchange->header_count++] = (struct request_pair){name, value};
}

int exchange_read(struct exchange *exchange, void *bytes, size_t size, size_t *ret_len)
{
	const struct request *request = exchange->request;
	size_t left = request->body_len - exchange->read;

	if (request->upload)
		return exchange->source
			       ? exchange->source(exchange->ctx, bytes, size, ret_len)
			       : -REASON_INTERNAL;
	*ret_len = left < size ? left : size;
	memcpy(bytes, request->body + exchange->read, *ret_len);
	exchange->read += *ret_len;
	return 0;
}

static int sink(struct exchange *exchange, const void *bytes, size_t len)
{
	if (!exchange->broken && len)
		exchange->broken = exchange->sink(exchange->ctx, bytes, len);
	return exchange->broken;
}

static const char *own_header(const struct exchange *exchange, const char *name)
{
	for (size_t i = 0; i < exchange->header_count; i++)
		if (!strcmp(exchange->headers[i].name, name))
			return exchange->headers[i].value;
	return NULL;
}

static int send_head(struct exchange *exchange, const char *type, const char *framing)
{
	char head[HEAD_MAX];
	FILE *out = fmemopen(head, sizeof(head), "w");
	if (!out)
		return exchange->broken = -REASON_NO_MEMORY;
	fprintf(out, "HTTP/1.1 %d %s\r\n", exchange->status,
		problem_phrase(exchange->status));
	if (type)
		fprintf(out, "Content-Type: %s\r\n", type);
	fprintf(out, "%s%s%s%s%s", framing, security_headers,
		own_header(exchange, "Content-Security-Policy") ? "" : strict_policy,
		own_header(exchange, "Cache-Control") ? "" : no_store,
		exchange->keep ? "" : "Connection: close\r\n");
	for (size_t i = 0; i < exchange->header_count; i++)
		fprintf(out, "%s: %s\r\n", exchange->headers[i].name,
			exchange->headers[i].value);
	fputs("\r\n", out);
	long len = ftell(out);
	CHECK(!fflush(out) && len > 0 && len < HEAD_MAX);
	fclose(out);
	return sink(exchange, head, (size_t)len);
}

void exchange_whole(struct exchange *exchange, int status, const char *type,
	const void *bytes, size_t len)
{
	char framing[64];

	CHECK(!exchange->status);
	exchange->status = status;
	if (exchange->copy)
		exchange->copy(exchange->copy_ctx, status, type, bytes, len);
	snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", len);
	if (send_head(exchange, type, status == 204 || status == 304 ? "" : framing))
		return;
	if (exchange->request->method != REQUEST_HEAD)
		sink(exchange, bytes, len);
}

void exchange_json(struct exchange *exchange, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(body);
	if (!text) {
		exchange_problem(exchange, REASON_NO_MEMORY, NULL);
		return;
	}
	exchange_whole(exchange, status, "application/json", text, strlen(text));
	secret_wipe(text, strlen(text)); /* answers to creations carry keys */
	free(text);
}

void exchange_empty(struct exchange *exchange)
{
	exchange_whole(exchange, 204, NULL, "", 0);
}

int exchange_problem_as(struct exchange *exchange, int status, int reason,
	const char *detail)
{
	json_t *body = problem_json(status, reason, detail, exchange->lang);

	if (body && exchange->field && *exchange->field)
		json_object_set_new(body, "field", json_string(exchange->field));
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	exchange->reason = reason < 0 ? -reason : reason;
	if (exchange->status) {
		/* A stream has begun: cutting it is the only way left to say so. */
		exchange->keep = 0;
		if (!exchange->broken)
			exchange->broken = -exchange->reason;
	} else {
		exchange_whole(exchange, status, "application/problem+json",
			text ? text : "{}", text ? strlen(text) : 2);
	}
	free(text);
	return -exchange->reason;
}

int exchange_problem(struct exchange *exchange, int reason, const char *detail)
{
	return exchange_problem_as(exchange, problem_status(reason), reason, detail);
}

enum { STREAM_WHOLE, STREAM_CHUNKED, STREAM_OPEN };

static int begin(struct exchange *exchange, const char *type, int how)
{
	CHECK(!exchange->status);
	exchange->held = malloc(HELD_MAX);
	if (!exchange->held)
		return exchange_problem(exchange, REASON_NO_MEMORY, NULL);
	exchange->status = 200;
	exchange->streaming = how;
	if (how == STREAM_OPEN)
		exchange->keep = 0;
	return send_head(exchange, type,
		how == STREAM_CHUNKED ? "Transfer-Encoding: chunked\r\n" : "");
}

int exchange_begin(struct exchange *exchange, const char *type)
{
	return begin(exchange, type,
		exchange->request->minor ? STREAM_CHUNKED : STREAM_OPEN);
}

int exchange_open(struct exchange *exchange, const char *type)
{
	return begin(exchange, type, STREAM_OPEN);
}

static int flush(struct exchange *exchange)
{
	char size[24];

	if (!exchange->held_len || exchange->request->method == REQUEST_HEAD) {
		exchange->held_len = 0;
		return exchange->broken;
	}
	if (exchange->streaming == STREAM_CHUNKED) {
		snprintf(size, sizeof(size), "%zx\r\n", exchange->held_len);
		sink(exchange, size, strlen(size));
	}
	sink(exchange, exchange->held, exchange->held_len);
	if (exchange->streaming == STREAM_CHUNKED)
		sink(exchange, "\r\n", 2);
	exchange->held_len = 0;
	return exchange->broken;
}

int exchange_put(struct exchange *exchange, const void *bytes, size_t len)
{
	const char *at = bytes;

	CHECK(exchange->streaming);
	while (len && !exchange->broken) {
		size_t room = HELD_MAX - exchange->held_len,
		       take = len < room ? len : room;
		memcpy(exchange->held + exchange->held_len, at, take);
		exchange->held_len += take;
		at += take;
		len -= take;
		if (exchange->held_len == HELD_MAX)
			flush(exchange);
	}
	return exchange->broken;
}

int exchange_end(struct exchange *exchange)
{
	flush(exchange);
	if (exchange->streaming == STREAM_CHUNKED &&
		exchange->request->method != REQUEST_HEAD)
		sink(exchange, "0\r\n\r\n", 5);
	exchange->streaming = STREAM_WHOLE;
	return exchange->broken;
}

void exchange_stay(struct exchange *exchange, struct event_stream *stream)
{
	flush(exchange);
	exchange->streaming = STREAM_WHOLE;
	exchange->stays = stream;
}
