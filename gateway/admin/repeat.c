#include "admin/repeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "base/buf.h"
#include "base/reason.h"
#include "base/secret.h"

#define KEY_LEAST 8
#define SIZE_MAX_BYTES (REQUEST_HEAD_MAX * 2 + REQUEST_BODY_MAX)
/* In place of an answer that is too long. */
#define UNKEPT "-"

static int add(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text) + 1);
}

/* Everything that makes this request the one it is. */
static int describe(const struct request *request, struct buf *ret)
{
	const char *length = request_header(request, "Content-Length");
	int status = add(ret, request->path);

	for (size_t i = 0; !status && i < request->query_count; i++) {
		status = add(ret, request->queries[i].name);
		if (!status)
			status = add(ret, request->queries[i].value);
	}
	if (!status)
		status = add(ret, length ? length : "");
	if (!status && request->body_len)
		status = buf_append(ret, request->body, request->body_len);
	return status;
}

/* Called by the exchange with the answer as a whole. */
static void keep(void *ctx, int status, const char *type, const void *bytes, size_t len)
{
	struct call *call = ctx;
	char head[80], text[ONCE_ANSWER];
	int used = snprintf(head, sizeof(head), "%d %s\n", status, type ? type : "");

	if (status >= 400 || !*call->repeat_key)
		return;
	if ((size_t)used + len < sizeof(text)) {
		memcpy(text, head, (size_t)used);
		memcpy(text + used, bytes, len);
		text[(size_t)used + len] = '\0';
		once_keep(call->admin->once, call->by.id, call->repeat_key, text);
	} else {
		once_keep(call->admin->once, call->by.id, call->repeat_key, UNKEPT);
	}
	*call->repeat_key = '\0';
	secret_wipe(text, sizeof(text));
}

static int answer_again(struct call *call, char *text)
{
	char *end = strchr(text, '\n'), *type;

	if (!end)
		return call_fail(call, -REASON_CONFLICT,
			"Idempotency-Key: it was done already; its answer was too long "
			"to be kept");
	*end = '\0';
	long status = strtol(text, &type, 10);
	type += *type == ' ';
	exchange_whole(call->exchange, (int)status, *type ? type : NULL, end + 1,
		strlen(end + 1));
	return 1;
}

static int begin(struct call *call, const char *key)
{
	char before[ONCE_ANSWER];
	struct buf what;

	buf_init(&what, SIZE_MAX_BYTES);
	int status = describe(call->exchange->request, &what);
	if (!status)
		status = once_begin(call->admin->once, call->by.id, key,
			(const char *)buf_head(&what), buf_len(&what), before);
	buf_done(&what);
	if (status == -REASON_CONFLICT)
		return call_fail(call, status,
			"Idempotency-Key: was used for another request (path, query or "
			"body differ); give each request a key of its own");
	if (status < 0)
		return call_fail(call, status,
			"Idempotency-Key: the first request with it is under way");
	if (status == 1) {
		status = answer_again(call, before);
		secret_wipe(before, sizeof(before));
		return status;
	}
	snprintf(call->repeat_key, sizeof(call->repeat_key), "%s", key);
	call->exchange->copy = keep;
	call->exchange->copy_ctx = call;
	return 0;
}

int repeat_begin(struct call *call)
{
	const struct request *request = call->exchange->request;
	const char *key = request_header(request, "Idempotency-Key");

	if (!key || request->method != REQUEST_POST)
		return 0;
	if (strlen(key) < KEY_LEAST || strlen(key) >= sizeof(call->repeat_key))
		return call_fail(call, -REASON_BAD_VALUE,
			"Idempotency-Key: 8 to 128 characters");
	return begin(call, key);
}

void repeat_end(struct call *call)
{
	const struct exchange *exchange = call->exchange;

	if (!*call->repeat_key)
		return;
	/* What was streamed is not kept, but it was done. */
	if (exchange->status && exchange->status < 400)
		once_keep(call->admin->once, call->by.id, call->repeat_key, UNKEPT);
	else
		once_drop(call->admin->once, call->by.id, call->repeat_key);
	*call->repeat_key = '\0';
}
