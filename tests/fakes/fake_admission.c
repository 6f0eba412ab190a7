#include "fakes/fake_admission.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
	struct post_item item;
	struct verdict *next;
	struct post_box *box;
	admission_done done;
	void *ctx;
	int status;
	char license[17];
};

struct fake_admission fake_admission;
static struct verdict *held;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void fake_admission_reset(void)
{
	fake_admission =
		(struct fake_admission){.policy = "{\"rights\":63}", .holder = "Hanako"};
}

void fake_admission_answer(int status)
{
	pthread_mutex_lock(&lock);
	fake_admission.status = status;
	pthread_mutex_unlock(&lock);
}

static void tell(struct post_item *item)
{
	struct verdict *told = (struct verdict *)item;
	struct admission_verdict verdict = {.status = told->status,
		.retry_ms = fake_admission.retry_ms,
		.detail = fake_admission.detail,
		.license = told->license,
		.tenant = "ten_1",
		.holder = fake_admission.holder,
		.tenant_name = "Acme",
		.host_name = "desk-7",
		.policy = fake_admission.policy,
		.expires_ms = fake_admission.expires_ms,
		.cached_host = fake_admission.cached ? fake_admission.cached_host : NULL,
		.credential = fake_admission.cached ? fake_admission.cached_host : NULL,
		.resume_only = fake_admission.resume_only};
	told->done(told->ctx, &verdict);
	free(told);
}

void admission_check(struct admission *admission, const struct admission_request *request,
	struct post_box *box, admission_done done, void *ctx)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));
	(void)admission;
	verdict->item.run = tell;
	verdict->box = box;
	verdict->done = done;
	verdict->ctx = ctx;
	memcpy(verdict->license, request->license, sizeof(verdict->license));
	pthread_mutex_lock(&lock);
	verdict->status = fake_admission.status;
	fake_admission.asked++;
	fake_admission.last = *request;
	int hold = fake_admission.hold;
	if (hold) {
		verdict->next = held;
		held = verdict;
	}
	pthread_mutex_unlock(&lock);
	if (!hold)
		post_put(box, &verdict->item);
}

void admission_review(struct admission *admission,
	const struct admission_request *request, struct post_box *box,
	admission_done done, void *ctx)
{
	pthread_mutex_lock(&lock);
	fake_admission.reviewed++;
	pthread_mutex_unlock(&lock);
	admission_check(admission, request, box, done, ctx);
}

void fake_admission_let_go(void)
{
	while (held) {
		struct verdict *verdict = held;
		held = verdict->next;
		post_put(verdict->box, &verdict->item);
	}
}

int admission_new(struct store *store, struct directories *directories, const char *node,
	const struct admission_settings *settings, struct admission **ret)
{
	(void)store;
	(void)directories;
	(void)node;
	(void)settings;
	*ret = NULL;
	return 0;
}

void admission_spoil(struct admission *admission, const char *license, const char *tenant)
{
	(void)admission;
	(void)license;
	(void)tenant;
	fake_admission.spoilt++;
}

void admission_set(struct admission *admission, const struct admission_settings *settings)
{
	(void)admission;
	(void)settings;
}

struct admission *admission_free(struct admission *admission)
{
	(void)admission;
	return NULL;
}
