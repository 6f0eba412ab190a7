#include "admission/admission.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission_away.h"
#include "admission/admission_cache.h"
#include "admission/admission_case.h"
#include "admission/admission_pool.h"
#include "admission/admission_store.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"

#define ADMISSION_MAGIC 0x41646d69
#define CASE_MAGIC 0x43617365
/* Quick threads wait for the disk, not for the processor: enough of them that one commit of the
 * store serves many at once when a thousand hosts come back. */
#define QUICK_THREADS 8
#define QUICK_WAITING 4096
#define SCRYPT_THREADS 2
#define SCRYPT_WAITING 32
/* So many strangers make a look for forgotten books worth it. */
#define SWEEP_EVERY 512
#define BUSY_RETRY_MS 3000
/* A directory that is away is asked again after about this time. */
#define DIRECTORY_RETRY_MS 10000
#define SPARES 64

/* A refusal for whom there was no memory for more. Not part of an admission: it may be on its way
 * still when that is gone. */
static struct spare {
	struct post_item item; /* first */
	atomic_int taken;
	admission_done done;
	void *ctx;
} spares[SPARES];

struct admission {
	uint32_t magic;
	struct store *store;
	struct directories *directories;
	char *node;
	pthread_mutex_t mutex;
	struct admission_settings settings;
	struct admission_pool *quick, *scrypt;
	struct admission_cache *cache; /* NULL: strict */
	atomic_uint refusals;
	/* under the mutex: */
	size_t under_way;
	pthread_cond_t all_done;
};

static void case_free(struct admission_case *one)
{
	free(one->policy);
	secret_free(one->cached, sizeof(*one->cached));
	one->magic = 0;
	secret_free(one, sizeof(*one));
}

static void give_verdict(struct post_item *item)
{
	struct admission_case *one =
		(struct admission_case *)((char *)item -
					  offsetof(struct admission_case, item));
	CHECK_OBJ(one, CASE_MAGIC);
	/* A stranger to the license learns nothing about it. */
	int told = one->trusted && one->status == 0;
	uint8_t credential[DIGEST_SIZE];
	int is_cached = told && one->cached &&
			admission_away_credential(&one->license, credential) == 0;
	if (one->cached && told && !is_cached)
		one->status = -REASON_NO_MEMORY;
	struct admission_verdict verdict = {.status = one->status,
		.retry_ms = one->retry_ms,
		.cached_host = is_cached ? one->cached->host : NULL,
		.credential = is_cached ? credential : NULL,
		.detail = one->detail,
		.license = one->license_id,
		.tenant = told ? one->license.tenant : "",
		.holder = told ? one->license.holder : "",
		.tenant_name = told ? one->tenant.name : "",
		.host_name = told ? one->host_name : "",
		.policy = told ? one->policy : "",
		.expires_ms = told ? one->license.expires_ms : 0,
		.resume_only = one->resume_only};
	one->done(one->ctx, &verdict);
	case_free(one);
}

static void send(struct admission_case *one)
{
	if (one->status == -REASON_BUSY || one->status == -REASON_STORE_UNAVAILABLE)
		one->retry_ms = BUSY_RETRY_MS;
	if (one->status == -REASON_DIRECTORY_UNREACHABLE)
		one->retry_ms = DIRECTORY_RETRY_MS;
	/* Password and secret are needed no more. */
	secret_wipe(one->request.password, sizeof(one->request.password));
	secret_wipe(one->request.secret, sizeof(one->request.secret));
	secret_wipe(one->request.totp, sizeof(one->request.totp));
	secret_wipe(one->request.join, sizeof(one->request.join));
	one->item.run = give_verdict;
	struct admission *admission = one->admission;
	post_put(one->box, &one->item);
	pthread_mutex_lock(&admission->mutex);
	if (--admission->under_way == 0)
		pthread_cond_broadcast(&admission->all_done);
	pthread_mutex_unlock(&admission->mutex);
}

static struct admission_case *case_of(struct admission_task *task)
{
	struct admission_case *one = (struct admission_case *)task;
	CHECK_OBJ(one, CASE_MAGIC);
	return one;
}

/* Now and then, by whoever was refused anyway. */
static void sweep(struct admission_case *one)
{
	const struct admission_settings *settings = &one->settings;
	int64_t window = settings->lockout_ms;
	if (one->status == 0 ||
		atomic_fetch_add(&one->admission->refusals, 1) % SWEEP_EVERY)
		return;
	admission_store_sweep(one->store,
		&(struct lockout_limits){
			.lock_ms = settings->lockout_ms, .window_ms = window},
		one->now_ms);
}

static void close_case(struct admission_task *task)
{
	struct admission_case *one = case_of(task);
	admission_case_close(one);
	sweep(one);
	send(one);
}

static void check_password(struct admission_task *task)
{
	struct admission_case *one = case_of(task);
	admission_case_password(one);
	/* What is left waits for the disk; the scrypt threads are for those who wait for them. */
	one->task.run = close_case;
	admission_pool_go_on(one->admission->quick, &one->task);
}

static void run_errand(struct directory_task *errand)
{
	check_password((struct admission_task *)((char *)errand -
						 offsetof(struct admission_case,
							 errand)));
}

static int send_to_directory(struct admission_case *one)
{
	one->errand.directory = one->license.directory;
	one->errand.run = run_errand;
	return one->directories ? directories_put(one->directories, &one->errand)
				: -REASON_DIRECTORY_UNREACHABLE;
}

static void open_case(struct admission_task *task)
{
	struct admission_case *one = case_of(task);
	enum admission_case_next next = admission_case_open(one);
	int r = 0;
	if (next == ADMISSION_CASE_WE) {
		one->task.run = check_password;
		r = admission_pool_put(one->admission->scrypt, &one->task);
	} else if (next == ADMISSION_CASE_DIRECTORY) {
		r = send_to_directory(one);
	}
	if (r)
		one->status = r;
	if (r || next == ADMISSION_CASE_NOBODY)
		close_case(task);
}

static void give_spare(struct post_item *item)
{
	struct spare *spare = (struct spare *)item;
	struct admission_verdict verdict = {.status = -REASON_NO_MEMORY,
		.retry_ms = BUSY_RETRY_MS,
		.detail = "",
		.license = "",
		.tenant = "",
		.holder = "",
		.tenant_name = "",
		.host_name = "",
		.policy = ""};
	spare->done(spare->ctx, &verdict);
	atomic_store(&spare->taken, 0);
}

static void refuse_without_memory(struct post_box *box, admission_done done, void *ctx)
{
	for (size_t i = 0; i < SPARES; i++) {
		struct spare *spare = &spares[i];
		if (atomic_exchange(&spare->taken, 1))
			continue;
		spare->item.run = give_spare;
		spare->done = done;
		spare->ctx = ctx;
		post_put(box, &spare->item);
		return;
	}
	CHECK(!"a spare verdict is left");
}

static void review_case(struct admission_task *task)
{
	struct admission_case *one = case_of(task);
	admission_case_review(one);
	send(one);
}

/* -REASON_BUSY: too many wait; the case is still the caller's, to be sent. */
static int begin(struct admission *admission, const struct admission_request *request,
	struct admission_case *one, void (*run)(struct admission_task *task))
{
	one->magic = CASE_MAGIC;
	one->admission = admission;
	one->store = admission->store;
	one->directories = admission->directories;
	one->node = admission->node;
	one->cache = admission->cache;
	one->request = *request;
	one->task.run = run;
	pthread_mutex_lock(&admission->mutex);
	one->settings = admission->settings;
	admission->under_way++;
	pthread_mutex_unlock(&admission->mutex);
	return admission_pool_put(admission->quick, &one->task);
}

void admission_check(struct admission *admission, const struct admission_request *request,
	struct post_box *box, admission_done done, void *ctx)
{
	CHECK_OBJ(admission, ADMISSION_MAGIC);
	struct admission_case *one = secret_alloc(sizeof(*one));
	if (!one) {
		refuse_without_memory(box, done, ctx);
		return;
	}
	one->box = box;
	one->done = done;
	one->ctx = ctx;
	if (begin(admission, request, one, open_case) == 0)
		return;
	admission_case_record_busy(one);
	send(one);
}

void admission_review(struct admission *admission,
	const struct admission_request *request, struct post_box *box,
	admission_done done, void *ctx)
{
	CHECK_OBJ(admission, ADMISSION_MAGIC);
	struct admission_case *one = secret_alloc(sizeof(*one));
	if (!one) {
		refuse_without_memory(box, done, ctx);
		return;
	}
	one->box = box;
	one->done = done;
	one->ctx = ctx;
	if (begin(admission, request, one, review_case) == 0)
		return;
	one->status = -REASON_BUSY;
	send(one);
}

void admission_spoil(struct admission *admission, const char *license, const char *tenant)
{
	CHECK_OBJ(admission, ADMISSION_MAGIC);
	if (admission->cache)
		admission_cache_spoil(admission->cache, license, tenant);
}

void admission_set(struct admission *admission, const struct admission_settings *settings)
{
	CHECK_OBJ(admission, ADMISSION_MAGIC);
	pthread_mutex_lock(&admission->mutex);
	admission->settings = *settings;
	pthread_mutex_unlock(&admission->mutex);
}

int admission_new(struct store *store, struct directories *directories, const char *node,
	const struct admission_settings *settings, struct admission **ret)
{
	struct admission *admission = calloc(1, sizeof(*admission));
	if (!admission)
		return -REASON_NO_MEMORY;
	admission->magic = ADMISSION_MAGIC;
	admission->store = store;
	admission->directories = directories;
	admission->settings = *settings;
	CHECK(pthread_mutex_init(&admission->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&admission->all_done, NULL) == 0);
	admission->node = strdup(node);
	int r = admission->node ? 0 : -REASON_NO_MEMORY;
	if (r == 0 && settings->cache_ms)
		r = admission_cache_new(settings->cache_ms, &admission->cache);
	if (r == 0)
		r = admission_pool_new("admit", QUICK_THREADS, QUICK_WAITING,
			&admission->quick);
	if (r == 0)
		r = admission_pool_new("admit-scrypt", SCRYPT_THREADS, SCRYPT_WAITING,
			&admission->scrypt);
	if (r)
		admission_free(admission);
	else
		*ret = admission;
	return r;
}

struct admission *admission_free(struct admission *admission)
{
	if (!admission)
		return NULL;
	CHECK_OBJ(admission, ADMISSION_MAGIC);
	/* A case wanders between the pools, so both stay until the last one has its verdict. */
	pthread_mutex_lock(&admission->mutex);
	while (admission->under_way)
		pthread_cond_wait(&admission->all_done, &admission->mutex);
	pthread_mutex_unlock(&admission->mutex);
	admission->scrypt = admission_pool_free(admission->scrypt);
	admission->quick = admission_pool_free(admission->quick);
	pthread_cond_destroy(&admission->all_done);
	pthread_mutex_destroy(&admission->mutex);
	admission_cache_free(admission->cache);
	free(admission->node);
	admission->magic = 0;
	free(admission);
	return NULL;
}
