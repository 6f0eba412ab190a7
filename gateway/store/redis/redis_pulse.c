#include "store/redis/redis_pulse.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/redis/redis_address.h"
#include "store/redis/redis_health.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_state.h"
#include "store/redis/redis_words.h"

#define PULSE_MAGIC 0x5250756c
#define EVERY_S 2

struct redis_pulse {
	uint32_t magic;
	struct redis_link *link;
	const struct redis_address *address;
	const char *run;
	struct redis_health *health;
	struct state *state;
	struct redis_guest guest;
	struct event *beat;
	struct redis_ask ask;
	int busy;
	int64_t asked_ms;
	unsigned beats;
	char mark[64]; /* "": not known yet */
};

static void read_clock(struct redis_pulse *pulse, const struct redisReply *reply)
{
	int64_t theirs = (int64_t)redis_reply_number(redis_reply_at(reply, 0)) * 1000 +
			 (int64_t)redis_reply_number(redis_reply_at(reply, 1)) / 1000;
	int64_t way_ms = (clock_mono_ms() - pulse->asked_ms) / 2;
	redis_health_clock(pulse->health, clock_wall_ms() - way_ms - theirs);
}

static void on_answer(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_pulse *pulse =
		(struct redis_pulse *)((char *)ask - offsetof(struct redis_pulse, ask));
	CHECK_OBJ(pulse, PULSE_MAGIC);
	redis_ask_done(ask);
	pulse->busy = 0;
	const char *mark = redis_reply_text(redis_reply_at(reply, 2), NULL);
	if (redis_reply_status(reply) || !mark)
		return;
	read_clock(pulse, reply);
	redis_state_saw(pulse->state, redis_reply_number(redis_reply_at(reply, 3)));
	if (*pulse->mark && strcmp(pulse->mark, mark))
		redis_health_emptied(pulse->health);
	text_clip(pulse->mark, sizeof(pulse->mark), mark);
}

static void look(struct redis_pulse *pulse)
{
	char mark[64];
	struct redis_words words;
	if (pulse->busy || !redis_link_up(pulse->link))
		return;
	redis_words_init(&words);
	redis_words_key(&words, pulse->address->prefix, "mark");
	redis_words_key(&words, pulse->address->prefix, "fence");
	/* Another one each time: who sets the mark anew has to see that he did. */
	snprintf(mark, sizeof(mark), "%.40s-%u", pulse->run, pulse->beats++);
	redis_words_text(&words, mark);
	pulse->ask = (struct redis_ask){.done = on_answer};
	if (redis_words_script(&words, REDIS_PULSE, 2, &pulse->ask))
		return;
	pulse->busy = 1;
	pulse->asked_ms = clock_mono_ms();
	redis_link_send(pulse->link, &pulse->ask);
}

static void on_beat(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_pulse *pulse = arg;
	CHECK_OBJ(pulse, PULSE_MAGIC);
	look(pulse);
}

static void on_changed(struct redis_guest *guest, int up)
{
	struct redis_pulse *pulse =
		(struct redis_pulse *)((char *)guest -
				       offsetof(struct redis_pulse, guest));
	CHECK_OBJ(pulse, PULSE_MAGIC);
	if (up)
		look(pulse);
}

int redis_pulse_new(const struct redis_pulse_parts *parts, struct redis_pulse **ret)
{
	static const struct timeval every = {EVERY_S, 0};
	struct redis_pulse *pulse = calloc(1, sizeof(*pulse));
	if (!pulse)
		return -REASON_NO_MEMORY;
	*pulse = (struct redis_pulse){.magic = PULSE_MAGIC,
		.link = parts->link,
		.address = parts->address,
		.run = parts->run,
		.health = parts->health,
		.state = parts->state,
		.guest = {NULL, on_changed, NULL}};
	pulse->beat =
		event_new(redis_link_base(parts->link), -1, EV_PERSIST, on_beat, pulse);
	if (!pulse->beat || event_add(pulse->beat, &every)) {
		redis_pulse_free(pulse);
		return -REASON_NO_MEMORY;
	}
	redis_link_join(parts->link, &pulse->guest);
	*ret = pulse;
	return 0;
}

struct redis_pulse *redis_pulse_free(struct redis_pulse *pulse)
{
	if (!pulse)
		return NULL;
	CHECK_OBJ(pulse, PULSE_MAGIC);
	if (pulse->beat)
		event_free(pulse->beat);
	pulse->magic = 0;
	free(pulse);
	return NULL;
}
