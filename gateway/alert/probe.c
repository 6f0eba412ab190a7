#include "alert/probe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/outage.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define NODES_MOST 256
#define NODE_FRESH_MS 35000
/* Stopped for less than this many questions: an upgrade that people hardly saw counts all the same, a
 * question that was late does not. */
#define GAP_QUESTIONS 2

struct probe {
	struct probe_parts parts;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	int stops;
	struct probe_facts facts;
	int64_t times_us[PROBE_KEPT];
	size_t time_count;
	/* What is going on at a target; `from_ms` 0: nothing. */
	struct outage outages[PROBE_TARGETS];
	uint64_t versions[PROBE_TARGETS];
	int unsaved[PROBE_TARGETS];
	pthread_t thread;
};

const char *probe_target_name(enum probe_target target)
{
	return target == PROBE_PUBLIC ? "public" : "admin";
}

/* Whether others served while this node did not. */
static int others_serve(struct probe *probe, int64_t since_ms)
{
	struct store_docs docs = {0};
	int found = 0;

	if (store_wait_list(probe->parts.store->state, STATE_NODE, NULL, NULL, NODES_MOST,
		    &docs))
		return 0;
	for (size_t i = 0; i < docs.count; i++) {
		json_t *body = json_loads(docs.docs[i].body, 0, NULL);
		int64_t seen = json_integer_value(json_object_get(body, "seen"));
		int64_t started = json_integer_value(json_object_get(body, "started"));
		if (strcmp(docs.docs[i].id, probe->parts.node) && started < since_ms &&
			clock_wall_ms() - seen < NODE_FRESH_MS)
			found = 1;
		json_decref(body);
	}
	store_docs_free(&docs);
	return found;
}

static int save(struct probe *probe, const struct outage *outage, uint64_t *version)
{
	char *body;
	int status = outage_write(outage, &body);

	if (status)
		return status;
	struct state_doc doc = {.kind = STATE_OUTAGE,
		.id = outage->id,
		.tenant = "",
		.version = *version,
		.body = body};
	status = store_wait_put(probe->parts.store->state, &doc, version);
	free(body);
	return status == -REASON_CONFLICT ? 0 : status;
}

static void begin(struct probe *probe, enum probe_target target, int reason,
	int64_t now_ms)
{
	struct outage *outage = &probe->outages[target];

	*outage = (struct outage){
		.from_ms = now_ms, .covered = others_serve(probe, now_ms)};
	text_clip(outage->node, sizeof(outage->node), probe->parts.node);
	text_clip(outage->target, sizeof(outage->target), probe_target_name(target));
	text_clip(outage->cause, sizeof(outage->cause), reason_symbol(reason));
	if (outage_begin(outage))
		outage->from_ms = 0;
	probe->versions[target] = 0;
	probe->unsaved[target] = 1;
	log_line(LOG_ERROR, "own probe failed", LOG_S("target", outage->target),
		LOG_S("reason", reason_symbol(reason)));
}

static void end(struct probe *probe, enum probe_target target, int64_t now_ms)
{
	probe->outages[target].to_ms = now_ms;
	probe->unsaved[target] = 1;
	log_line(LOG_INFO, "own probe answers again",
		LOG_S("target", probe_target_name(target)));
}

static void keep(struct probe *probe, enum probe_target target)
{
	struct outage *outage = &probe->outages[target];

	if (!outage->from_ms || !probe->unsaved[target])
		return;
	if (save(probe, outage, &probe->versions[target]))
		return;
	probe->unsaved[target] = 0;
	if (outage->to_ms)
		outage->from_ms = 0;
}

static void note(struct probe *probe, enum probe_target target, int status,
	const struct probe_answer *answer, int64_t now_ms)
{
	int is_down = probe->outages[target].from_ms && !probe->outages[target].to_ms;

	if (status && !is_down)
		begin(probe, target, status, now_ms);
	if (!status && is_down)
		end(probe, target, now_ms);
	keep(probe, target);
	pthread_mutex_lock(&probe->lock);
	probe->facts.asked++;
	probe->facts.last_ms = now_ms;
	probe->facts.failing_since_ms[target] =
		status ? probe->outages[target].from_ms : 0;
	if (!status) {
		probe->facts.last[target] = *answer;
		probe->times_us[probe->time_count++ % PROBE_KEPT] = answer->took_us;
	}
	pthread_mutex_unlock(&probe->lock);
}

static void ask_all(struct probe *probe)
{
	for (int target = 0; target < PROBE_TARGETS; target++) {
		struct probe_answer answer = {0};
		enum probe_ask_how how =
			target == PROBE_ADMIN ? PROBE_ASK_HEALTH : PROBE_ASK_NATIVE;
		int64_t now_ms = clock_wall_ms();
		int status = probe_ask(probe->facts.endpoints[target], how, &answer);
		note(probe, (enum probe_target)target, status, &answer, now_ms);
	}
}

/* alive */

static void alive_path(const struct probe *probe, char *ret, size_t size)
{
	snprintf(ret, size, "%s/alive", probe->parts.dir);
}

static void write_alive(struct probe *probe)
{
	char path[4300], text[32];

	alive_path(probe, path, sizeof(path));
	int len = snprintf(text, sizeof(text), "%" PRId64 "\n", clock_wall_ms());
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	/* Always the same length, so it is never seen half written; lost, it costs one outage. */
	if (fd < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		log_line(LOG_WARN, "alive is not written");
	if (fd >= 0)
		close(fd);
}

static int64_t read_alive(const struct probe *probe)
{
	char path[4300];
	int64_t last_ms = 0;

	alive_path(probe, path, sizeof(path));
	FILE *in = fopen(path, "re");
	if (in && fscanf(in, "%" SCNd64, &last_ms) != 1)
		last_ms = 0;
	if (in)
		fclose(in);
	return last_ms;
}

static void note_gap(struct probe *probe)
{
	int64_t last_ms = read_alive(probe), now_ms = clock_wall_ms();
	struct outage outage = {.from_ms = last_ms, .to_ms = now_ms};
	uint64_t version = 0;

	if (!last_ms || now_ms - last_ms < GAP_QUESTIONS * probe->facts.every_ms)
		return;
	outage.covered = others_serve(probe, last_ms);
	text_clip(outage.node, sizeof(outage.node), probe->parts.node);
	text_clip(outage.target, sizeof(outage.target), "node");
	text_clip(outage.cause, sizeof(outage.cause), "the node did not run");
	if (outage_begin(&outage) || save(probe, &outage, &version))
		log_line(LOG_WARN, "an outage could not be recorded");
}

/* From when on there is something to measure. */
static void note_first(struct probe *probe)
{
	char body[64];
	struct state_doc doc = {
		.kind = STATE_META, .id = "probe/since", .tenant = "", .body = body};

	snprintf(body, sizeof(body), "{\"at_ms\":%" PRId64 "}", clock_wall_ms());
	(void)!store_wait_put(probe->parts.store->state, &doc, NULL);
}

static int rest(struct probe *probe)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	pthread_mutex_lock(&probe->lock);
	until.tv_sec += probe->facts.every_ms / 1000;
	until.tv_nsec += (probe->facts.every_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	int woken = 0;
	while (!probe->stops && !woken)
		woken = pthread_cond_timedwait(&probe->stop, &probe->lock, &until);
	int stops = probe->stops;
	pthread_mutex_unlock(&probe->lock);
	return stops;
}

static void *work(void *arg)
{
	struct probe *probe = arg;

	pthread_setname_np(pthread_self(), "probe");
	note_first(probe);
	note_gap(probe);
	do {
		ask_all(probe);
		write_alive(probe);
	} while (!rest(probe));
	write_alive(probe);
	return NULL;
}

int probe_start(const struct probe_parts *parts, struct probe **ret)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return -REASON_NO_MEMORY;
	probe->parts = *parts;
	probe->facts.every_ms = parts->every_ms;
	for (int i = 0; i < PROBE_TARGETS; i++)
		text_clip(probe->facts.endpoints[i], sizeof(probe->facts.endpoints[i]),
			parts->endpoints[i]);
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->stop, NULL);
	if (pthread_create(&probe->thread, NULL, work, probe)) {
		free(probe);
		return -REASON_NO_MEMORY;
	}
	*ret = probe;
	return 0;
}

void probe_set(struct probe *probe, int64_t every_ms)
{
	pthread_mutex_lock(&probe->lock);
	probe->facts.every_ms = every_ms;
	pthread_mutex_unlock(&probe->lock);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

void probe_facts(struct probe *probe, struct probe_facts *ret)
{
	int64_t times[PROBE_KEPT];

	pthread_mutex_lock(&probe->lock);
	*ret = probe->facts;
	size_t count = probe->time_count < PROBE_KEPT ? probe->time_count : PROBE_KEPT;
	memcpy(times, probe->times_us, sizeof(times));
	pthread_mutex_unlock(&probe->lock);
	if (!count)
		return;
	qsort(times, count, sizeof(*times), by_size);
	ret->p50_us = times[count / 2];
	ret->p95_us = times[count * 95 / 100];
	ret->worst_us = times[count - 1];
}

struct probe *probe_free(struct probe *probe)
{
	if (!probe)
		return NULL;
	pthread_mutex_lock(&probe->lock);
	probe->stops = 1;
	pthread_cond_signal(&probe->stop);
	pthread_mutex_unlock(&probe->lock);
	pthread_join(probe->thread, NULL);
	pthread_cond_destroy(&probe->stop);
	pthread_mutex_destroy(&probe->lock);
	free(probe);
	return NULL;
}
