#include "store/redis/redis_journal.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "store/journal_chain.h"
#include "store/journal_spool.h"
#include "store/redis/redis_address.h"
#include "store/redis/redis_append.h"
#include "store/redis/redis_carry.h"
#include "store/redis/redis_health.h"
#include "store/redis/redis_history.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_purge.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"
#include "store/redis/redis_words.h"
#include "store/reply.h"

#define REDIS_JOURNAL_MAGIC 0x524a6f75
#define BATCH_ROWS 512
#define BATCH_BYTES (256u << 10)
#define SPOOL_BYTES (1u << 20)
#define WAITING_MAX 32768
#define RETRY_MS 500
#define WAIT_S 5

struct redis_journal {
	struct journal journal; /* first: journal * is redis_journal * */
	uint32_t magic;
	struct redis_link *link;
	const struct redis_address *address;
	struct redis_health *health;
	const char *node, *run;
	/* on the link's thread: */
	struct redis_guest guest;
	struct journal_spool *spool;
	struct event *retry;
	struct redis_ask ask; /* one command at a time */
	int busy, ready, resting;
	struct journal_mark head; /* of the store, as far as it is known here */
	uint64_t next;            /* number of the next row of this node */
	struct redis_line waiting, sending;
	/* what is on its way: from `sending`, or from the spool when that is empty */
	struct journal_row *rows;
	size_t count;
	uint64_t first, last;
	uint64_t spooled; /* rows since the spool was last empty */
	int taken_over;   /* said once */
	/* under the mutex: */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t unanswered;
	int opened;
};

static struct redis_journal *mine(struct journal *journal)
{
	struct redis_journal *redis = (struct redis_journal *)journal;
	CHECK_OBJ(redis, REDIS_JOURNAL_MAGIC);
	return redis;
}

static void answer(struct redis_journal *redis, struct redis_append *append, int status)
{
	reply_send(append->reply, status);
	free(append);
	pthread_mutex_lock(&redis->mutex);
	redis->unanswered--;
	pthread_cond_broadcast(&redis->changed);
	pthread_mutex_unlock(&redis->mutex);
}

static void rest(struct redis_journal *redis)
{
	struct timeval wait = {0, RETRY_MS * 1000};
	redis->resting = 1;
	CHECK(event_add(redis->retry, &wait) == 0);
}

static void note_spooled(struct redis_journal *redis, size_t count)
{
	if (!redis->spooled)
		log_line(LOG_WARN, "journal rows wait on this disk for the store");
	redis->spooled += count;
}

static void tell_spool(struct redis_journal *redis, int full)
{
	redis_health_spool(redis->health, redis->spool, redis->address->spool_bytes,
		full);
}

/* `appends` of the line into the spool, all at once, and answers them. Their numbers begin at `first`. */
static int spool_some(struct redis_journal *redis, struct redis_line *line, size_t most,
	uint64_t first, size_t *ret_count)
{
	struct journal_row *rows;
	size_t count, appends;
	int r = redis_append_line_gather(line, most, SPOOL_BYTES, &rows, &count,
		&appends);
	if (r)
		return r;
	r = journal_spool_put(redis->spool, first, rows, count);
	free(rows);
	if (r)
		return r;
	note_spooled(redis, count);
	tell_spool(redis, 0);
	while (appends--)
		answer(redis, redis_append_line_take(line), 0);
	*ret_count = count;
	return 0;
}

static void spool_line(struct redis_journal *redis, struct redis_line *line,
	uint64_t first)
{
	while (line->first) {
		size_t count = 0;
		int r = spool_some(redis, line, JOURNAL_APPEND_MAX * 4, first, &count);
		/* Together they do not fit: perhaps one by one. */
		if (r && line->first->next)
			r = spool_some(redis, line, 0, first, &count);
		if (r) {
			count = line->first->count;
			metrics_add(METRIC_SPOOL_REFUSED, 1);
			tell_spool(redis, r == -REASON_DISK_FULL);
			answer(redis, redis_append_line_take(line), r);
		}
		first += count;
	}
	if (first > redis->next)
		redis->next = first;
}

static int send_rows(struct redis_journal *redis);
static void pump(struct redis_journal *redis);

static void forget_rows(struct redis_journal *redis)
{
	free(redis->rows);
	redis->rows = NULL;
	redis->count = 0;
}

static void answer_sent(struct redis_journal *redis)
{
	while (redis->sending.first) {
		struct redis_append *append = redis_append_line_take(&redis->sending);
		struct journal_answer *to = reply_journal_answer(append->reply);
		to->left_out = append->left_out;
		to->last_seq = redis->head.seq;
		memcpy(to->last_hash, redis->head.hash, JOURNAL_HASH);
		answer(redis, append, 0);
	}
}

/* Redis has this node's rows up to number `last`. */
static void settle(struct redis_journal *redis, uint64_t last)
{
	int direct = redis->sending.first != NULL;
	if (direct)
		answer_sent(redis);
	else
		journal_spool_drop(redis->spool, last);
	forget_rows(redis);
	if (!direct)
		tell_spool(redis, 0);
	if (redis->spooled && journal_spool_empty(redis->spool)) {
		log_line(LOG_INFO, "journal rows that waited are delivered",
			LOG_U("rows", redis->spooled));
		redis->spooled = 0;
	}
}

/* What was on its way to Redis goes into the spool, until Redis is there again. */
static void fall_back(struct redis_journal *redis)
{
	uint64_t first = redis->first;
	forget_rows(redis);
	spool_line(redis, &redis->sending, first);
	rest(redis);
}

static void learn_head(struct redis_journal *redis, const struct redisReply *reply)
{
	struct journal_mark head;
	if (redis_row_mark(redis_reply_at(reply, 2), redis_reply_at(reply, 3), &head))
		return;
	if (head.seq < redis->head.seq)
		log_line(LOG_ERROR,
			head.seq ? "the store's journal ends before where it did"
				 : "the store's journal is gone",
			LOG_U("seq", redis->head.seq), LOG_U("found", head.seq));
	/* In an emptied store the chain goes on where it was, so that the loss shows. */
	if (head.seq)
		redis->head = head;
}

/* Somebody else wrote the last row of a series of which these are. */
static void leave_out(struct redis_journal *redis, const struct redisReply *reply)
{
	size_t kept = redis_append_line_leave_out(&redis->sending, redis->rows,
		redis->count, reply);
	if (!redis->sending.first)
		log_line(LOG_WARN,
			"closing rows that waited are left out: another node wrote them",
			LOG_U("rows", redis->count - kept));
	redis->count = kept;
}

static void on_appended(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_journal *redis =
		(struct redis_journal *)((char *)ask -
					 offsetof(struct redis_journal, ask));
	CHECK_OBJ(redis, REDIS_JOURNAL_MAGIC);
	redis_ask_done(ask);
	redis->busy = 0;
	const struct redisReply *word = redis_reply_at(reply, 0);
	if (redis_reply_status(reply)) {
		fall_back(redis);
	} else if (redis_reply_is(word, "ok") || redis_reply_is(word, "known")) {
		learn_head(redis, reply);
		settle(redis, redis_reply_number(redis_reply_at(reply, 1)));
	} else if (redis_reply_is(word, "head")) {
		/* Another node was faster. */
		learn_head(redis, reply);
		if (send_rows(redis))
			fall_back(redis);
	} else if (redis_reply_is(word, "ended")) {
		leave_out(redis, reply);
		if (send_rows(redis))
			fall_back(redis);
	} else {
		if (!redis->taken_over)
			log_line(LOG_ERROR, "another process writes as this node",
				LOG_S("node", redis->node));
		redis->taken_over = 1;
		fall_back(redis);
	}
	pump(redis);
}

static int send_rows(struct redis_journal *redis)
{
	redis->ask = (struct redis_ask){.done = on_appended};
	int r = redis_append_command(&(struct redis_append_from){redis->address->prefix,
					     redis->node, redis->run, redis->first,
					     redis->last, &redis->head},
		redis->rows, redis->count, &redis->ask);
	if (r)
		return r;
	redis->busy = 1;
	redis_link_send(redis->link, &redis->ask);
	return 0;
}

static int load_waiting(struct redis_journal *redis)
{
	size_t appends;
	int r = redis_append_line_gather(&redis->waiting, BATCH_ROWS, BATCH_BYTES,
		&redis->rows, &redis->count, &appends);
	if (r)
		return r;
	while (appends--)
		redis_append_line_add(&redis->sending,
			redis_append_line_take(&redis->waiting));
	redis->first = redis->next;
	redis->next += redis->count;
	redis->last = redis->next - 1;
	return 0;
}

static int load_spooled(struct redis_journal *redis)
{
	const struct journal_row *rows;
	int r = journal_spool_peek(redis->spool, BATCH_ROWS, BATCH_BYTES, &rows,
		&redis->count, &redis->first);
	if (r)
		return r;
	/* The strings stay the spool's until it is asked again. */
	redis->rows = malloc(redis->count * sizeof(*rows));
	if (!redis->rows)
		return -REASON_NO_MEMORY;
	memcpy(redis->rows, rows, redis->count * sizeof(*rows));
	/* They were promised; but a series ends once. */
	for (size_t i = 0; i < redis->count; i++)
		if (redis->rows[i].place != JOURNAL_LAST)
			redis->rows[i].series = NULL;
	redis->last = rows[redis->count - 1].seq;
	return 0;
}

static void send_next(struct redis_journal *redis, int (*load)(struct redis_journal *))
{
	int r = load(redis);
	if (r == 0)
		r = send_rows(redis);
	if (r == 0)
		return;
	log_line(LOG_ERROR, "journal rows cannot be sent to the store",
		LOG_S("reason", reason_symbol(r)));
	fall_back(redis);
}

static void pump(struct redis_journal *redis)
{
	int away = !redis->ready || redis->resting || !redis_link_up(redis->link);
	/* What waits behind rows of the spool goes there too: order. */
	if ((away && !redis->busy) || !journal_spool_empty(redis->spool))
		spool_line(redis, &redis->waiting, redis->next);
	if (away || redis->busy)
		return;
	if (!journal_spool_empty(redis->spool))
		send_next(redis, load_spooled);
	else if (redis->waiting.first)
		send_next(redis, load_waiting);
}

/* 1, or why it never will be. */
static void tell_opened(struct redis_journal *redis, int opened)
{
	pthread_mutex_lock(&redis->mutex);
	redis->opened = opened;
	pthread_cond_broadcast(&redis->changed);
	pthread_mutex_unlock(&redis->mutex);
}

static void on_opened(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_journal *redis =
		(struct redis_journal *)((char *)ask -
					 offsetof(struct redis_journal, ask));
	CHECK_OBJ(redis, REDIS_JOURNAL_MAGIC);
	redis_ask_done(ask);
	redis->busy = 0;
	if (redis_reply_status(reply) == 0 &&
		redis_reply_is(redis_reply_at(reply, 0), "ok")) {
		uint64_t last = redis_reply_number(redis_reply_at(reply, 1));
		if (last >= redis->next)
			redis->next = last + 1;
		journal_spool_drop(redis->spool, last);
		tell_spool(redis, 0);
		learn_head(redis, reply);
		redis->ready = 1;
		tell_opened(redis, 1);
	} else {
		if (redis_reply_is(redis_reply_at(reply, 0), "form"))
			tell_opened(redis, -REASON_VERSION);
		rest(redis);
	}
	pump(redis);
}

/* At every coming up: who was away looks again where the chain ends. */
static void open_run(struct redis_journal *redis)
{
	struct redis_words words;
	const char *prefix = redis->address->prefix;
	if (redis->busy || redis->taken_over)
		return;
	redis_words_init(&words);
	redis_words_key(&words, prefix, "journal:nodes");
	redis_words_key(&words, prefix, "journal:head");
	redis_words_key(&words, prefix, "journal:form");
	redis_words_text(&words, redis->node);
	redis_words_text(&words, redis->run);
	redis_words_number(&words, JOURNAL_CHAIN_FORM);
	redis->ask = (struct redis_ask){.done = on_opened};
	if (redis_words_script(&words, REDIS_OPEN, 3, &redis->ask)) {
		rest(redis);
		return;
	}
	redis->busy = 1;
	redis_link_send(redis->link, &redis->ask);
}

static struct redis_journal *of_guest(struct redis_guest *guest)
{
	struct redis_journal *redis =
		(struct redis_journal *)((char *)guest -
					 offsetof(struct redis_journal, guest));
	CHECK_OBJ(redis, REDIS_JOURNAL_MAGIC);
	return redis;
}

static void on_changed(struct redis_guest *guest, int up)
{
	struct redis_journal *redis = of_guest(guest);
	if (up && !redis->ready)
		open_run(redis);
	else if (!up)
		redis->ready = 0;
	if (!up)
		pump(redis);
}

static void on_turn(struct redis_guest *guest)
{
	pump(of_guest(guest));
}

static void on_retry(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_journal *redis = arg;
	CHECK_OBJ(redis, REDIS_JOURNAL_MAGIC);
	redis->resting = 0;
	if (!redis->ready && redis_link_up(redis->link))
		open_run(redis);
	pump(redis);
}

static void take(struct redis_item *item)
{
	struct redis_append *append = (struct redis_append *)item;
	CHECK_OBJ(append->journal, REDIS_JOURNAL_MAGIC);
	redis_append_line_add(&append->journal->waiting, append);
}

static void append(struct journal *journal, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	int r = journal_rows_check(rows, count);
	struct redis_append *fresh = r ? NULL : redis_append_new(rows, count);
	if (r == 0 && !fresh)
		r = -REASON_NO_MEMORY;
	if (r == 0) {
		pthread_mutex_lock(&redis->mutex);
		if (redis->unanswered < WAITING_MAX)
			redis->unanswered++;
		else
			r = -REASON_STORE_UNAVAILABLE;
		pthread_mutex_unlock(&redis->mutex);
	}
	if (r) {
		free(fresh);
		reply_send(reply, r);
		return;
	}
	fresh->reply = reply;
	fresh->journal = redis;
	fresh->item.run = take;
	redis_link_post(redis->link, &fresh->item);
}

static void query_rows(struct journal *journal, const struct journal_query *query,
	struct post_box *box, journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_history_query(redis->link, redis->address->prefix, query, box, done, ctx);
}

static void verify(struct journal *journal, const struct journal_point *points,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_history_verify(redis->link, redis->address->prefix, points, count, box,
		done, ctx);
}

static void purge(struct journal *journal, const struct journal_purge *rule,
	struct post_box *box, journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_purge_start(redis->link, redis->address->prefix, rule, box, done, ctx);
}

static void look(struct journal *journal, struct post_box *box, journal_done done,
	void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_history_look(redis->link, redis->address->prefix, box, done, ctx);
}

static void copy(struct journal *journal, uint64_t after_seq, struct post_box *box,
	journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_carry_copy(redis->link, redis->address->prefix, after_seq, box, done, ctx);
}

static void bring(struct journal *journal, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	struct redis_journal *redis = mine(journal);
	redis_carry_bring(redis->link, redis->address->prefix, anchor, rows, count, box,
		done, ctx);
}

int redis_journal_new(const struct redis_journal_parts *parts, struct journal **ret,
	char error[static STORE_ERROR])
{
	static const struct journal_vtable vtable = {
		append, query_rows, verify, purge, look, copy, bring};
	_Static_assert(JOURNAL_SPOOL_ERROR == STORE_ERROR, "one text serves both");
	struct redis_journal *redis = calloc(1, sizeof(*redis));
	if (!redis)
		return -REASON_NO_MEMORY;
	*redis = (struct redis_journal){.journal = {&vtable},
		.magic = REDIS_JOURNAL_MAGIC,
		.link = parts->link,
		.address = parts->address,
		.health = parts->health,
		.node = parts->node,
		.run = parts->run,
		.guest = {NULL, on_changed, on_turn}};
	redis_append_line_init(&redis->waiting);
	redis_append_line_init(&redis->sending);
	CHECK(pthread_mutex_init(&redis->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&redis->changed, NULL) == 0);
	redis->retry = evtimer_new(redis_link_base(redis->link), on_retry, redis);
	int r = redis->retry ? journal_spool_open(redis->address->spool, redis->node,
				       redis->address->spool_bytes, &redis->spool, error)
			     : -REASON_NO_MEMORY;
	if (r) {
		redis_journal_free(&redis->journal);
		return r;
	}
	redis->next = journal_spool_last(redis->spool) + 1;
	tell_spool(redis, 0);
	redis_link_join(redis->link, &redis->guest);
	*ret = &redis->journal;
	return 0;
}

int redis_journal_wait(struct journal *journal)
{
	struct redis_journal *redis = mine(journal);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&redis->mutex);
	while (!redis->opened)
		if (pthread_cond_timedwait(&redis->changed, &redis->mutex, &until))
			break;
	int opened = redis->opened;
	pthread_mutex_unlock(&redis->mutex);
	return opened > 0 ? 0 : opened < 0 ? opened : -REASON_STORE_UNAVAILABLE;
}

void redis_journal_drain(struct journal *journal)
{
	struct redis_journal *redis = mine(journal);
	pthread_mutex_lock(&redis->mutex);
	while (redis->unanswered)
		pthread_cond_wait(&redis->changed, &redis->mutex);
	pthread_mutex_unlock(&redis->mutex);
}

struct journal *redis_journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	struct redis_journal *redis = mine(journal);
	forget_rows(redis);
	journal_spool_close(redis->spool);
	if (redis->retry)
		event_free(redis->retry);
	pthread_cond_destroy(&redis->changed);
	pthread_mutex_destroy(&redis->mutex);
	redis->magic = 0;
	free(redis);
	return NULL;
}
