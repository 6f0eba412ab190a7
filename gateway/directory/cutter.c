#include "directory/cutter.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"

#define CUTTER_MAGIC 0x43757474
/* A late cut harms nobody, so the thread just looks every now and then while somebody is watched. */
#define LOOK_MS 50

struct cutter {
	uint32_t magic;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct list lines;
	int stopping;
	pthread_t thread;
};

/* Under the mutex. */
static void cut_overdue(struct cutter *cutter)
{
	int64_t now_ms = clock_mono_ms();
	LIST_EACH(node, &cutter->lines)
	{
		struct cutter_line *line = LIST_ENTRY(node, struct cutter_line, item);
		if (line->end_ms <= now_ms)
			shutdown(line->fd, SHUT_RDWR);
	}
}

static void *run(void *arg)
{
	struct cutter *cutter = arg;
	CHECK_OBJ(cutter, CUTTER_MAGIC);
	pthread_mutex_lock(&cutter->mutex);
	while (!cutter->stopping) {
		if (list_empty(&cutter->lines)) {
			pthread_cond_wait(&cutter->changed, &cutter->mutex);
			continue;
		}
		cut_overdue(cutter);
		pthread_mutex_unlock(&cutter->mutex);
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
		pthread_mutex_lock(&cutter->mutex);
	}
	pthread_mutex_unlock(&cutter->mutex);
	return NULL;
}

int cutter_new(struct cutter **ret)
{
	struct cutter *cutter = calloc(1, sizeof(*cutter));
	if (!cutter)
		return -REASON_NO_MEMORY;
	cutter->magic = CUTTER_MAGIC;
	list_init(&cutter->lines);
	CHECK(pthread_mutex_init(&cutter->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&cutter->changed, NULL) == 0);
	if (pthread_create(&cutter->thread, NULL, run, cutter)) {
		free(cutter);
		return -REASON_NO_MEMORY;
	}
	pthread_setname_np(cutter->thread, "cutter");
	*ret = cutter;
	return 0;
}

int cutter_watch(struct cutter *cutter, struct cutter_line *line, int fd, int64_t end_ms)
{
	CHECK_OBJ(cutter, CUTTER_MAGIC);
	line->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (line->fd < 0)
		return -REASON_NO_MEMORY;
	line->end_ms = end_ms;
	pthread_mutex_lock(&cutter->mutex);
	list_add_tail(&cutter->lines, &line->item);
	pthread_cond_signal(&cutter->changed);
	pthread_mutex_unlock(&cutter->mutex);
	return 0;
}

void cutter_forget(struct cutter *cutter, struct cutter_line *line)
{
	CHECK_OBJ(cutter, CUTTER_MAGIC);
	pthread_mutex_lock(&cutter->mutex);
	list_remove(&line->item);
	pthread_mutex_unlock(&cutter->mutex);
	close(line->fd);
}

struct cutter *cutter_free(struct cutter *cutter)
{
	if (!cutter)
		return NULL;
	CHECK_OBJ(cutter, CUTTER_MAGIC);
	pthread_mutex_lock(&cutter->mutex);
	CHECK(list_empty(&cutter->lines));
	cutter->stopping = 1;
	pthread_cond_signal(&cutter->changed);
	pthread_mutex_unlock(&cutter->mutex);
	pthread_join(cutter->thread, NULL);
	pthread_cond_destroy(&cutter->changed);
	pthread_mutex_destroy(&cutter->mutex);
	cutter->magic = 0;
	free(cutter);
	return NULL;
}
