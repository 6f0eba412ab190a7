#include "http/office.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/reason.h"

struct office {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct office_task *first, **last;
	size_t waiting, most;
	int stopping;
	size_t count;
	pthread_t threads[];
};

static struct office_task *next_task(struct office *office)
{
	pthread_mutex_lock(&office->lock);
	while (!office->first && !office->stopping)
		pthread_cond_wait(&office->work, &office->lock);
	struct office_task *task = office->first;
	if (task) {
		office->first = task->next;
		if (!office->first)
			office->last = &office->first;
		office->waiting--;
	}
	pthread_mutex_unlock(&office->lock);
	return task;
}

static void *work(void *arg)
{
	struct office *office = arg;
	struct office_task *task;

	pthread_setname_np(pthread_self(), "office");
	while ((task = next_task(office)))
		task->run(task);
	return NULL;
}

int office_new(size_t threads, size_t queue, struct office **ret)
{
	struct office *office = calloc(1, sizeof(*office) + threads * sizeof(pthread_t));
	if (!office)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&office->lock, NULL);
	pthread_cond_init(&office->work, NULL);
	office->last = &office->first;
	office->most = queue;
	while (office->count < threads) {
		if (pthread_create(&office->threads[office->count], NULL, work, office)) {
			office_free(office);
			return -REASON_NO_MEMORY;
		}
		office->count++;
	}
	*ret = office;
	return 0;
}

int office_put(struct office *office, struct office_task *task)
{
	int status = 0;

	pthread_mutex_lock(&office->lock);
	if (office->waiting >= office->most || office->stopping) {
		status = -REASON_BUSY;
	} else {
		task->next = NULL;
		*office->last = task;
		office->last = &task->next;
		office->waiting++;
		pthread_cond_signal(&office->work);
	}
	pthread_mutex_unlock(&office->lock);
	return status;
}

struct office *office_free(struct office *office)
{
	if (!office)
		return NULL;
	pthread_mutex_lock(&office->lock);
	office->stopping = 1;
	pthread_cond_broadcast(&office->work);
	pthread_mutex_unlock(&office->lock);
	for (size_t i = 0; i < office->count; i++)
		pthread_join(office->threads[i], NULL);
	pthread_cond_destroy(&office->work);
	pthread_mutex_destroy(&office->lock);
	free(office);
	return NULL;
}
