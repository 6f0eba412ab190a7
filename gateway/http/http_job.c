#include "http/http_job.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/event_stream.h"
#include "net/conn.h"

#define JOB_MAGIC 0x6a0bfeed

struct http_job {
	uint32_t magic;
	atomic_int holders; /* the connection, the office, each piece under way */
	struct office_task task;
	struct post_item ending, wanting;
	struct http_job_plan plan;
	char address[CONN_ADDRESS];
	struct request *request;
	int keep;
	struct event_stream *stays;
	pthread_mutex_t lock;
	pthread_cond_t room;
	size_t ahead; /* bytes sent to the worker and not credited */
	struct buf upload;
	size_t upload_left; /* not read by the handler yet */
	int wanted;         /* `wanting` is on its way */
	int abandoned;      /* under the lock; the worker is its only writer */
};

struct piece {
	struct post_item item;
	struct http_job *job;
	size_t len;
	uint8_t bytes[];
};

static void job_drop(struct http_job *job)
{
	if (atomic_fetch_sub(&job->holders, 1) != 1)
		return;
	request_free(job->request);
	buf_done(&job->upload);
	pthread_cond_destroy(&job->room);
	pthread_mutex_destroy(&job->lock);
	job->magic = 0;
	free(job);
}

void http_job_credit(struct http_job *job, size_t len)
{
	pthread_mutex_lock(&job->lock);
	CHECK(len <= job->ahead);
	job->ahead -= len;
	pthread_cond_signal(&job->room);
	pthread_mutex_unlock(&job->lock);
}

void http_job_abandon(struct http_job *job)
{
	CHECK_OBJ(job, JOB_MAGIC);
	pthread_mutex_lock(&job->lock);
	job->abandoned = 1;
	pthread_cond_signal(&job->room);
	pthread_mutex_unlock(&job->lock);
	job_drop(job);
}

int http_job_push(struct http_job *job, const void *bytes, size_t len)
{
	pthread_mutex_lock(&job->lock);
	int status = buf_append(&job->upload, bytes, len);
	if (!status)
		status = buf_len(&job->upload) >= HTTP_JOB_AHEAD / 2;
	pthread_cond_signal(&job->room);
	pthread_mutex_unlock(&job->lock);
	return status;
}

static void deliver(struct post_item *item)
{
	struct piece *piece = (struct piece *)item;
	struct http_job *job = piece->job;

	CHECK_OBJ(job, JOB_MAGIC);
	if (!job->abandoned)
		job->plan.events->bytes(job->plan.ctx, piece->bytes, piece->len);
	secret_wipe(piece->bytes, piece->len); /* answers to creations carry keys */
	free(piece);
	job_drop(job);
}

static struct timespec patience(const struct http_job *job)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += job->plan.stalled_ms / 1000;
	until.tv_nsec += job->plan.stalled_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return until;
}

static void want(struct post_item *item)
{
	struct http_job *job =
		(struct http_job *)((char *)item - offsetof(struct http_job, wanting));

	CHECK_OBJ(job, JOB_MAGIC);
	pthread_mutex_lock(&job->lock);
	job->wanted = 0;
	int gone = job->abandoned;
	pthread_mutex_unlock(&job->lock);
	if (!gone)
		job->plan.events->wanted(job->plan.ctx);
	job_drop(job);
}

/* Under the lock. */
static void ask_for_more(struct http_job *job)
{
	if (job->wanted || job->upload_left <= buf_len(&job->upload))
		return;
	job->wanted = 1;
	atomic_fetch_add(&job->holders, 1);
	post_put(job->plan.box, &job->wanting);
}

/* An exchange_source. */
static int source(void *ctx, void *bytes, size_t size, size_t *ret_len)
{
	struct http_job *job = ctx;
	struct timespec until = patience(job);
	int status = 0;

	pthread_mutex_lock(&job->lock);
	while (!status && !job->abandoned && job->upload_left && !buf_len(&job->upload)) {
		ask_for_more(job);
		if (pthread_cond_timedwait(&job->room, &job->lock, &until) == ETIMEDOUT)
			status = -REASON_TIMEOUT;
	}
	if (job->abandoned)
		status = -REASON_LEG_CLOSED;
	if (!status) {
		size_t len = buf_len(&job->upload) < size ? buf_len(&job->upload) : size;
		if (len)
			memcpy(bytes, buf_head(&job->upload), len);
		buf_drain(&job->upload, len);
		job->upload_left -= len;
		*ret_len = len;
	}
	pthread_mutex_unlock(&job->lock);
	return status;
}

/* Waits while the peer is behind. 0, or why nobody takes any more. */
static int wait_for_room(struct http_job *job)
{
	struct timespec until = patience(job);
	int status = 0;

	while (!job->abandoned && job->ahead > HTTP_JOB_AHEAD && !status)
		if (pthread_cond_timedwait(&job->room, &job->lock, &until) == ETIMEDOUT)
			status = -REASON_SLOW_READER;
	return job->abandoned ? -REASON_LEG_CLOSED : status;
}

static int sink(void *ctx, const void *bytes, size_t len)
{
	struct http_job *job = ctx;
	struct piece *piece;

	pthread_mutex_lock(&job->lock);
	int status = wait_for_room(job);
	if (!status)
		job->ahead += len;
	pthread_mutex_unlock(&job->lock);
	if (status)
		return status;
	piece = malloc(sizeof(*piece) + len);
	if (!piece) {
		http_job_credit(job, len);
		return -REASON_NO_MEMORY;
	}
	*piece = (struct piece){.item.run = deliver, .job = job, .len = len};
	memcpy(piece->bytes, bytes, len);
	atomic_fetch_add(&job->holders, 1);
	post_put(job->plan.box, &piece->item);
	return 0;
}

static void end(struct post_item *item)
{
	struct http_job *job =
		(struct http_job *)((char *)item - offsetof(struct http_job, ending));

	CHECK_OBJ(job, JOB_MAGIC);
	if (!job->abandoned) {
		/* The connection's reference ends with its last event. */
		job->abandoned = 1;
		if (job->stays)
			job->plan.events->stays(job->plan.ctx, job->stays);
		else
			job->plan.events->ended(job->plan.ctx, job->keep);
		job_drop(job);
	} else {
		event_stream_free(job->stays);
	}
	job_drop(job);
}

static void answer(struct http_job *job, http_server_handler handler, void *ctx)
{
	struct exchange exchange;

	exchange_init(&exchange, job->request, job->address, sink, job);
	exchange.source = source;
	handler(ctx, &exchange);
	exchange_done(&exchange);
	job->keep = exchange.keep && !exchange.broken && !exchange.streaming;
	job->stays = exchange.stays;
	post_put(job->plan.box, &job->ending);
}

static void run(struct office_task *task)
{
	struct http_job *job =
		(struct http_job *)((char *)task - offsetof(struct http_job, task));

	CHECK_OBJ(job, JOB_MAGIC);
	answer(job, job->plan.handler, job->plan.handler_ctx);
}

static void refuse_busy(void *ctx UNUSED, struct exchange *exchange)
{
	exchange_header(exchange, "Retry-After", "2");
	exchange_problem(exchange, REASON_BUSY, NULL);
}

int http_job_start(const struct http_job_plan *plan, struct request *request,
	struct http_job **ret)
{
	pthread_condattr_t monotonic;
	struct http_job *job = calloc(1, sizeof(*job));

	if (!job) {
		request_free(request);
		return -REASON_NO_MEMORY;
	}
	job->magic = JOB_MAGIC;
	job->plan = *plan;
	job->request = request;
	job->task.run = run;
	job->ending.run = end;
	job->wanting.run = want;
	job->upload_left = request->upload;
	buf_init(&job->upload, 2 * HTTP_JOB_AHEAD);
	text_clip(job->address, sizeof(job->address), plan->address);
	atomic_init(&job->holders, 2);
	pthread_mutex_init(&job->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&job->room, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*ret = job;
	if (office_put(plan->office, &job->task))
		answer(job, refuse_busy, NULL); /* short: it never waits for room */
	return 0;
}
