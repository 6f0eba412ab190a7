#include "keeper/journal_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "keeper/checkpoint_maker.h"
#include "keeper/journal_purger.h"
#include "keeper/usage_roller.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define TURN_MS 500    /* checkpoints are looked for so often */
#define USAGE_MS 15000 /* sums are brought up to date */
#define HEALTH_MS 2000
#define PURGE_MS 60000 /* a look whether a new day has begun */
#define DISK_LEAST (UINT64_C(64) << 20)
#define DISK_LEAST_PART 200 /* or half a hundredth of it, whichever is less */

/* Something to be done now and then. */
struct chore {
	int64_t every_ms, due_ms;
	int failing; /* said once, not each time */
};

struct journal_keeper {
	struct journal_keeper_parts parts;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int running, stopping;
	struct journal_keeper_settings settings, given; /* given: under the mutex */
	struct journal_keeper_facts facts;              /* under the mutex */
	struct checkpoint_maker *maker;
	struct usage_roller *roller;
	struct journal_purger purger;
	struct chore checkpoint, usage, health, purge;
};

static int is_stopping(struct journal_keeper *keeper)
{
	pthread_mutex_lock(&keeper->mutex);
	int stopping = keeper->stopping;
	pthread_mutex_unlock(&keeper->mutex);
	return stopping;
}

static int is_due(struct chore *chore, int64_t now_ms)
{
	if (now_ms < chore->due_ms)
		return 0;
	chore->due_ms = now_ms + chore->every_ms;
	return 1;
}

static void note(struct chore *chore, const char *what, int status)
{
	if (status && !chore->failing)
		log_line(LOG_WARN, what, LOG_S("reason", reason_symbol(status)));
	chore->failing = status != 0;
}

/* All that has gathered, but not longer than the process may live. */
static int roll_up(struct journal_keeper *keeper)
{
	size_t rows = 1;
	int r = 0;
	while (r == 0 && rows && !is_stopping(keeper))
		r = usage_roller_run(keeper->roller, &rows);
	return r;
}

/* A row of its own would have to be kept for a year; a document goes the same way to the same disk. */
static int try_write(struct journal_keeper *keeper)
{
	char id[STATE_ID_MAX];
	struct store_docs docs = {0};
	snprintf(id, sizeof(id), "probe/%s", keeper->parts.node);
	struct state *state = keeper->parts.store->state;
	int r = store_wait_get(state, STATE_META, id, &docs);
	uint64_t version = r ? 0 : docs.docs[0].version;
	store_docs_free(&docs);
	if (r && r != -REASON_NOT_FOUND)
		return r;
	char body[64];
	snprintf(body, sizeof(body), "{\"at_ms\":%lld}", (long long)clock_wall_ms());
	struct state_doc doc = {STATE_META, id, "", version, body};
	r = store_wait_put(state, &doc, NULL);
	return r == -REASON_CONFLICT ? 0 : r;
}

static int look_after(struct journal_keeper *keeper)
{
	struct journal_keeper_facts facts = {.disk_good = 1};
	struct statvfs disk;
	int r = try_write(keeper);
	facts.journal_good = r == 0;
	if (!statvfs(keeper->parts.dir, &disk)) {
		uint64_t all = (uint64_t)disk.f_blocks * disk.f_frsize;
		uint64_t least = all / DISK_LEAST_PART;
		facts.free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
		facts.disk_good =
			facts.free_bytes > (least < DISK_LEAST ? least : DISK_LEAST);
	}
	pthread_mutex_lock(&keeper->mutex);
	keeper->facts = facts;
	pthread_mutex_unlock(&keeper->mutex);
	return facts.disk_good ? r : -REASON_DISK_FULL;
}

static void turn(struct journal_keeper *keeper)
{
	int64_t now_ms = clock_mono_ms();
	const struct journal_purger_times times = {
		keeper->settings.records_days, keeper->settings.counts_days};
	if (is_due(&keeper->health, now_ms))
		note(&keeper->health, "journal cannot be written", look_after(keeper));
	if (is_due(&keeper->checkpoint, now_ms))
		note(&keeper->checkpoint, "no checkpoint made",
			checkpoint_maker_run(keeper->maker, CHECKPOINT_MAKER_DUE,
				keeper->settings.checkpoint_copy));
	if (is_due(&keeper->usage, now_ms))
		note(&keeper->usage, "usage not summed up", roll_up(keeper));
	if (is_due(&keeper->purge, now_ms))
		note(&keeper->purge, "old journal rows not removed",
			journal_purger_run(&keeper->purger, &times, clock_wall_ms()));
}

static void wait_turn(struct journal_keeper *keeper)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TURN_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->stopping &&
		!pthread_cond_timedwait(&keeper->changed, &keeper->mutex, &until))
		continue;
	keeper->settings = keeper->given;
	pthread_mutex_unlock(&keeper->mutex);
}

static void *run(void *arg)
{
	struct journal_keeper *keeper = arg;
	while (!is_stopping(keeper)) {
		turn(keeper);
		wait_turn(keeper);
	}
	/* What lies on a disk at rest is signed whole. */
	note(&keeper->checkpoint, "no checkpoint made",
		checkpoint_maker_run(keeper->maker, CHECKPOINT_MAKER_NOW,
			keeper->settings.checkpoint_copy));
	return NULL;
}

static int build(struct journal_keeper *keeper)
{
	char file[JOURNAL_KEEPER_PATH + 32];
	const struct journal_keeper_parts *parts = &keeper->parts;
	snprintf(file, sizeof(file), "%s/" CHECKPOINT_MAKER_FILE, parts->dir);
	int r = checkpoint_maker_new(parts->store, parts->signer, parts->node, file,
		&keeper->maker);
	if (r == 0)
		r = usage_roller_new(parts->store, parts->node, &keeper->roller);
	if (r)
		return r;
	keeper->purger =
		(struct journal_purger){parts->store, keeper->maker, keeper->roller, 0};
	if (pthread_create(&keeper->thread, NULL, run, keeper))
		return -REASON_NO_MEMORY;
	pthread_setname_np(keeper->thread, "keeper");
	keeper->running = 1;
	return 0;
}

int journal_keeper_new(const struct journal_keeper_parts *parts,
	const struct journal_keeper_settings *settings, struct journal_keeper **ret)
{
	pthread_condattr_t monotonic;
	struct journal_keeper *keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return -REASON_NO_MEMORY;
	keeper->parts = *parts;
	keeper->settings = keeper->given = *settings;
	keeper->facts = (struct journal_keeper_facts){1, 1, 0};
	keeper->checkpoint.every_ms = TURN_MS;
	keeper->usage.every_ms = USAGE_MS;
	keeper->health.every_ms = HEALTH_MS;
	keeper->purge.every_ms = PURGE_MS;
	CHECK(pthread_mutex_init(&keeper->mutex, NULL) == 0);
	CHECK(pthread_condattr_init(&monotonic) == 0);
	CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&keeper->changed, &monotonic) == 0);
	pthread_condattr_destroy(&monotonic);
	int r = build(keeper);
	if (r)
		journal_keeper_free(keeper);
	else
		*ret = keeper;
	return r;
}

void journal_keeper_set(struct journal_keeper *keeper,
	const struct journal_keeper_settings *settings)
{
	pthread_mutex_lock(&keeper->mutex);
	keeper->given = *settings;
	pthread_mutex_unlock(&keeper->mutex);
}

void journal_keeper_facts(struct journal_keeper *keeper, struct journal_keeper_facts *ret)
{
	pthread_mutex_lock(&keeper->mutex);
	*ret = keeper->facts;
	pthread_mutex_unlock(&keeper->mutex);
}

struct journal_keeper *journal_keeper_free(struct journal_keeper *keeper)
{
	if (!keeper)
		return NULL;
	pthread_mutex_lock(&keeper->mutex);
	keeper->stopping = 1;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->mutex);
	if (keeper->running)
		pthread_join(keeper->thread, NULL);
	usage_roller_free(keeper->roller);
	checkpoint_maker_free(keeper->maker);
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
	return NULL;
}
