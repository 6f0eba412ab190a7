/* http_job: one request on its way through the office, and its answer on the way back. It stands
 * between the worker that owns the connection and the office thread that answers.
 *
 * An upload comes the other way: the worker pushes what it receives, at most HTTP_JOB_AHEAD bytes
 * before the handler reads them.
 *
 * Thread: http_job_start, _push, _credit and _abandon on the worker; the handler on an office thread.
 * Back-pressure: at most HTTP_JOB_AHEAD bytes of an answer wait on the worker's side; then the
 * office thread waits until they are credited, the peer is gone, or the time is over.
 */
#ifndef HTTP_HTTP_JOB_H
#define HTTP_HTTP_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/post.h"
#include "http/http_server.h"

#define HTTP_JOB_AHEAD (256 * 1024)

struct http_job;

/* Called on the worker, never after http_job_abandon(). */
struct http_job_events {
	/* Credit the bytes once they have left, or at once. */
	void (*bytes)(void *ctx, const uint8_t *bytes, size_t len);
	/* The handler waits for more of an upload. */
	void (*wanted)(void *ctx);
	/* `keep`: the connection may serve another request. The job is gone afterwards. */
	void (*ended)(void *ctx, int keep);
	/* Instead of it: the answer stays open, and the connection is the stream's, which is the
	 * callee's from now on. */
	void (*stays)(void *ctx, struct event_stream *stream);
};

struct http_job_plan {
	struct post_box *box; /* of the worker */
	struct office *office;
	const char *address;
	int64_t stalled_ms;
	http_server_handler handler;
	void *handler_ctx;
	const struct http_job_events *events;
	void *ctx;
};

/* Takes the request over, also on error. When the office is full the request is
 * answered BUSY through the same events. */
MUST_CHECK int http_job_start(const struct http_job_plan *plan, struct request *request,
	struct http_job **ret);
void http_job_credit(struct http_job *job, size_t len);
/* Bytes of the upload. 1: enough for now, until `wanted`. -REASON_NO_MEMORY. */
MUST_CHECK int http_job_push(struct http_job *job, const void *bytes, size_t len);
/* The connection is gone or will be: no event any more. Drops the worker's reference. */
void http_job_abandon(struct http_job *job);

#endif
